"""From labelled examples to rows for the detection trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from unbarb.data.behaviours import sentences as behaviour_sentences
from unbarb.data.behaviours.spell import VARIANTS
from unbarb.data.examples import Labelled
from unbarb.detect.normalize import normalize
from unbarb.detect.reading import breaks_of
from unbarb.detect.wordpiece import MAX_PIECES, Window, WordPiece, windows, words_of
from unbarb.segment import sentences
from unbarb.text import LABELS, Span
from unbarb.train.batches import Row

SHORT = 24
"""Words of the longest sentence that is spelt in another way."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text cut into windows, with its targets: labels (6,) and word toxicity (words,)."""

    windows: tuple[Window, ...]
    labels: NDArray[np.float32]
    words: NDArray[np.float32]
    source: str


def encode(
    examples: Sequence[Labelled], wordpiece: WordPiece, window: int = MAX_PIECES, chunk: int = 1024
) -> list[Encoded]:
    """Tokenize and align targets, `chunk` texts at a time; texts without a word are left out."""
    found: list[Encoded] = []
    for start in range(0, len(examples), chunk):
        found += _encode(examples[start : start + chunk], wordpiece, window)
    return found


def _encode(examples: Sequence[Labelled], wordpiece: WordPiece, window: int) -> list[Encoded]:
    views = [normalize(example.text) for example in examples]
    spans = [words_of(view.text) for view in views]
    pieces = wordpiece.encode(
        [[span.of(view.text) for span in words] for view, words in zip(views, spans, strict=True)]
    )
    found = []
    for example, view, words, piece in zip(examples, views, spans, pieces, strict=True):
        if not len(piece.ids):
            continue
        original = [view.span(word.start, word.end) for word in words]
        cuts = windows(piece, breaks_of(view.text, words), window)
        found.append(
            Encoded(tuple(cuts), label_targets(example), word_targets(example, original), example.source)
        )
    return found


def label_targets(example: Labelled) -> NDArray[np.float32]:
    return np.array([example.labels.get(label, np.nan) for label in LABELS], np.float32)


def word_targets(example: Labelled, words: Sequence[Span]) -> NDArray[np.float32]:
    """1 for a word of which at least half lies in the marked spans; NaN where nobody marked."""
    if example.spans is None:
        clean = example.labels.get("toxicity") == 0 and example.labels.get("obscene", 0) == 0
        return np.full(len(words), 0.0 if clean else np.nan, np.float32)
    marked = np.zeros(len(example.text) + 1, np.int64)
    for span in example.spans:
        marked[span.start : span.end] = 1
    total = np.concatenate(([0], np.cumsum(marked)))
    shares = [(total[w.end] - total[w.start]) / max(1, w.end - w.start) for w in words]
    return (np.array(shares) >= 0.5).astype(np.float32)


def rows_of(
    encoded: Sequence[Encoded], weights: Mapping[str, float], epoch: int, seed: int, plant: float,
    habits: Sequence[str] = (), window: int = MAX_PIECES,
) -> list[Row]:  # fmt: skip
    """One row per text: its only window, or one drawn anew each epoch.

    Of a toxic text the window with most marked words is taken, or the first. A share `plant` of
    the toxic short texts is set into a clean one, so that an insult is found wherever it stands.
    `habits` names the corpora that were labelled by rules of their own.
    """
    habit_of = {name: at for at, name in enumerate(habits, 1)}
    rng = np.random.default_rng((seed, epoch))
    rows = []
    clean = [item for item in encoded if item.labels[0] == 0 and len(item.windows[0].ids) > 30]
    for item in encoded:
        habit = habit_of.get(item.source, 0)
        row = _row(item, _choose(item, rng), weights.get(item.source, 1.0), habit)
        if item.labels[0] >= 0.5 and len(row.ids) < 40 and clean and rng.random() < plant:
            row = _plant(row, clean[int(rng.integers(len(clean)))], rng, window)
        rows.append(row)
    return rows


def drawn(encoded: Sequence[Encoded], shares: Mapping[str, float], seed: int) -> list[Encoded]:
    """Of each corpus in `shares` about that share of its texts, 0…1; of the others all."""
    rng = Random(seed)
    return [item for item in encoded if rng.random() < shares.get(item.source, 1.0)]


def _choose(item: Encoded, rng: np.random.Generator) -> Window:
    if len(item.windows) == 1:
        return item.windows[0]
    if item.labels[0] == 0:
        return item.windows[int(rng.integers(len(item.windows)))]
    marked = [np.nansum(item.words[window.words]) for window in item.windows]
    return item.windows[int(np.argmax(marked))]


def _row(item: Encoded, window: Window, weight: float, habit: int) -> Row:
    words = np.full(len(window.ids), np.nan, np.float32)
    words[window.first] = item.words[window.words]
    return Row(window.ids, item.labels, words, weight, habit)


def _plant(row: Row, host: Encoded, rng: np.random.Generator, longest: int) -> Row:
    window = host.windows[0]
    room = longest - len(row.ids)
    body = window.ids[1:-1][:room]
    at = int(rng.choice(np.append(window.first - 1, len(body)))) if len(body) else 0
    at = min(at, len(body))
    clean = np.full(len(body), np.nan, np.float32)
    inside = window.first[window.first - 1 < len(body)] - 1
    clean[inside] = 0.0
    ids = np.concatenate((row.ids[:1], body[:at], row.ids[1:-1], body[at:], row.ids[-1:]))
    words = np.concatenate(([np.nan], clean[:at], row.words[1:-1], clean[at:], [np.nan]))
    return Row(ids, row.labels, words.astype(np.float32), row.weight, row.habit)


def respelt(examples: Sequence[Labelled], count: int, seed: int) -> list[Labelled]:
    """`count` clean sentences spelt as people do to slip past a filter, or because they type fast.

    Else only insults would be spelt so, and every odd token would look like one.
    """
    rng = Random(seed)
    clean = [one for one in examples if one.labels.get("toxicity") == 0]
    found = []
    for example in rng.sample(clean, min(count, len(clean))):
        first = sentences(example.text)[0].of(example.text)
        text = rng.choice(list(VARIANTS.values()))(" ".join(first.split()[:SHORT]), rng)
        found.append(Labelled(text, example.labels, None, example.source, example.group))
    return found


def written_sentences(each: int, draw: int) -> list[Labelled]:
    """So many sentences of each behaviour, by the patterns to learn from; each `draw` gives others."""
    return [one.labelled() for one in behaviour_sentences("train", each, draw)]
