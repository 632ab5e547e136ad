"""Chooses thresholds on held-out texts: of the policy, of toxic words, and of the gate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.embedded import WORD_SHARE
from unbarb.errors import InputError
from unbarb.metrics.span_f1 import per_text
from unbarb.text import Analysis, Span

FEW = 50
"""Findings of a kind under which nothing can be said of a share of them."""

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LEAST, MOST = 0.5, 0.95
"""Bounds of the policy's thresholds: what is called toxic is more likely so than not."""
UNMARKED = 0.2
"""How much the texts without a marked word weigh when the word threshold is chosen: their share among
the test posts of SemEval-2021 task 5 (394 of 2,000). Among those to learn from they are fewer."""
ALIKE = 0.003
"""F1s of word thresholds that differ by less say nothing: on dev the curve is flat for a long way."""


def at_false_alarms(
    clean: FloatArray, toxic: FloatArray, rate: float, begin: FloatArray | None = None
) -> FloatArray:
    """One threshold per label, so that all labels together alarm on at most `rate` of the clean texts.

    All begin at `LEAST`, or as `begin` says, shape (labels,). Then the clean text whose silence costs the
    fewest toxic texts is silenced: every threshold rises above its scores, at most to `MOST`; and so on
    until few enough are left.

    Args:
        clean: probabilities of clean texts, shape (texts, labels).
        toxic: the same of toxic texts.

    Returns:
        Thresholds in steps of .01, shape (labels,).

    Raises:
        InputError: there is no clean text.
    """
    if not len(clean):
        raise InputError("no clean text among those held out: thresholds need some")
    cut = np.full(clean.shape[1], LEAST) if begin is None else begin
    while (alarms := (clean >= cut).any(axis=1)).mean() > rate:
        above = np.minimum(np.ceil((clean[alarms] + 1e-6) * 100) / 100, MOST)
        tries = np.maximum(cut, above)
        tries = tries[(tries > cut).any(axis=1)]
        if not len(tries):
            break
        found = [int((toxic >= one).any(axis=1).sum()) for one in tries]
        cut = tries[int(np.argmax(found))]
    return cut.round(2)


def word_threshold(
    analyses: Sequence[Analysis], truth: Sequence[Sequence[Span]], text_floor: float
) -> tuple[float, float]:
    """The lowest word threshold whose character F1 (SemEval-2021 task 5) is as good as any, and that F1.

    F1s are alike that differ by no more than `ALIKE`: rather a toxic word too many is told than one too
    few. Texts without a marked word weigh `UNMARKED` in it, those with one the rest, whatever their
    numbers.
    """
    gold = [{at for span in spans for at in range(span.start, span.end)} for spans in truth]
    thresholds = np.arange(0.04, 0.9, 0.02).round(2).tolist()
    values = [
        _balanced_f1([covered(analysis, threshold, text_floor) for analysis in analyses], gold)
        for threshold in thresholds
    ]
    lowest = next(at for at, value in enumerate(values) if value >= max(values) - ALIKE)
    return thresholds[lowest], values[lowest]


def _balanced_f1(found: Sequence[set[int]], gold: Sequence[set[int]]) -> float:
    values = np.array(per_text(found, gold), float)
    marked = np.array([bool(spans) for spans in gold])
    if marked.all() or not marked.any():
        return float(values.mean())
    return float((1 - UNMARKED) * values[marked].mean() + UNMARKED * values[~marked].mean())


def covered(analysis: Analysis, threshold: float, text_floor: float) -> set[int]:
    """Characters of the toxic words, and of the white space between neighbours among them."""
    if analysis.scores.get("toxicity", 0.0) < text_floor:
        return set()
    found: set[int] = set()
    last: int | None = None
    threshold = max(threshold, WORD_SHARE * max((word.toxicity for word in analysis.words), default=0.0))
    for word in analysis.words:
        if word.toxicity < threshold:
            last = None
            continue
        found.update(range(word.start if last is None else last, word.end))
        last = word.end
    return found


def gate_floor(
    gate: FloatArray, found: BoolArray, lost: float, kinds: Sequence[str] = (), lost_of_kind: float = 0.02
) -> float:
    """The highest floor that settles at most a share `lost` of the texts the encoder finds.

    Args:
        gate: the gate's score of each text, shape (texts,).
        found: which texts the encoder finds, shape (texts,).
        kinds: what each text is of; of each kind with `FEW` findings or more, at most `lost_of_kind`.
    """
    if not found.any():
        raise InputError("the encoder finds nothing among the texts held out: the gate needs some")
    floors = [_floor(gate[found], lost)]
    of = np.array(kinds, dtype=object)
    for kind in sorted(set(kinds)):
        among = found & (of == kind)
        if among.sum() >= FEW:
            floors.append(_floor(gate[among], lost_of_kind))
    return min(floors)


def _floor(scores: FloatArray, lost: float) -> float:
    return float(np.sort(scores)[min(int(lost * len(scores)), len(scores) - 1)])
