"""Character F1 of toxic spans, averaged over texts.

As in SemEval-2021 task 5 (Pavlopoulos et al. 2021, https://aclanthology.org/2021.semeval-1.6/): per
text the F1 of two sets of character offsets; 1 when both are empty, 0 when one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from unbarb.errors import InputError

METRIC = "span_character_f1/1"


def offsets(spans: Iterable[tuple[int, int]]) -> set[int]:
    """The characters that half-open ``(start, end)`` spans cover."""
    return {at for start, end in spans for at in range(start, end)}


def text_f1(predicted: set[int], truth: set[int]) -> float:
    """The F1 of one text's offsets, 0…1."""
    if not predicted and not truth:
        return 1.0
    return 2 * len(predicted & truth) / (len(predicted) + len(truth))


def span_f1(predicted: Sequence[set[int] | None], truth: Sequence[set[int]]) -> float | None:
    """The mean over the texts that were scored, 0…1, higher is better; `None` without any.

    Raises:
        InputError: the two differ in length.
    """
    values = [value for value in per_text(predicted, truth) if value is not None]
    return sum(values) / len(values) if values else None


def per_text(predicted: Sequence[set[int] | None], truth: Sequence[set[int]]) -> list[float | None]:
    """The F1 of every text, `None` for one that has no prediction."""
    if len(predicted) != len(truth):
        raise InputError(
            f"{len(predicted)} predictions for {len(truth)} texts; give one each, None if unscored"
        )
    return [None if p is None else text_f1(p, t) for p, t in zip(predicted, truth, strict=True)]
