"""How the detection trunk learns: from all corpora first, then twice from shares of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.detect.wordpiece import WordPiece
from unbarb.text import LABELS
from unbarb.train.batches import Row
from unbarb.train.detector import Detector, learn_on, train_detector
from unbarb.train.loop import Report
from unbarb.train.mixture import drawn, encode, respelt, rows_of, written_sentences
from unbarb.train.recipe import DetectorPart, FocusPart
from unbarb.train.soup import go_on


def train_in_phases(
    texts: Sequence[Labelled],
    wordpiece: WordPiece,
    base: Path,
    part: DetectorPart,
    folder: Path,
    told: Callable[[str], Report],
) -> Detector:
    """Train on all of `texts`, then on what `part` focuses on and on what polishes it; all keep epochs
    and losses in `folder`.

    A later phase begins anew for each of its seeds; see :func:`go_on`.

    Args:
        texts: what to learn from.
        wordpiece: the base model's.
        base: the base model's folder.
        part: the recipe's.
        folder: for what a killed run goes on from.
        told: gives, by the name of a phase, what is told of its progress.
    """
    encoded = encode(texts, wordpiece, part.window)

    def rows(phase: DetectorPart | FocusPart, first: int) -> Callable[[int], Sequence[Row]]:
        shares = phase.shares if isinstance(phase, FocusPart) else {}

        def of(epoch: int) -> Sequence[Row]:
            draw = first + epoch
            written = written_sentences(phase.behaviours, draw) + respelt(texts, phase.respelt, draw)
            read = [*drawn(encoded, shares, draw), *encode(written, wordpiece)]
            return rows_of(read, part.weights, draw, part.seed, part.plant, part.habits, part.window)

        return of

    def learn_phase(phase: str, later: FocusPart) -> None:
        pace = replace(
            part,
            epochs=later.epochs,
            learning_rate=later.learning_rate,
            head_learning_rate=later.head_learning_rate,
        )

        def learn(seed: int) -> None:
            own = folder / f"{phase}-{seed}"
            own.mkdir(exist_ok=True)
            number = later.seeds.index(seed) + 1
            telling = told(f"{name}, {phase} {number} of {len(later.seeds)}")
            learn_on(model, rows(later, seed), replace(pace, seed=seed), own, telling)

        go_on(model, later.seeds, later.kept, learn)

    name = "detection trunk"
    model = train_detector(rows(part, 0), base, len(LABELS), part, folder, told(name), len(part.habits))
    for phase, later in {"focus": part.focus, "polish": part.polish}.items():
        if later.epochs and later.seeds:
            learn_phase(phase, later)
    return model
