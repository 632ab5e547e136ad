"""Clean encyclopaedic prose, for false alarms on long text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from unbarb.data.examples import NOTHING, Labelled
from unbarb.data.split import group_key
from unbarb.data.table import opened

UNKNOWN = "<unk>"
MINIMUM = 5  # words; shorter pieces are captions and debris of headings

JOINED = re.compile(r" @([-,.])@ ")
BEFORE = re.compile(r" ([,.;:!?%)\]}’]|n't\b|'(?:s|t|re|ve|ll|d|m)\b)")
AFTER = re.compile(r"([(\[{£$]) ")
QUOTED = re.compile(r'" ([^"]*?) "')
SENTENCE_END = re.compile(r"(?<=[a-z0-9)”\"][.!?]) (?=[A-Z\"“(])")


def wikitext(path: Path, unit: Literal["paragraph", "sentence"] = "paragraph") -> list[Labelled]:
    """Read the tokenised text and give it back as ordinary writing, all labels 0.

    Headings are left out, and so are sentences with an unknown word and scraps under five words.
    Sentences of one paragraph share its group.

    Source: Merity et al. 2016, "Pointer Sentinel Mixture Models", WikiText-103 validation part,
    https://huggingface.co/datasets/Salesforce/wikitext; CC BY-SA 3.0.
    """
    found = []
    with opened(path) as file:
        for line in file:
            if not line.strip() or line.strip().startswith("= "):
                continue
            sentences = [text for text in SENTENCE_END.split(detokenise(line)) if _whole(text)]
            group = group_key(" ".join(sentences))
            texts = [" ".join(sentences)] if unit == "paragraph" else sentences
            found += [Labelled(text, NOTHING, None, "wikitext", group) for text in texts if text]
    return found


def _whole(sentence: str) -> bool:
    return UNKNOWN not in sentence and len(sentence.split()) >= MINIMUM


def detokenise(line: str) -> str:
    """Undo WikiText's tokenisation: ``1 @,@ 000 km ( wide ) .`` becomes ``1,000 km (wide).``

    >>> detokenise(' He said " no , not @-@ yet " ( twice ) . ')
    'He said "no, not-yet" (twice).'
    """
    text = QUOTED.sub(r'"\1"', JOINED.sub(r"\1", " ".join(line.split())))
    return AFTER.sub(r"\1", BEFORE.sub(r"\1", text))
