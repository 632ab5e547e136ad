"""Tweets voted hate, offensive or neither."""

from __future__ import annotations

from html import unescape
from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.split import group_key
from unbarb.data.table import number, rows

VOTES = ("hate_votes", "offensive_votes", "neither_votes")


def davidson(path: Path) -> list[Labelled]:
    """Read the vote columns and ``text``; HTML entities are unescaped, nothing else is touched.

    ``identity_attack`` is the share of *hate* votes, ``toxicity`` that of *hate* and *offensive*.

    Source: Davidson et al. 2017, "Automated Hate Speech Detection and the Problem of Offensive Language",
    https://github.com/t-davidson/hate-speech-and-offensive-language; MIT.
    """
    found = []
    for row in rows(path, (*VOTES, "text")):
        hate, offensive, neither = (number(row, column, path) for column in VOTES)
        total = hate + offensive + neither
        labels = {"toxicity": (hate + offensive) / total, "identity_attack": hate / total} if total else {}
        text = unescape(row["text"])
        found.append(Labelled(text, labels, None, "davidson", group_key(text)))
    return found
