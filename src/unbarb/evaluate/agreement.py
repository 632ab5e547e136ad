"""How far judges agree with people: a judge is worth no more than that.

Per item: does it grade single rewrites as people do? Per system: does it rank systems as people do, by
the mean over their rewrites? Pearson, Spearman and Kendall, with intervals by resampling either.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from unbarb.evaluate.field import Field
from unbarb.evaluate.hub import Hub
from unbarb.evaluate.judges import Judges
from unbarb.evaluate.ratings import Ratings
from unbarb.evaluate.results import Point, Progress, Report, Row, Table, silent
from unbarb.metrics import bootstrap, correlation
from unbarb.metrics.measured import Measured, measure
from unbarb.metrics.scored import Floats, Values

KEPT = "agreement.json"
STATISTICS = {
    "Pearson": (correlation.METRIC, correlation.pearson),
    "Spearman": (correlation.SPEARMAN, correlation.spearman),
    "Kendall": (correlation.KENDALL, correlation.kendall),
}
HEADLINE = ("joint", "calibrated")
ROUNDS = 300
KENDALL_ROUNDS = 50
"""Kendall takes n log n of a slow kind; its interval is rougher."""
NOTE = (
    "Correlation of each judge with people's J, and of each part with the part that people graded, over the"
    " systems' means and over single rewrites. Intervals come from resampling systems and rewrites."
)


def agreement(
    ratings: Ratings, judges: Judges, hub: Hub | None = None, progress: Progress = silent
) -> Report:
    """Judge every rated rewrite and correlate."""
    progress(f"judging {len(ratings.outputs):,} rewrites of {len(ratings.names)} systems")
    own = judges.score(ratings.sources, ratings.outputs, ratings.references)
    field = Field(judges, ratings.sources, ratings.references, hub or Hub())
    by_field = field.score(ratings.outputs, own)
    pairs: dict[str, tuple[Floats, Floats]] = {
        "joint": (own.joint, ratings.joint),
        "calibrated": (own.calibrated, ratings.joint),
        "J 2022": (by_field.j_2022, ratings.joint),
        "J 2024": (by_field.j_2024, ratings.joint),
        "J 2025": (by_field.j_2025, ratings.joint),
        "toxicity": (own.toxicity, ratings.toxicity),
        "content, cosine to source": (own.to_source, ratings.content),
        "content, cosine to reference": (own.to_reference, ratings.content),
        "fluency": (own.fluency, ratings.fluency),
    }
    per_system = {
        name: _correlated(ratings.means(said), ratings.means(people))
        for name, (said, people) in pairs.items()
    }
    progress("correlating")
    per_item = {name: _correlated(said, people) for name, (said, people) in pairs.items()}
    return Report(
        tables=(
            Table(
                "agreement",
                "per system",
                NOTE,
                ratings.digest,
                _rows(per_system),
                points=_points(pairs, ratings),
            ),
            Table("agreement", "per item", NOTE, ratings.digest, _rows(per_item)),
            Table("agreement", "means", NOTE, ratings.digest, _means(pairs, ratings)),
        ),
        seed=bootstrap.SEED,
        split="rated",
        judges={"digest": judges.digest, "quality": judges.quality, "parts": dict(field.judges)},
        versions={name: version(name) for name in ("unbarb", "numpy", "scipy", "torch", "transformers")},
        title="judges against people",
        agreement=sentence(per_system, per_item, len(ratings.names), len(ratings.outputs)),
    )


def sentence(
    per_system: Mapping[str, Mapping[str, Measured]],
    per_item: Mapping[str, Mapping[str, Measured]],
    systems: int,
    rewrites: int,
) -> str:
    """What stands in the footer of every report of these judges."""
    parts = [
        f"{name} {_written(per_system[name]['Pearson'])} over systems,"
        f" {_written(per_item[name]['Pearson'])} over single rewrites"
        for name in HEADLINE
    ]
    return (
        f"Agreement of the judges with people, Pearson's r with human J of {rewrites:,} rated rewrites by"
        f" {systems} systems: {'; '.join(parts)}."
    )


def suspicious(ratings: Ratings, report: Report) -> str | None:
    """A warning when people seem to have graded toxicity the other way round."""
    figure = report.tables[1].rows[[row.system for row in report.tables[1].rows].index("toxicity")]
    found = figure.figures["Pearson"].value
    if found is not None and found < -0.1:
        return (
            f"the judge's toxicity falls where people's rises (Pearson {found:.2f} over"
            f" {len(ratings.outputs):,} rewrites): if a high grade means clean, give --toxicity clean"
        )
    return None


def keep(report: Report, folder: Path) -> Path:
    """Write the sentence beside the judges, so that every later report of them has it in its footer."""
    path = folder / KEPT
    data = {
        "judges": report.judges["digest"],
        "ratings": report.tables[0].data,
        "sentence": report.agreement,
    }
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def known(folder: Path, digest: str) -> str:
    """The sentence that was kept for the judges with `digest`, empty when there is none for them."""
    path = folder / KEPT
    if not path.is_file():
        return ""
    data = json.loads(path.read_text(encoding="utf-8"))
    return str(data["sentence"]) if data.get("judges") == digest else ""


def _correlated(said: Values, people: Values) -> dict[str, Measured]:
    return {
        name: measure(
            metric,
            statistic,
            said,
            people,
            rounds=KENDALL_ROUNDS if name == "Kendall" else ROUNDS,
        )
        for name, (metric, statistic) in STATISTICS.items()
    }


def _rows(found: Mapping[str, Mapping[str, Measured]]) -> tuple[Row, ...]:
    return tuple(Row(name, figures) for name, figures in found.items())


def _points(pairs: Mapping[str, tuple[Floats, Floats]], ratings: Ratings) -> tuple[Point, ...]:
    found = []
    for judge in HEADLINE:
        means = zip(
            ratings.names, ratings.means(pairs[judge][1]), ratings.means(pairs[judge][0]), strict=True
        )
        found += [Point(name, judge, x, y) for name, x, y in means if x is not None and y is not None]
    return tuple(found)


def _means(pairs: Mapping[str, tuple[Floats, Floats]], ratings: Ratings) -> tuple[Row, ...]:
    """People's and the judges' mean J of each system, best by people first."""
    rows = []
    for name in ratings.names:
        own = np.array([system == name for system in ratings.systems])
        figures = {"human J": measure("human_joint/1", bootstrap.mean, ratings.joint[own])}
        for judge in ("joint", "calibrated", "J 2022", "J 2024", "J 2025"):
            figures[judge] = measure("mean/1", bootstrap.mean, pairs[judge][0][own])
        rows.append(Row(name, figures))
    return tuple(sorted(rows, key=lambda row: -(row.figures["human J"].value or 0.0)))


def _written(figure: Measured) -> str:
    if figure.value is None:
        return "not measurable"
    return f"{figure.value:.2f} ({figure.low:.2f} … {figure.high:.2f})"
