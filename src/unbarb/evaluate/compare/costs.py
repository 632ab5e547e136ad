"""What each training cost, beside what it reached: from ``run.json`` and ``metrics.jsonl`` of the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from unbarb.evaluate.compare.contenders import Contender
from unbarb.evaluate.results import Curve, Row, Table, digest_of
from unbarb.metrics.measured import Measured

NOTE = (
    "Quality as in the tables above, then what the run's own run.json says: parameters that were trained"
    " and their share of all, the most memory the training took, its time, and the size of what it saved."
)


def costs(contenders: Sequence[Contender], quality: Mapping[str, Mapping[str, Measured]]) -> list[Table]:
    """The table of the runs among `contenders`, with loss curves; none without a run."""
    runs = [one for one in contenders if one.facts]
    if not runs:
        return []
    rows = tuple(Row(one.name, {**quality.get(one.name, {}), **_spent(one)}, one.digest) for one in runs)
    curves = tuple(curve for one in runs for curve in _losses(one))
    digest = digest_of([dict(one.facts.get("digests", {})) for one in runs])
    return [Table("runs", "runs of unbarb train", NOTE, digest, rows, curves=curves)]


def _spent(one: Contender) -> dict[str, Measured]:
    parameters = one.facts.get("parameters", {})
    trainable, total = _number(parameters.get("trainable")), _number(parameters.get("total"))
    share = trainable / total if trainable is not None and total else None
    values = {
        "trained parameters": trainable,
        "all parameters": total,
        "trained share": share,
        "peak memory, MB": _number(one.facts.get("peak_memory_mb")),
        "seconds": _number(one.facts.get("seconds")),
        "saved, MB": None if one.size is None else one.size / 1e6,
    }
    return {name: Measured("run.json/1", value, 0) for name, value in values.items() if value is not None}


def _losses(one: Contender) -> list[Curve]:
    found = []
    for kind in ("loss", "eval_loss"):
        points = [
            (step, value)
            for line in one.log
            if (step := _number(line.get("step"))) is not None
            and (value := _number(line.get(kind))) is not None
        ]
        if points:
            found.append(Curve(kind, one.name, tuple(x for x, _ in points), tuple(y for _, y in points)))
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
