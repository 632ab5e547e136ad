"""A whole comparison: items, systems, tables and what stands below them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from unbarb.errors import InputError
from unbarb.evaluate.agreement import known
from unbarb.evaluate.compare.answers import UNASKED, Answering
from unbarb.evaluate.compare.classifiers import ALWAYS_CLEAN, compare_classifiers
from unbarb.evaluate.compare.contenders import contender, is_run
from unbarb.evaluate.compare.costs import costs
from unbarb.evaluate.compare.items import load_items
from unbarb.evaluate.compare.rewriters import BASELINES, compare_rewriters
from unbarb.evaluate.field import Field
from unbarb.evaluate.hub import Hub
from unbarb.evaluate.judges import Judges
from unbarb.evaluate.results import Progress, Report, silent
from unbarb.metrics import bootstrap

VERSIONED = ("unbarb", "numpy", "torch", "transformers", "sacrebleu", "rouge-score", "scipy")
QUALITY = ("calibrated", "joint", "J 2025", "macro ROC-AUC", "macro F1")
"""Figures that stand beside the costs of a run."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared on what, and by whom.

    `systems` are ``WHAT`` or ``NAME=WHAT``; `side` is a split of a prepared set, `None` for dev when a run
    is among the systems and test otherwise; `judges` is the folder of the judges, needed for rewriters.
    """

    systems: Sequence[str]
    data: Path
    side: str | None = None
    limit: int | None = None
    judges: Path = Path("evaluation/judges")
    hub: Hub = field(default_factory=Hub)


def compare(asked: Comparison, progress: Progress = silent, answering: Answering = UNASKED) -> Report:
    """Compare and give the report; `answering` says how the models of runs are asked.

    Raises:
        InputError: data or a system cannot be read, or two systems have one name.
        ModelError: rewriters are compared and there are no judges, or a run's model does not load.
    """
    side = asked.side or ("dev" if any(map(is_run, asked.systems)) else "test")
    items = load_items(asked.data, side).first(asked.limit)
    found = [contender(spec, items, progress, answering) for spec in asked.systems]
    taken = (*(BASELINES if items.kind == "pairs" else (ALWAYS_CLEAN,)), *(one.name for one in found))
    twice = sorted({name for name in taken if taken.count(name) > 1})
    if twice:
        raise InputError(
            f"two systems are called {', '.join(twice)}; give names of their own, as NAME=FILE"
        )
    judges: dict[str, Any] = {}
    agreement = ""
    if items.kind == "pairs":
        offline = Judges.load(asked.judges)
        agreement = known(asked.judges, offline.digest)
        by_field = Field(offline, items.texts, items.references, asked.hub)
        tables = compare_rewriters(items, found, by_field, progress)
        judges = {"digest": offline.digest, "quality": offline.quality, "parts": dict(by_field.judges)}
    else:
        tables = compare_classifiers(items, found, progress)
    quality = {
        row.system: {name: row.figures[name] for name in QUALITY if name in row.figures}
        for row in tables[0].rows
    }
    return Report(
        tables=(*tables, *costs(found, quality)),
        seed=bootstrap.SEED,
        split=items.side,
        models={one.name: one.digest for one in found if one.digest},
        judges=judges,
        versions={name: version(name) for name in VERSIONED},
        title="comparison",
        agreement=agreement,
    )
