"""The embedded detector: a gate, then a small encoder with a label head and a span head.

Text is read in its normalised view, sentence by sentence and in windows that hold all of it;
findings lie in the original. See docs/detect.md and the model's card.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.gate import Gate
from unbarb.detect.normalize import Normalized, normalize
from unbarb.detect.trunk import Crew, Embeddings, FloatArray, Trunk, pooled, sigmoid
from unbarb.detect.wordpiece import Pieces, Window, WordPiece, windows, words_of
from unbarb.errors import ModelError
from unbarb.segment import language, sentences
from unbarb.text import LABELS, Analysis, Finding, Span, Word

HOME = Path(__file__).parent.parent / "models" / "embedded-en"
LANGUAGES = frozenset({"en"})
SPECIFIC = ("identity_attack", "threat", "insult", "obscene")


@dataclass(frozen=True, slots=True)
class _Reading:
    """One text, cut: its normalised view, words, pieces and the words that begin a sentence."""

    view: Normalized
    words: list[Span]
    pieces: Pieces
    breaks: NDArray[np.int64]


class Embedded:
    """Detector of the six labels and of toxic words, in English; runs anywhere, loads no torch.

    Args:
        folder: another model in the same layout; default the one in the package.
        gate: settle the clearly clean without the encoder.
        threads: windows read side by side.

    Raises:
        ModelError: model files are missing or damaged.
    """

    name = "embedded"
    labels = frozenset(LABELS)

    def __init__(self, folder: Path = HOME, *, gate: bool = True, threads: int = 1) -> None:
        card = read_card(folder)
        self.digest = card_digest(folder)
        self._word_floor = float(card["thresholds"]["word"])
        self._text_floor = float(card["thresholds"]["text"])
        self._wordpiece = WordPiece(folder / "tokenizer.json")
        self._gate = Gate(folder / "gate.npz") if gate else None
        self._trunk = Trunk(folder / "detector.onnx", Embeddings(folder))
        self._crew = Crew(threads)
        with np.load(folder / "detector-heads.npz", allow_pickle=False) as heads:
            self._labels: FloatArray = heads["labels"].astype(np.float32)
            self._labels_bias: FloatArray = heads["labels_bias"]
            self._spans: FloatArray = heads["spans"].astype(np.float32)
            self._spans_bias: FloatArray = heads["spans_bias"]

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text; `context` is not read by this model."""
        readings = self._read(texts)
        settled = self._settle(readings) if self._gate else [None] * len(texts)
        open_ = [index for index, scores in enumerate(settled) if scores is None]
        encoded = self._encode([readings[index] for index in open_])
        found: dict[int, tuple[FloatArray, FloatArray]] = dict(zip(open_, encoded, strict=True))
        return [
            self._analysis(text, reading, found.get(index), settled[index])
            for index, (text, reading) in enumerate(zip(texts, readings, strict=True))
        ]

    def _read(self, texts: Sequence[str]) -> list[_Reading]:
        views = [normalize(text) for text in texts]
        spans = [words_of(view.text) for view in views]
        pieces = self._wordpiece.encode(
            [[view.text[s.start : s.end] for s in words] for view, words in zip(views, spans, strict=True)]
        )
        return [
            _Reading(view, words, piece, _breaks(view.text, words))
            for view, words, piece in zip(views, spans, pieces, strict=True)
        ]

    def _settle(self, readings: Sequence[_Reading]) -> list[FloatArray | None]:
        """The gate's scores where it is sure, None where the encoder must read."""
        gate = self._gate
        if gate is None:
            return [None] * len(readings)
        owners: list[int] = []
        parts: list[NDArray[np.int64]] = []
        for index, reading in enumerate(readings):
            for part in np.split(reading.pieces.ids, _piece_breaks(reading)):
                if len(part):
                    owners.append(index)
                    parts.append(part)
        top = np.zeros((len(readings), len(LABELS)), np.float32)
        if parts:
            np.maximum.at(top, np.array(owners), gate.scores(parts))
        sure = top.max(1) < gate.floor
        return [
            top[index] if sure[index] and not reading.view.changed else None
            for index, reading in enumerate(readings)
        ]

    def _encode(self, readings: Sequence[_Reading]) -> list[tuple[FloatArray, FloatArray]]:
        """Label scores (6,) and word toxicity (words,) of each text: the highest of its windows."""
        cuts = [windows(reading.pieces, reading.breaks.tolist()) for reading in readings]
        hidden = iter(self._crew.run(self._trunk, [window.ids for cut in cuts for window in cut]))
        found = []
        for reading, cut in zip(readings, cuts, strict=True):
            scores = np.zeros(len(LABELS), np.float32)
            words = np.zeros(len(reading.words), np.float32)
            for window in cut:
                self._heads(window, next(hidden), scores, words)
            found.append((scores, words))
        return found

    def _heads(self, window: Window, hidden: FloatArray, scores: FloatArray, words: FloatArray) -> None:
        if not len(window.words):
            return
        np.maximum(scores, sigmoid(pooled(hidden) @ self._labels + self._labels_bias), out=scores)
        toxicity = sigmoid(hidden[window.first] @ self._spans + self._spans_bias)[:, 0]
        words[window.words] = np.maximum(words[window.words], toxicity)

    def _analysis(
        self, text: str, reading: _Reading, encoded: tuple[FloatArray, FloatArray] | None,
        settled: FloatArray | None,
    ) -> Analysis:  # fmt: skip
        tongue = language(text)
        if encoded is None:
            scores = settled if settled is not None else np.zeros(len(LABELS), np.float32)
            return Analysis(text, _named(scores), language=tongue, models={self.name: self.digest})
        scores, toxicity = encoded
        words = tuple(
            Word(span.start, span.end, round(float(value), 4))
            for span, value in zip(_original(reading), toxicity, strict=True)
        )
        named = _named(scores)
        findings = self._findings(text, words, named) if named["toxicity"] >= self._text_floor else ()
        return Analysis(text, named, findings, words, language=tongue, models={self.name: self.digest})

    def _findings(self, text: str, words: Sequence[Word], scores: dict[str, float]) -> tuple[Finding, ...]:
        """Runs of toxic words as spans, labelled with the text's strongest specific label."""
        label = max(SPECIFIC, key=lambda name: scores[name])
        if scores[label] < 0.5:
            label = "toxicity"
        runs: list[list[Word]] = []
        for word in words:
            if word.toxicity < self._word_floor:
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


def _breaks(text: str, words: Sequence[Span]) -> NDArray[np.int64]:
    starts = [span.start for span in sentences(text)]
    if len(starts) < 2:
        return np.zeros(1, np.int64)
    return np.unique(np.searchsorted([word.start for word in words], starts))


def _piece_breaks(reading: _Reading) -> NDArray[np.int64]:
    if len(reading.breaks) < 2:
        return np.empty(0, np.int64)
    return np.searchsorted(reading.pieces.owner, reading.breaks[1:], side="left")


def _original(reading: _Reading) -> list[Span]:
    return [reading.view.span(word.start, word.end) for word in reading.words]


def read_card(folder: Path) -> dict[str, dict[str, float]]:
    """The model's card.

    Raises:
        ModelError: there is none, or it is no JSON object.
    """
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: no readable card.json ({error}); reinstall unbarb or name a model folder") from error
    if not isinstance(card, dict) or "thresholds" not in card:
        raise ModelError(f"{folder}/card.json is not a model card: it must be an object with 'thresholds'")
    return card


def card_digest(folder: Path) -> str:
    """Digest of the card, which holds the digests of all the model's files."""
    return "sha256:" + sha256((folder / "card.json").read_bytes()).hexdigest()
