"""``unbarb thresholds``: move a threshold from another service's scores to ours."""

from __future__ import annotations

import csv
import json as json_format
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from unbarb.errors import DetectionError, InputError
from unbarb.serve.thresholds import Mapped, of_pairs, of_share

BATCH = 256
Pair = tuple[float | None, float | str]


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Move thresholds from elsewhere.")
    group.command("map")(map_threshold)
    # A group of one command would be taken for the command itself.
    group.callback()(lambda: None)
    app.add_typer(group, name="thresholds")


def map_threshold(
    file: Annotated[Path, typer.Argument(help="CSV, TSV or JSONL: a row for each text.")],
    label: Annotated[str, typer.Option(help="The label whose threshold is wanted.")] = "toxicity",
    at: Annotated[
        float | None, typer.Option(min=0, max=1, help="The threshold in use there; needs their scores.")
    ] = None,
    share: Annotated[
        float | None, typer.Option(min=0, max=1, help="Instead: the share to be flagged; 2 % is 0.02.")
    ] = None,
    theirs: Annotated[str, typer.Option(help="The column with their scores.")] = "perspective",
    ours: Annotated[
        str | None, typer.Option(help="The column with our scores, where the texts are scored already.")
    ] = None,
    column: Annotated[str, typer.Option(help="The column with the texts, which are scored now.")] = "text",
    policy: Annotated[str, typer.Option(help="The policy whose detectors score.")] = "default",
    json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
) -> None:
    """Say which threshold on our scores flags as much as one does on another service's.

    The rows should be texts as they come, not chosen for being toxic.

    Exit codes: 0 done, 2 it cannot be done, with what to do.
    """
    if (at is None) == (share is None):
        raise InputError("give --at, the threshold in use there, or --share, the share to be flagged")
    pairs = list(_pairs(file, None if at is None else theirs, ours or column, scored=ours is not None))
    scores = [float(value) for _, value in pairs] if ours else _scored(pairs, label, policy)
    if at is not None:
        mapped = of_pairs([score or 0.0 for score, _ in pairs], scores, at)
    else:
        mapped = of_share(scores, share or 0.0)
    typer.echo(json_format.dumps(asdict(mapped)) if json else _told(mapped, label, at))


def _scored(pairs: Sequence[Pair], label: str, policy: str) -> list[float]:
    """Our scores of the texts.

    Raises:
        InputError: the policy's detectors do not score the label.
        DetectionError: a detector failed.
    """
    from unbarb.guard import Guard

    guard = Guard(policy, rewriter=None)
    if label not in guard.panel.labels:
        raise InputError(
            f"label {label!r} is not scored; there are {', '.join(sorted(guard.panel.labels))}"
        )
    scores: list[float] = []
    for at in range(0, len(pairs), BATCH):
        for found in guard.check_batch([str(text) for _, text in pairs[at : at + BATCH]]):
            if label not in found.scores:
                raise DetectionError(f"text {len(scores) + 1} was not scored: {'; '.join(found.warnings)}")
            scores.append(found.scores[label])
    return scores


def _pairs(file: Path, theirs: str | None, second: str, *, scored: bool) -> Iterator[Pair]:
    """Their score and our score, or the text, of every row.

    Raises:
        InputError: the file or a row of it cannot be read.
    """
    for place, row in _rows(file):
        missing = [name for name in (theirs, second) if name is not None and row.get(name) in (None, "")]
        if missing:
            has = ", ".join(map(repr, row))
            raise InputError(f"{place}: nothing in {', '.join(map(repr, missing))}; the row has {has}")
        try:
            score = None if theirs is None else float(row[theirs])
            yield score, float(row[second]) if scored else str(row[second])
        except (TypeError, ValueError) as error:
            raise InputError(f"{place}: a score is not a number: {error}") from error


def _rows(file: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every row of the file, and where it stands."""
    ending = file.suffix.lower()
    if ending not in (".csv", ".tsv", ".jsonl", ".ndjson"):
        raise InputError(f"{file}: cannot tell the format from the name; known are .csv, .tsv and .jsonl")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if ending in (".csv", ".tsv"):
                table = csv.DictReader(lines, delimiter="\t" if ending == ".tsv" else ",", strict=True)
                yield from ((f"{file}:{table.line_num}", row) for row in table)
            else:
                for number, line in enumerate(lines, 1):
                    if line.strip():
                        yield f"{file}:{number}", _object(line, f"{file}:{number}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error


def _object(line: str, place: str) -> Mapping[str, Any]:
    try:
        found = json_format.loads(line)
    except json_format.JSONDecodeError as error:
        raise InputError(f"{place}: not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{place}: a JSON object is needed")
    return found


def _told(mapped: Mapped, label: str, at: float | None) -> str:
    low, high = mapped.interval
    asked = f"{at:g} there is" if at is not None else f"{mapped.share:.2%} flagged is"
    alike = "" if mapped.alike is None else f"; {mapped.alike:.1%} of the texts are decided alike"
    lines = (
        f"{label}: {asked} {mapped.threshold:.3f} here (95 %: {low:.3f} to {high:.3f}, {mapped.n:,} texts)",
        f"flagged: {mapped.share:.2%} there, {mapped.flagged:.2%} here{alike}",
        f"in a policy:\n  labels:\n    {label}: {{threshold: {mapped.threshold:.3f}, action: flag}}",
    )
    return "\n".join(lines)
