"""From what a command names to a system's outputs: a file of predictions, a run's folder, or a policy.

``NAME=WHAT`` gives a system a name of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unbarb.errors import InputError, UnbarbError
from unbarb.evaluate.compare.answers import UNASKED, Answering, answered
from unbarb.evaluate.compare.items import Items, json_rows
from unbarb.evaluate.results import Progress, silent
from unbarb.evaluate.subjects import chunks

FACTS, LOG = "run.json", "metrics.jsonl"
OUTPUTS = ("output", "prediction", "text_out", "rewrite")
SCORES = ("scores", "probabilities", "predicted")

Output = str | Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Contender:
    """A system and what it gave for every item: a rewrite, scores by label, or `None` for nothing.

    `facts` are a run's ``run.json``, `log` its ``metrics.jsonl``, `size` the bytes of its model folder.
    """

    name: str
    outputs: tuple[Output, ...]
    digest: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    log: tuple[Mapping[str, Any], ...] = ()
    size: int | None = None


def is_run(spec: str) -> bool:
    """Whether `spec` names the folder of a training."""
    return (Path(_parts(spec)[1]) / FACTS).is_file()


def contender(
    spec: str, items: Items, progress: Progress = silent, answering: Answering = UNASKED
) -> Contender:
    """The system that `spec` names, with its outputs in the order of `items`.

    The model of a run answers what its predictions lack; `answering` says how it is asked.

    Raises:
        InputError: there is no such thing, a run cannot answer, or no prediction belongs to `items`.
        ModelError: a run's model does not load.
    """
    name, what = _parts(spec)
    path = Path(what)
    if is_run(spec):
        return _run(name, path, items, answering)
    if path.is_dir():
        raise InputError(f"{path} is a folder without {FACTS}; name a run of `unbarb train` or a file")
    if path.suffix in (".jsonl", ".ndjson"):
        if not path.is_file():
            raise InputError(
                f"no file {path}; a system is a JSONL file with id and output, a run or a policy"
            )
        return Contender(name, _aligned(path, items), _digest(path))
    return _guard(name, what, items, progress)


def _parts(spec: str) -> tuple[str, str]:
    name, sign, what = spec.partition("=")
    if sign and name and what and not Path(spec).exists():
        return name, what
    path = Path(spec)
    return (path.stem if path.suffix else path.name or spec), spec


def _run(name: str, folder: Path, items: Items, answering: Answering) -> Contender:
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{folder / FACTS}: not JSON ({error})") from error
    predictions = answered(name, folder, facts, items, answering)
    log = tuple(json_rows(folder / LOG)) if (folder / LOG).is_file() else ()
    files = [path for path in (folder / "model").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) if files else None
    return Contender(name, _aligned(predictions, items), _digest(predictions), facts, log, size)


def _aligned(path: Path, items: Items) -> tuple[Output, ...]:
    said: dict[str, Output] = {}
    for at, row in enumerate(json_rows(path), 1):
        if "id" not in row:
            raise InputError(f"{path}, line {at}: no id; a prediction has id and output (or scores)")
        said[str(row["id"])] = _output(path, at, row, items)
    found = tuple(next((said[one] for one in ids if one in said), None) for ids in items.ids)
    if all(output is None for output in found):
        raise InputError(
            f"{path}: none of its {len(said):,} ids is among the {len(items.ids):,} of {items.name}"
            f" ({items.side}); give another --split or other --data"
        )
    return found


def _output(path: Path, at: int, row: Mapping[str, Any], items: Items) -> Output:
    names = OUTPUTS if items.kind == "pairs" else SCORES
    value = next((row[name] for name in names if name in row), ...)
    if value is None:
        return None
    if items.kind == "pairs" and isinstance(value, str):
        return value
    if items.kind == "labelled" and isinstance(value, Mapping):
        if all(isinstance(score, int | float) and 0 <= score <= 1 for score in value.values()):
            return {str(label): float(score) for label, score in value.items()}
        raise InputError(f"{path}, line {at}: scores must be numbers within 0…1, not {dict(value)!r:.80}")
    wanted = "output, a text" if items.kind == "pairs" else "scores, an object of label: 0…1"
    raise InputError(f"{path}, line {at}: no {wanted}; it has {', '.join(row)}")


def _guard(name: str, policy: str, items: Items, progress: Progress) -> Contender:
    from unbarb.guard import Guard

    try:
        guard = Guard(policy=policy) if items.kind == "pairs" else Guard(policy=policy, rewriter=None)
    except UnbarbError as error:
        raise InputError(
            f"{policy!r} is no file of predictions, no run and no policy that loads: {error}"
        ) from error
    found: list[Output] = []
    for chunk in chunks(items.texts, 32):
        if items.kind == "pairs":
            found += [verdict.text for verdict in guard.batch(chunk)]
        else:
            found += [dict(verdict.scores) for verdict in guard.check_batch(chunk)]
        progress(f"{name}: {len(found):,} of {len(items.texts):,}")
    return Contender(name, tuple(found), guard.policy.digest)


def rewrites(outputs: Sequence[Output]) -> list[str | None]:
    """The outputs of a rewriter."""
    return [output if isinstance(output, str) else None for output in outputs]


def _digest(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
