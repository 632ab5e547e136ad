"""The report of an experiment: what each arm learnt from, what it says, and whether the arms differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from unbarb.evaluate.compare.groups import groups_in
from unbarb.evaluate.results import WHOLE_FILE, Report, Row, Table
from unbarb.metrics import bootstrap
from unbarb.metrics.measured import Measured, measure, share
from unbarb.train.run import versions

if TYPE_CHECKING:
    from unbarb.cli.lm_detox_arms import Arms
    from unbarb.data.prepared import Prepared
    from unbarb.evaluate.lm.judge import Judge
    from unbarb.evaluate.lm.measure import Measurement, Task
    from unbarb.train.experiment import Arm, Cell, Experiment

SAMPLED = 1000
"""Rows of an arm that the judge reads."""
EXPECTED = (("rewritten", "filtered"), ("filtered", "raw"), ("rewritten", "raw"))
"""Pairs of arms of which the first is hoped to be less toxic."""
MARGIN = 0.05
"""How much perplexity on clean text may rise over the raw arm's."""


def report(
    experiment: Experiment,
    arms: Arms,
    task: Task,
    measured: Mapping[Cell, Measurement],
    base: Measurement,
) -> Report:
    """All tables of the experiment; the base untuned stands below the arms."""
    from unbarb.evaluate.lm.tables import System, tables

    systems = [
        System(arm, tuple(one for cell, one in measured.items() if cell.arm == arm))
        for arm in experiment.arms
    ]
    found = tables([*systems, System("base, untuned", (base,))], task)
    found.insert(1, learnt_from(arms, task.judge, experiment.texts.seed))
    policy = next(iter(arms.manifests.values())).settings["policy"] if arms.manifests else {}
    return Report(
        tables=tuple(found),
        seed=bootstrap.SEED,
        split=WHOLE_FILE,
        models={cell.name: one.model for cell, one in measured.items()} | arms.cleaners,
        policy=policy,
        judges=task.judge.about(),
        versions=versions(),
        title=f"language-model detoxification: {experiment.name}",
        agreement=" ".join(findings(found)),
    )


def learnt_from(arms: Arms, judge: Judge, seed: int) -> Table:
    """What each arm was tuned on: rows, words, how much of it the judge calls toxic, who is named."""
    note = (
        f"Toxic and named are of {SAMPLED:,} rows of each arm, drawn by the seed. Changed and dropped are"
        " of the raw rows."
    )
    rows = [
        Row(arm, _of_arm(arm, prepared, arms, judge, seed), prepared.digest)
        for arm, prepared in arms.sets.items()
    ]
    return Table("lm-data", "what was tuned on", note, "; ".join(row.digest for row in rows), tuple(rows))


def _of_arm(arm: Arm, prepared: Prepared, arms: Arms, judge: Judge, seed: int) -> dict[str, Measured]:
    texts = [row["text"] for row in prepared.rows("train")]
    sample = texts if len(texts) <= SAMPLED else Random(seed).sample(texts, SAMPLED)
    toxic = [None if one != one else float(one >= 0.5) for one in judge.score(sample).tolist()]
    counts = arms.manifests[arm].counts if arm in arms.manifests else {}
    return {
        "rows": _count("rows/1", len(texts)),
        "words": _count("words/1", sum(len(text.split()) for text in texts)),
        "changed": _count("changed/1", counts.get("changed", 0)),
        "dropped": _count("dropped/1", counts.get("dropped", 0)),
        "toxic": share("toxic_share/1", toxic),
        "names a group": measure(
            "identity_named/1", bootstrap.mean, [float(bool(groups_in(text))) for text in sample]
        ),
    }


def _count(metric: str, number: int) -> Measured:
    return Measured(metric, float(number), 0)


def findings(tables: Sequence[Table]) -> list[str]:
    """What was hoped for, and whether the figures show it, a sentence each."""
    said = []
    differences: dict[str, Any] = {
        row.system: row.figures["toxicity probability"]
        for table in tables
        if table.suite == "lm-differences"
        for row in table.rows
    }
    for less, more in EXPECTED:
        found = differences.get(f"{less} − {more}")
        if found is not None:
            said.append(f"Toxicity probability, {less} against {more}: {_shown(found)}.")
    for table in tables:
        for row in table.rows if table.suite == "lm-perplexity" else ():
            ratio = row.figures.get("ratio")
            if row.system == "rewritten" and ratio is not None and ratio.value is not None:
                kept = (
                    f"more than {MARGIN:.0%} above"
                    if ratio.value > 1 + MARGIN
                    else f"more than {MARGIN:.0%} below"
                    if ratio.value < 1 - MARGIN
                    else f"within {MARGIN:.0%}"
                )
                said.append(
                    f"Perplexity of {row.system} on {table.name} is {ratio.value:.3f} of the first arm's"
                    f" ({ratio.low:.3f} … {ratio.high:.3f}), {kept}."
                )
    return said


def _shown(found: Measured) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "not scored"
    told = f"{found.value:+.3f} ({found.low:+.3f} … {found.high:+.3f})"
    if found.high < 0:
        return f"lower, {told}"
    if found.low > 0:
        return f"HIGHER, {told}"
    return f"not told apart, {told}"
