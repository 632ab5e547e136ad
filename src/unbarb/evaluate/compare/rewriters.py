"""Rewriters side by side: every figure of every system, the three baselines, and what could be chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from unbarb.detect import wordlist
from unbarb.evaluate.compare.contenders import Contender, rewrites
from unbarb.evaluate.compare.items import Items
from unbarb.evaluate.delete_words import DeleteWords
from unbarb.evaluate.field import Field, FieldScores
from unbarb.evaluate.judges import RewriteScores
from unbarb.evaluate.results import Example, Progress, Row, Spread, Table, silent
from unbarb.metrics import (
    acceptability,
    bootstrap,
    edit_rate,
    j_2022,
    j_2024,
    j_2025,
    joint_calibrated,
    paired,
    perplexity,
    rouge,
    toxicity,
)
from unbarb.metrics.bleu import bleu
from unbarb.metrics.chrf import chrf
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import Floats, scored

COPY, DELETE, HUMAN = "copy", "delete listed words", "human reference"
BASELINES = (COPY, DELETE, HUMAN)
SHOWN = 300
"""Examples of a system in the report, evenly over the texts."""
NOTE = (
    "non_toxic, meaning, fluency, joint and calibrated by the judges trained here, of which the agreement"
    " with people stands below; J 2022, 2024 and 2025 as the field defines them, by the judges named below;"
    " the rest compares with one reference or with the source. Higher is better but for toxicity,"
    " perplexity, edit rate and unchanged, of which the last two are neither good nor bad."
)
CHANCE = (
    "Mean difference of J on the texts that both systems answered, first less second, with its interval,"
    " and p by approximate randomisation, corrected by Holm for the number of comparisons in the table."
)


def compare_rewriters(
    items: Items, contenders: Sequence[Contender], field: Field, progress: Progress = silent
) -> list[Table]:
    """The table of figures, and the table of differences between all pairs but those of baselines."""
    outputs: dict[str, Sequence[str | None]] = {
        COPY: items.texts,
        DELETE: delete_listed()(items.texts),
        HUMAN: items.references,
    }
    outputs |= {one.name: rewrites(one.outputs) for one in contenders}
    own: dict[str, RewriteScores] = {}
    rows: list[Row] = []
    digests = {one.name: one.digest for one in contenders}
    for name, output in outputs.items():
        progress(f"judging: {name}")
        own[name] = field.offline.score(items.texts, output, items.references)
        figures = _figures(items, output, own[name], field.score(output, own[name]))
        rows.append(Row(name, figures, digests.get(name, "")))
    examples = [one for name in outputs for one in _examples(name, items, outputs[name], own[name])]
    spreads = [one for name in outputs for one in _spreads(name, own[name])]
    main = Table(
        "comparison",
        items.name,
        NOTE,
        items.digest,
        tuple(rows),
        examples=tuple(examples),
        spreads=tuple(spreads),
    )
    chance = _chance(own)
    return [main, Table("significance", items.name, CHANCE, items.digest, chance)] if chance else [main]


def delete_listed() -> DeleteWords:
    """The baseline that deletes the listed words that ship, but for those rude only in some senses."""
    known = wordlist.load().words.items()
    return DeleteWords(word for word, entry in known if entry.sense != "ambiguous")


def _figures(
    items: Items, output: Sequence[str | None], own: RewriteScores, field: FieldScores
) -> dict[str, Measured]:
    rates = edit_rate.edit_rates(items.texts, output)
    same = [None if o is None else float(o == s) for o, s in zip(output, items.texts, strict=True)]
    figures = own.figures()
    figures["calibrated"] = _mean(joint_calibrated.METRIC, own.calibrated)
    figures["J 2022"] = _mean(j_2022.METRIC, field.j_2022)
    figures["J 2024"] = _mean(j_2024.METRIC, field.j_2024)
    figures["J 2025"] = _mean(j_2025.METRIC, field.j_2025)
    figures["toxicity"] = _mean(toxicity.METRIC, own.toxicity)
    figures["acceptable"] = share(acceptability.METRIC, acceptability.accepted(field.acceptable))
    figures["bleu"] = bleu(output, items.references)
    figures["chrf"] = chrf(output, items.references)
    for kind, values in rouge.rouge(output, items.references).items():
        figures[kind] = _mean(rouge.METRIC, values)
    if field.surprise is not None:
        figures["perplexity"] = measure(perplexity.METRIC, perplexity.perplexity, *field.surprise)
    figures["edit rate"] = _mean(edit_rate.METRIC, rates)
    figures["unchanged"] = share("unchanged_share/1", same)
    return figures


def _mean(metric: str, values: Floats | Sequence[float | None]) -> Measured:
    return measure(metric, bootstrap.mean, values)


def _chance(own: Mapping[str, RewriteScores]) -> tuple[Row, ...]:
    pairs = [(one, other) for other, one in combinations(own, 2) if {one, other} - set(BASELINES)]
    corrected: dict[str, list[float | None]] = {}
    columns = {
        "joint": {n: s.joint for n, s in own.items()},
        "calibrated": {n: s.calibrated for n, s in own.items()},
    }
    for kind, column in columns.items():
        corrected[kind] = paired.holm([paired.p_value(column[one], column[other]) for one, other in pairs])
    rows = []
    for at, (one, other) in enumerate(pairs):
        figures: dict[str, Measured] = {}
        for kind, column in columns.items():
            kept = scored(column[one], column[other])
            found = bootstrap.paired_difference(column[one], column[other])
            low, high, value = (found.low, found.high, found.value) if found else (None, None, None)
            figures[kind] = Measured(
                "paired_difference/1", value, kept.n, kept.unscored, low, high, seed=bootstrap.SEED
            )
            figures[f"p ({kind})"] = Measured(
                paired.METRIC, corrected[kind][at], kept.n, kept.unscored, seed=paired.SEED
            )
        rows.append(Row(f"{one} − {other}", figures))
    return tuple(rows)


def _spreads(name: str, own: RewriteScores) -> list[Spread]:
    found = []
    for score, values in (
        ("calibrated", own.calibrated),
        ("toxicity", own.toxicity),
        ("fluency", own.fluency),
    ):
        (there,) = scored(values).columns
        counts, _ = np.histogram(np.clip(there, 0, 1), bins=20, range=(0, 1))
        found.append(Spread(name, score, 0.0, 1.0, tuple(counts.tolist())))
    return found


def _examples(name: str, items: Items, output: Sequence[str | None], own: RewriteScores) -> list[Example]:
    if name in (COPY, HUMAN):
        return []
    step = max(1, -(-len(items.texts) // SHOWN))
    columns = {
        "calibrated": own.calibrated,
        "joint": own.joint,
        "toxicity": own.toxicity,
        "meaning": own.to_source,
        "fluency": own.fluency,
    }
    return [
        Example(
            name,
            items.texts[at],
            output[at],
            items.references[at],
            {
                key: round(float(column[at]), 3)
                for key, column in columns.items()
                if column[at] == column[at]
            },
        )
        for at in range(0, len(items.texts), step)
    ]
