"""Words that only look rude where they stand: a plant, a tool, somebody's name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unbarb.detect.wordlist import load

NEUTRAL = "thing"


def spared(words: Sequence[str]) -> list[str]:
    """The words of a text, with those of an innocent word or phrase of the list as `NEUTRAL`.

    The encoder knows few of them, and takes the pussy willow for what it is not.
    """
    places = [at for at, word in enumerate(words) if word[0].isalnum()]
    read = list(words)
    for first, last in _innocent([words[at].lower() for at in places]):
        for at in places[first:last]:
            read[at] = NEUTRAL
    return read


def _innocent(words: list[str]) -> Iterator[tuple[int, int]]:
    known = load()
    for at, word in enumerate(words):
        if word in known.innocent:
            yield at, at + 1
        for parts, entry in known.phrases.get(word, ()):
            if entry is None and tuple(words[at : at + len(parts)]) == parts:
                yield at, at + len(parts)
                break
