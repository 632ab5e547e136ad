"""Wikipedia talk comments at their natural, low rate of toxicity."""

from __future__ import annotations

from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.split import group_key
from unbarb.data.table import number, rows


def wiki_natural(path: Path) -> list[Labelled]:
    """Read columns ``text`` and ``toxic`` (share of annotators, 0…1).

    Source: Pavlopoulos et al. 2020, "Toxicity Detection: Does Context Really Matter?",
    https://github.com/ipavlopoulos/context_toxicity; Apache-2.0.
    """
    return [
        Labelled(
            row["text"],
            {"toxicity": number(row, "toxic", path)},
            None,
            "wiki_natural",
            group_key(row["text"]),
        )
        for row in rows(path, ("text", "toxic"))
    ]
