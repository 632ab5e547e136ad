"""The embedded detector: a gate, then a small encoder with a label head and a span head, and n-grams.

Text is read in its normalised view, sentence by sentence and in windows that hold all of it;
findings lie in the original. See docs/detect.md and the model's card.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import copy
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np

from unbarb.detect.arrays import read_arrays
from unbarb.detect.doubt import STRANGE, doubt, doubted, foreign
from unbarb.detect.gate import ALARM, TOXICITY, Gate
from unbarb.detect.ngrams import NGRAMS, Ngrams
from unbarb.detect.normalize import Normalized, normalize
from unbarb.detect.reading import Reading, read
from unbarb.detect.trunk import Crew, Embeddings, FloatArray, Trunk, pooled, sigmoid
from unbarb.detect.wordpiece import Window, WordPiece, windows, words_of
from unbarb.errors import ModelError
from unbarb.language import language
from unbarb.segment import sentences
from unbarb.text import LABELS, Analysis, Finding, Word

HOME = Path(__file__).parent.parent / "models" / "embedded-en"
WORD_SHARE = 0.5
"""A word is found when it is at least this share as toxic as the text's most toxic word."""
NOTHING = -20.0
"""The label logits of a text without words."""
SPECIFIC = ("identity_attack", "threat", "insult", "obscene")


class Embedded:
    """Detector of the six labels and of toxic words, in English; runs anywhere, loads no torch.

    Args:
        folder: another model in the same layout; default the one in the package.
        gate: settle the clearly clean without the encoder.
        threads: windows read side by side.
        ngrams: in place of the folder's; for training.

    Raises:
        ModelError: model files are missing or damaged.
    """

    name = "embedded"
    labels = frozenset(LABELS)

    def __init__(
        self, folder: Path = HOME, *, gate: bool = True, threads: int = 1, ngrams: Ngrams | None = None
    ) -> None:
        card = read_card(folder)
        thresholds = card["thresholds"]
        self.digest = card_digest(folder)
        self._word_floor = float(thresholds["word"])
        self._text_floor = float(thresholds["text"])
        self._wordpiece = WordPiece(folder / "tokenizer.json")
        self._gate = Gate(folder / "gate.npz") if gate else None
        self._trunk = Trunk(folder / "detector.onnx", Embeddings(folder))
        self._crew = Crew(threads)
        heads = read_arrays(folder / "detector-heads.npz", "labels", "labels_bias", "spans", "spans_bias")
        self._labels, self._labels_bias, self._spans, self._spans_bias = (
            head.astype(np.float32) for head in heads
        )
        self.ngrams = ngrams or (Ngrams.load(folder) if NGRAMS in card.get("files", {}) else Ngrams(None))

    @cached_property
    def ungated(self) -> Embedded:
        """The same detector without its gate, for verifying; it shares all that is loaded."""
        twin = copy(self)
        twin._gate = None
        return twin

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text; `context` is not read by this model."""
        views = [normalize(text) for text in texts]
        settled = self._settle(views)
        unsure = [at for at, scores in enumerate(settled) if scores is None]
        readings = read([views[at] for at in unsure], self._wordpiece)
        found = dict(zip(unsure, zip(readings, self._encode(readings), strict=True), strict=True))
        analyses = []
        for at, text in enumerate(texts):
            scores = settled[at]
            analyses.append(
                self._analysis(text, *found[at]) if scores is None else self._clean(text, scores)
            )
        return analyses

    def _settle(self, views: Sequence[Normalized]) -> list[FloatArray | None]:
        """The gate's scores where it is sure, None where the encoder must read.

        Never settled is a text that was obfuscated or that alarms the n-grams, nor one with a sentence that
        by itself may be toxic.
        """
        if self._gate is None:
            return [None] * len(views)
        gate = self._gate
        scores = self._gated(gate, [view.text for view in views])
        sure = gate.settles(scores) & np.array([not view.changed for view in views], bool)
        grams = np.zeros_like(scores)
        grams[sure] = self.ngrams.of([view.text for view, clean in zip(views, sure, strict=True) if clean])
        sure &= gate.calm(grams)
        sure[self._with_alarms(gate, views, np.flatnonzero(sure).tolist())] = False
        return [
            row if clean else None
            for row, clean in zip(gate.shrunk(scores, grams), sure.tolist(), strict=True)
        ]

    def _with_alarms(self, gate: Gate, views: Sequence[Normalized], settled: Sequence[int]) -> list[int]:
        """Those of the texts `settled` that have a sentence which by itself may be toxic."""
        parts = [(at, part) for at in settled for part in _parts(views[at].text)]
        scores = self._gated(gate, [part for _, part in parts])
        loud = np.flatnonzero(scores[:, TOXICITY] >= ALARM).tolist()
        alarmed = gate.alarmed(scores[loud], self.ngrams.of([parts[at][1] for at in loud]))
        return [parts[at][0] for at, alarm in zip(loud, alarmed.tolist(), strict=True) if alarm]

    def _gated(self, gate: Gate, texts: Sequence[str]) -> FloatArray:
        """The gate's scores of normalised texts, (texts, labels), doubted as the encoder's are."""
        scores = gate.scores(self._wordpiece.ids(texts))
        for at in np.flatnonzero(~gate.settles(scores)).tolist():
            if foreign([word.of(texts[at]) for word in words_of(texts[at])]):
                scores[at] = doubted(scores[at], 0, STRANGE)
        return scores

    def logits(self, texts: Sequence[str]) -> FloatArray:
        """The sums that label scores are made of, shape (texts, 6); what training calibrates."""
        return np.stack(
            [logits for logits, _ in self._encode(read([*map(normalize, texts)], self._wordpiece))]
        )

    def _encode(self, readings: Sequence[Reading]) -> list[tuple[FloatArray, FloatArray]]:
        """Label logits (6,) and word toxicity (words,) of each text.

        A sentence in which a toxic word is heard is read by itself too: much harmless text around an insult
        does not hide it. It is doubted as the whole text is.
        """
        found = []
        heard: list[tuple[int, Reading]] = []
        grams = [self.ngrams.logits(reading.read) for reading in readings]
        for at, (logits, words) in enumerate(self._heads_of(readings)):
            reading = readings[at]
            fallen = logits - doubt(len(reading.words), reading.strangeness)
            found.append((np.asarray(fallen + grams[at], np.float32), words))
            heard += [(at, sentence) for sentence in reading.heard(words)]
        alone = self._heads_of([sentence for _, sentence in heard]) if heard else []
        for (at, sentence), (logits, _) in zip(heard, alone, strict=True):
            fallen = logits - doubt(len(readings[at].words), sentence.strangeness)
            own = fallen + self.ngrams.alone(grams[at], sentence.read)
            np.maximum(found[at][0], own, out=found[at][0])
        return found

    def _heads_of(self, readings: Sequence[Reading]) -> list[tuple[FloatArray, FloatArray]]:
        """What the heads say of each text, the most in any of its windows."""
        longest = self._trunk.places
        cuts = [windows(reading.pieces, reading.breaks, longest) for reading in readings]
        flat = [window for cut in cuts for window in cut]
        # The longest first: no thread waits for a last long one.
        order = sorted(range(len(flat)), key=lambda at: -len(flat[at].ids))
        answers = dict(zip(order, self._crew.run(self._heads, [flat[at] for at in order]), strict=True))
        each = (answers[at] for at in range(len(flat)))
        found = []
        for reading, cut in zip(readings, cuts, strict=True):
            logits = np.full(len(LABELS), NOTHING, np.float32)
            words = np.zeros(len(reading.words), np.float32)
            for window in cut:
                labels, toxicity = next(each)
                np.maximum(logits, labels, out=logits)
                words[window.words] = np.maximum(words[window.words], toxicity)
            found.append((logits, words))
        return found

    def _heads(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Label logits (6,) of one window, and the toxicity of the words that begin in it."""
        if len(window.ids) == 2:  # a text without words: [CLS] and [SEP] alone
            return np.full(len(LABELS), NOTHING, np.float32), np.zeros(0, np.float32)
        hidden = self._trunk(window.ids)
        labels = pooled(hidden) @ self._labels + self._labels_bias
        return labels, sigmoid(hidden[window.first] @ self._spans + self._spans_bias)[:, 0]

    def _clean(self, text: str, scores: FloatArray) -> Analysis:
        models = {self.name: self.digest}
        return Analysis(text, _named(scores), language=language(text), models=models, settled=True)

    def _analysis(self, text: str, reading: Reading, encoded: tuple[FloatArray, FloatArray]) -> Analysis:
        logits, toxicity = encoded
        words = tuple(
            Word(span.start, span.end, round(value, 4))
            for span, value in zip(reading.original, toxicity.tolist(), strict=True)
        )
        named = _named(self.ngrams.scores(logits))
        findings = self._findings(text, words, named) if named["toxicity"] >= self._text_floor else ()
        return Analysis(
            text, named, findings, words, language=language(text), models={self.name: self.digest}
        )

    def _findings(self, text: str, words: Sequence[Word], scores: dict[str, float]) -> tuple[Finding, ...]:
        """Runs of toxic words as spans, labelled with the text's strongest specific label."""
        label = max(SPECIFIC, key=lambda name: scores[name])
        if scores[label] < 0.5:
            label = "toxicity"
        runs: list[list[Word]] = []
        floor = max(self._word_floor, WORD_SHARE * max((word.toxicity for word in words), default=0.0))
        for word in words:
            if word.toxicity < floor:
                continue
            if runs and not text[runs[-1][-1].end : word.start].strip():
                runs[-1].append(word)
            else:
                runs.append([word])
        return tuple(
            Finding(label, run[0].start, run[-1].end, max(w.toxicity for w in run), self.name,
                    f"word head; the text's {label} is {scores[label]:.2f}")
            for run in runs
        )  # fmt: skip


def _named(scores: FloatArray) -> dict[str, float]:
    return {label: round(float(score), 4) for label, score in zip(LABELS, scores, strict=True)}


def _parts(text: str) -> list[str]:
    """The sentences of a text of several; [] of any other."""
    spans = sentences(text)
    return [span.of(text) for span in spans] if len(spans) > 1 else []


def read_card(folder: Path) -> dict[str, dict[str, float]]:
    """The model's card.

    Raises:
        ModelError: there is none, or it is no JSON object.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: no readable card.json ({error}); reinstall unbarb or name a model folder"
        ) from error
    thresholds = card.get("thresholds") if isinstance(card, dict) else None
    if not isinstance(thresholds, dict) or not {"word", "text"} <= thresholds.keys():
        raise ModelError(
            f"{folder}/card.json is not a model card: it must be an object whose 'thresholds' hold"
            " 'word' and 'text'; reinstall unbarb"
        )
    found: dict[str, dict[str, float]] = card
    return found


def card_digest(folder: Path) -> str:
    """Digest of all that decides what the model does: its card, which holds the digests of its files.

    The card's figures are left out: measuring a model does not change it.
    """
    card = {key: value for key, value in read_card(folder).items() if key != "figures"}
    content = json.dumps(card, sort_keys=True, ensure_ascii=False)
    return "sha256:" + sha256(content.encode()).hexdigest()
