"""The arms of an experiment: the same raw rows as they are, filtered, and rewritten, by `unbarb.corpus`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unbarb.cli.lm_detox_base import texts_set
from unbarb.corpus import Manifest, clean
from unbarb.data.prepared import Prepared

if TYPE_CHECKING:
    from unbarb.corpus.run import Progress
    from unbarb.train.experiment import Arm, Experiment

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Arms:
    """Each arm as a prepared set, and what the cleaning of the two others says of itself."""

    sets: Mapping[Arm, Prepared]
    manifests: Mapping[Arm, Manifest]

    @property
    def cleaners(self) -> dict[str, str]:
        """Name → digest of the models that cleaned."""
        return {name: digest for one in self.manifests.values() for name, digest in one.models.items()}


def arms_of(
    experiment: Experiment,
    policy: Path | str,
    rows: Sequence[Row],
    out: Path,
    *,
    workers: int | None = None,
    told: Callable[[Arm, Progress], None] = lambda arm, progress: None,
) -> Arms:
    """Write the raw rows, clean them twice, and give every arm as a set; what is there is taken."""
    folder = out / "texts"
    raw = folder / "raw.jsonl"
    _write_rows(raw, rows)
    sets: dict[Arm, Prepared] = {}
    manifests: dict[Arm, Manifest] = {}
    for arm in experiment.arms:
        kept: Iterable[Row] = rows
        if arm != "raw":
            cleaned = folder / "cleaned" / arm

            def moved(progress: Progress, arm: Arm = arm) -> None:
                told(arm, progress)

            manifests[arm] = clean(
                raw, cleaned, policy=policy, filter=arm == "filtered", workers=workers, progress=moved
            )
            kept = list(_rows(cleaned / one["file"] for one in manifests[arm].outputs))
        sets[arm] = texts_set(folder / arm, list(kept))
    return Arms(sets, manifests)


def policy_beside(experiment: Path, policy: str) -> Path | str:
    """The policy file beside the experiment's, or the name or path as it is."""
    beside = experiment.parent / policy
    return beside if beside.is_file() else policy


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    if path.is_file():
        return  # its digest is in the identity of the cleaning, which refuses another
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    part.replace(path)


def _rows(files: Iterable[Path]) -> Iterator[Row]:
    for file in files:
        with file.open(encoding="utf-8", newline="\n") as lines:
            yield from map(json.loads, lines)
