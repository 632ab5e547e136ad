"""Chooses a model folder's thresholds on held-out text, and measures the gate against the encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unbarb.data.examples import Labelled
from unbarb.data.lists import lookalikes
from unbarb.detect.embedded import Embedded
from unbarb.detect.gate import Gate, swayed
from unbarb.detect.normalize import normalize
from unbarb.detect.wordpiece import WordPiece
from unbarb.text import LABELS, Analysis
from unbarb.train.gate import refloor
from unbarb.train.thresholds import at_false_alarms, gate_floor, word_threshold

TEXT_FLOOR = 0.05
"""Findings are told of texts at least this toxic; below it, single words say too little."""

GATE_SOURCES = ("wiki_natural", "civil", "jigsaw", "davidson", "paradetox", "behaviours")
TALK = ("wiki_natural", "jigsaw", "davidson", "paradetox")
"""Corpora of comments and posts that people called toxic, or not."""
CALIBRATION = (*TALK, "behaviours")
"""Corpora that say what a probability is."""
NATURAL = "wiki_natural"
"""The corpus whose comments came at the rate they have on a talk page."""
CHUNK = 256
TINY = 1e-5


def analysed(detector: Embedded, texts: Sequence[str]) -> list[Analysis]:
    """Every text's analysis, a chunk at a time so that memory stays flat."""
    found: list[Analysis] = []
    for start in range(0, len(texts), CHUNK):
        found += detector.detect(texts[start : start + CHUNK])
    return found


def thresholds_of(folder: Path, held_out: Sequence[Labelled], rate: float) -> dict[str, Any]:
    """The policy's and the word head's thresholds, with what they were chosen on.

    The policy's let all labels together alarm on at most `rate` of the clean comments of Wikipedia's
    talk pages, and of what only looks like a rude word, and lose as little as they can. The word head's
    has the best character F1 on the texts of SemEval-2021 task 5 and those of Civil Comments with no
    stretch that its annotators agreed on, for the test posts of that task hold more such texts than those
    to learn from.
    """
    detector = Embedded(folder, gate=False)
    clean = [one for one in held_out if one.source == NATURAL and one.labels["toxicity"] < 0.5]
    toxic = [one for one in held_out if one.source in TALK and one.labels["toxicity"] >= 0.5]
    scores, found, alike = (
        encoder_scores(detector, texts).astype(np.float64)
        for texts in ([one.text for one in clean], [one.text for one in toxic], lookalikes("tune"))
    )
    cut = at_false_alarms(scores, found, rate)
    cut = at_false_alarms(alike, found, rate, cut)
    policy = dict(zip(LABELS, cut.tolist(), strict=True))
    marked = [one for one in held_out if one.source == "toxic_spans" and one.spans is not None]
    known = {one.text for one in marked}
    marked += [one for one in held_out if one.source == "civil" and not one.spans and one.text not in known]
    word, f1 = word_threshold(
        analysed(detector, [one.text for one in marked]),
        [example.spans or () for example in marked],
        TEXT_FLOOR,
    )
    return {
        "policy": policy,
        "policy_clean_texts": len(clean),
        "policy_toxic_texts": len(toxic),
        "false_alarms": rate,
        "word": word,
        "word_f1": round(f1, 4),
        "word_texts": len(marked),
        "text": TEXT_FLOOR,
    }


def encoder_scores(detector: Embedded, texts: Sequence[str]) -> NDArray[np.float32]:
    """The six scores of every text, shape (texts, labels)."""
    rows: list[list[float]] = []
    for start in range(0, len(texts), CHUNK):
        found = detector.detect(texts[start : start + CHUNK])
        rows += ([analysis.scores[label] for label in LABELS] for analysis in found)
    return np.array(rows, np.float32)


def set_gate_floor(
    folder: Path, held_out: Sequence[Labelled], ceilings: Mapping[str, float], lost: float
) -> float:
    """Set the gate's floors so that it costs at most `lost` of what the encoder rightly finds.

    A text is found when a label reaches its ceiling, the score from which the policy would act; one that
    people call clean is no loss. The shrinkage is the geometric mean of the encoder's scores of what is
    settled, over the gate's.

    Returns:
        The floors as a share of the ceilings.
    """
    texts = [example for example in held_out if example.source in GATE_SOURCES]
    limits = np.array([ceilings.get(label, np.inf) for label in LABELS])
    detector = Embedded(folder, gate=False)
    encoder = encoder_scores(detector, [example.text for example in texts])
    clean = np.array([example.labels.get("toxicity", 1.0) < 0.5 for example in texts])
    found = (encoder >= limits).any(axis=1) & ~clean
    views = [normalize(example.text) for example in texts]
    ids = WordPiece(folder / "tokenizer.json").ids([view.text for view in views])
    reader = Gate(folder / "gate.npz")
    gate = reader.scores(ids)
    grams = detector.ngrams.of([view.text for view in views])
    shares = (gate / limits).max(axis=1).astype(np.float64)
    # The gate never settles what was disguised, nor what alarms the n-grams.
    asked = np.array([not view.changed for view in views]) & reader.calm(grams)
    kinds = [example.group if example.source == "behaviours" else example.source for example in texts]
    chosen = gate_floor(shares, found & asked, lost, kinds)
    settled = asked & (shares < chosen)
    ratios = np.log(encoder[settled] + TINY) - np.log(swayed(gate, grams)[settled] + TINY)
    shrinkage = np.exp(ratios.mean(axis=0)) if len(ratios) else np.ones(len(LABELS), np.float32)
    refloor(folder / "gate.npz", (chosen * limits).astype(np.float32), shrinkage)
    return chosen
