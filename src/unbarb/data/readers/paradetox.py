"""ParaDetox: toxic sentences with neutral rewrites, and those that nobody could rewrite."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from unbarb.data.examples import Labelled, Pair
from unbarb.data.split import group_key
from unbarb.data.table import rows
from unbarb.errors import InputError

NEUTRALS = ("neutral1", "neutral2", "neutral3")


def paradetox(path: Path, dropped: Counter[str] | None = None) -> list[Pair]:
    """Read the tab-separated pairs: ``toxic`` and up to three neutral texts.

    A rewrite equal to its source, an exact duplicate pair and a sentence left without any rewrite are
    dropped and counted in `dropped` as ``unchanged``, ``duplicate`` and ``no_neutral``. Rows of the same
    toxic sentence become one pair.

    Source: Logacheva et al. 2022, "ParaDetox: Detoxification with Parallel Data",
    https://github.com/s-nlp/paradetox; CC0 1.0 there, OpenRAIL++ on the card of the data set
    s-nlp/paradetox.
    """
    counts: Counter[str] = Counter() if dropped is None else dropped
    found: dict[str, list[str]] = {}
    for row in rows(path, ("toxic", "neutral1"), delimiter="\t"):
        toxic = row["toxic"].strip()
        neutrals = found.setdefault(toxic, [])
        for neutral in ((row.get(column) or "").strip() for column in NEUTRALS):
            if neutral == toxic:
                counts["unchanged"] += 1
            elif neutral in neutrals:
                counts["duplicate"] += 1
            elif neutral:
                neutrals.append(neutral)
    counts["no_neutral"] += sum(not neutrals for neutrals in found.values())
    return [
        Pair(toxic, tuple(neutrals), "paradetox", group_key(toxic))
        for toxic, neutrals in found.items()
        if neutrals
    ]


def cannot_rewrite(path: Path) -> list[Labelled]:
    """Read what annotators could not rewrite: ``toxic`` and ``reasons``, a JSON object of ticks.

    ``toxic_content`` (the content itself is toxic) gives ``toxicity`` 1 and ``not_toxic`` 0. With both
    ticked, with ``unclear``, or with neither, nothing is known and the row is left out.
    Source and licence as in :func:`paradetox`.
    """
    found = []
    for index, row in enumerate(rows(path, ("toxic", "reasons"), delimiter="\t"), start=1):
        ticks = _ticks(row["reasons"], path, index)
        if ticks in ({"toxic_content"}, {"not_toxic"}):
            labels = {"toxicity": 1.0 if "toxic_content" in ticks else 0.0}
            found.append(Labelled(row["toxic"], labels, None, "cannot_rewrite", group_key(row["toxic"])))
    return found


def _ticks(field: str, path: Path, row: int) -> set[str]:
    try:
        return {reason for reason, ticked in json.loads(field).items() if ticked}
    except (AttributeError, ValueError) as error:
        raise InputError(
            f"{path}, row {row}: reasons must be a JSON object of ticks, not {field!r}"
        ) from error
