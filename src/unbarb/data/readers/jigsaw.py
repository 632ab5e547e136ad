"""Jigsaw Toxic Comment Classification Challenge (2018): Wikipedia talk comments, six labels."""

from __future__ import annotations

from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.split import group_key
from unbarb.data.table import number, rows

COLUMNS = {
    "toxic": "toxicity",
    "severe_toxic": "severe_toxicity",
    "obscene": "obscene",
    "threat": "threat",
    "insult": "insult",
    "identity_hate": "identity_attack",
}


def jigsaw(path: Path) -> list[Labelled]:
    """Read the train file, with its text column named ``text`` or ``comment_text``.

    Labels are annotated 0 or 1. Source: the challenge's train rows,
    https://www.kaggle.com/c/jigsaw-toxic-comment-classification-challenge; annotations CC0 1.0, the
    comments CC BY-SA 3.0 (Wikipedia). A file picked by class does not have a natural rate of toxicity.
    """
    found = []
    for row in rows(path, tuple(COLUMNS)):
        text = row["text"] if "text" in row else row["comment_text"]
        labels = {label: number(row, column, path) for column, label in COLUMNS.items()}
        found.append(Labelled(text, labels, None, "jigsaw", group_key(text)))
    return found
