"""Sentences for the proofreading trunk: what people wrote, and the same broken on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from unbarb.data.examples import Labelled, Pair
from unbarb.detect.wordpiece import WordPiece
from unbarb.segment import sentences
from unbarb.train.align import lowered
from unbarb.train.batches import Row
from unbarb.train.damage import damage
from unbarb.train.rewriting import framed

SHORTEST, LONGEST = 4, 26
"""Words of a sentence taken from a longer text."""
PIECES = 64
"""As much of a sentence is read."""
_FUNCTION_WORDS = (
    "a an the this that these those of to in on at by for with from and or but so if as is are was were "
    "be been has have had do does did not will would can could should may might he she it they we you i "
    "his her its their my your them him us me who which what when where"
)
FUNCTION_WORDS = tuple(_FUNCTION_WORDS.split())
Words = tuple[str, ...]


def prose(texts: Iterable[Labelled]) -> list[Words]:
    """The sentences of whole texts, as words in lower case; what is no plain sentence is left out."""
    found = []
    for text in texts:
        for span in sentences(text.text):
            sentence = span.of(text.text).strip()
            if (
                SHORTEST <= len(sentence.split()) <= LONGEST
                and sentence.isascii()
                and sentence[0].isalnum()
                and "@" not in sentence
            ):
                found.append(tuple(lowered(sentence)))
    return found


def proof_rows(
    pairs: Sequence[Pair],
    others: Sequence[Words],
    sources: int,
    drawn: int,
    wordpiece: WordPiece,
    seed: int,
) -> list[Row]:
    """Rows of one target, intact or not: every sentence whole and broken once.

    All neutral sides of `pairs`, `sources` of their toxic sides and `drawn` of the `others`, a third
    of them without the mark at their end, so that it says nothing.
    """
    rng = np.random.default_rng(seed)
    neutral = [lowered(text) for pair in pairs for text in pair.neutrals]
    toxic = [lowered(pair.toxic) for pair in pairs]
    phrases = sorted({word for words in neutral for word in words if word.isalpha()})
    chosen = [
        *neutral,
        *(toxic[at] for at in rng.permutation(len(toxic))[:sources].tolist()),
        *(others[at] for at in rng.permutation(len(others))[:drawn].tolist()),
    ]
    texts: list[tuple[Words, float]] = []
    for whole in chosen:
        words = tuple(whole[:-1] if whole and whole[-1] in ".!?" and rng.random() < 1 / 3 else whole)
        if len(words) >= 3:
            texts += [(words, 1.0), (tuple(broken(words, phrases, rng)), 0.0)]
    pieces = wordpiece.encode([words for words, _ in texts])
    blank = np.empty(0, np.float32)
    return [
        Row(framed(piece.ids)[:PIECES], np.array([intact], np.float32), blank)
        for piece, (_, intact) in zip(pieces, texts, strict=True)
        if len(piece.ids)
    ]


def broken(words: Sequence[str], phrases: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Another sentence: damaged as edits go wrong, or in its grammar, by a function word or an ending."""
    done = _misspoken(words, rng)
    return damage(words, phrases, rng) if done == list(words) else done


def _misspoken(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Three in ten with a function word put in for another word or left out, or a wrong -s."""
    kind = rng.random()
    small = [at for at, word in enumerate(words) if word in FUNCTION_WORDS]
    if kind < 0.1:
        at = int(rng.integers(len(words)))
        return [*words[:at], FUNCTION_WORDS[int(rng.integers(len(FUNCTION_WORDS)))], *words[at + 1 :]]
    if kind < 0.2:
        at = int(rng.integers(len(words)))
        word = words[at]
        return [*words[:at], word[:-1] if word.endswith("s") else word + "s", *words[at + 1 :]]
    if kind < 0.3 and small:
        at = small[int(rng.integers(len(small)))]
        return [*words[:at], *words[at + 1 :]]
    return list(words)
