"""What people said of rewrites: a table of ratings, whatever its columns are called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from unbarb.errors import ConfigError, InputError
from unbarb.evaluate.compare.items import DELIMITERS, delimited_rows, json_rows
from unbarb.metrics.scored import Floats

TEXTS = ("system", "source", "output", "reference")
GRADES = ("toxicity", "content", "fluency", "joint")
SHOWN = 10

Means = Literal["toxic", "clean"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a table of ratings is read.

    `columns` maps our names to the file's, where they differ. `scale` is what the worst and the best grade
    are called. `toxicity` says what a high grade of toxicity means: *toxic*, or *clean* as in "style
    transferred".
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    scale: tuple[float, float] = (0.0, 1.0)
    toxicity: Means = "toxic"

    def __post_init__(self) -> None:
        unknown = sorted(set(self.columns) - {*TEXTS, *GRADES})
        if unknown:
            raise ConfigError(
                f"no column is called {', '.join(unknown)}; there are {', '.join(TEXTS + GRADES)}"
            )
        if not self.scale[0] < self.scale[1]:
            raise ConfigError(f"scale {self.scale}; the first is the lowest grade, the second the highest")

    def name(self, ours: str) -> str:
        return self.columns.get(ours, ours)


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """One entry a rewrite, several people's grades averaged; all equally long.

    `toxicity` (higher is more toxic), `content` and `fluency` are 0…1, NaN where nobody graded. `joint` is
    what was given as such, else (1 − toxicity) · content · fluency.
    """

    systems: tuple[str, ...]
    sources: tuple[str, ...]
    outputs: tuple[str, ...]
    references: tuple[str, ...]
    toxicity: Floats
    content: Floats
    fluency: Floats
    joint: Floats
    digest: str

    @property
    def names(self) -> tuple[str, ...]:
        """The systems, in the order in which they first occur."""
        return tuple(dict.fromkeys(self.systems))

    def means(self, values: Floats) -> list[float | None]:
        """The mean of `values` over each system's rewrites, those without a number left out."""
        found: list[float | None] = []
        for name in self.names:
            own = values[[system == name for system in self.systems]]
            own = own[~np.isnan(own)]
            found.append(float(own.mean()) if len(own) else None)
        return found


def load_ratings(path: Path, reading: Reading | None = None) -> Ratings:
    """The ratings in a .jsonl, .csv or .tsv file.

    A rewrite without a reference is compared with its source instead.

    Raises:
        InputError: there is no such file, a column is missing, or a grade is no number within the scale;
            all that is wrong at once.
    """
    reading = reading or Reading()
    if not path.is_file():
        raise InputError(f"no file {path}; ratings are a .jsonl, .csv or .tsv file")
    gathered: dict[tuple[str, ...], dict[str, list[float]]] = {}
    problems: list[str] = []
    for at, row in _rows(path):
        if at == 1:
            _need_columns(path, row, reading)
        key = tuple(str(row.get(reading.name(name)) or "") for name in TEXTS)
        own = gathered.setdefault(key, {name: [] for name in GRADES})
        for name in GRADES:
            grade = _grade(row.get(reading.name(name)), reading)
            if isinstance(grade, str):
                problems.append(f"row {at}, {reading.name(name)}: {grade}")
            elif grade is not None:
                own[name].append(grade)
    if problems:
        more = f" and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
        raise InputError(
            f"{path}: {'; '.join(problems[:SHOWN])}{more}; --scale LOW HIGH gives another scale"
        )
    if not gathered:
        raise InputError(f"{path}: no ratings")
    return _gathered(gathered, reading, hashlib.sha256(path.read_bytes()).hexdigest())


def _gathered(
    rows: Mapping[tuple[str, ...], Mapping[str, Sequence[float]]], reading: Reading, digest: str
) -> Ratings:
    columns = {
        name: np.array([np.mean(own[name]) if own[name] else np.nan for own in rows.values()])
        for name in GRADES
    }
    toxicity = columns["toxicity"] if reading.toxicity == "toxic" else 1 - columns["toxicity"]
    product = (1 - toxicity) * columns["content"] * columns["fluency"]
    systems, sources, outputs, references = zip(*rows, strict=True)
    return Ratings(
        systems=systems,
        sources=sources,
        outputs=outputs,
        references=tuple(r or s for r, s in zip(references, sources, strict=True)),
        toxicity=toxicity,
        content=columns["content"],
        fluency=columns["fluency"],
        joint=np.where(np.isnan(columns["joint"]), product, columns["joint"]),
        digest=f"sha256:{digest}",
    )


def _need_columns(path: Path, row: Mapping[str, Any], reading: Reading) -> None:
    missing = [
        reading.name(name) for name in ("system", "source", "output") if reading.name(name) not in row
    ]
    graded = [name for name in GRADES if reading.name(name) in row]
    if "joint" not in graded:
        missing += [reading.name(name) for name in GRADES[:3] if name not in graded]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; it has {', '.join(map(str, row))}."
            " --column OURS=THEIRS names a column that is called otherwise"
        )


def _grade(value: Any, reading: Reading) -> float | str | None:
    """The grade as 0…1, why it is none, or `None` where there is none."""
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return f"{value!r} is not a number"
    low, high = reading.scale
    if not low <= number <= high:
        return f"{number:g} is outside {low:g}…{high:g}"
    return (number - low) / (high - low)


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield from enumerate(delimited_rows(path) if path.suffix in DELIMITERS else json_rows(path), 1)
