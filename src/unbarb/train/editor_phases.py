"""How the editing trunk learns: from the pairs of the corpora first, then from written ones beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from unbarb.data.examples import Labelled, Pair
from unbarb.data.rewrites import written_pairs
from unbarb.detect.wordpiece import WordPiece
from unbarb.train.batches import Row
from unbarb.train.editor import Editor, TagRow, learn_editor, train_editor
from unbarb.train.loop import Report
from unbarb.train.recipe import EditorPart
from unbarb.train.rewriting import (
    Tagged,
    sentence_rows,
    swapped,
    tag_rows,
    tag_vocabulary,
    tagged_pairs,
    toxic_words,
)
from unbarb.train.soup import go_on

DRAWS = 100
"""Epochs of one seed have draws of written pairs apart from those of the next."""


def train_editor_in_phases(
    pairs: Sequence[Pair],
    others: Sequence[Labelled],
    wordpiece: WordPiece,
    base: Path,
    part: EditorPart,
    folder: Path,
    told: Callable[[str], Report],
) -> tuple[Editor, list[str]]:
    """Train on `pairs` and `others`, then on what polishes it; both keep epochs and losses in `folder`.

    Returns:
        The model and its tags: those met in `pairs`, and behind them what only written pairs need.
    """
    tagged = tagged_pairs(pairs)
    groups = toxic_words(tagged)
    polish = part.polish
    tags = tag_vocabulary(tagged, part.tags_seen)
    if polish.epochs:
        needed = tag_vocabulary(tagged_pairs(written_pairs("train", polish.written, 0)), part.tags_seen)
        tags += [tag for tag in needed if tag not in tags]

    def tag_side(pairs: Tagged, share: float, draw: int) -> list[TagRow]:
        return tag_rows(swapped(pairs, groups, share, draw), tags, wordpiece)

    def sentence_side(pairs: Sequence[Pair], tagged: Tagged, seed: int, epoch: int) -> list[Row]:
        return sentence_rows(
            pairs, tagged, others, tags, wordpiece, seed, epoch, part.pair_share, part.others
        )

    name = "editing trunk"
    model = train_editor(
        lambda epoch: tag_side(tagged, part.swap if epoch else 0.0, epoch),
        lambda epoch: sentence_side(pairs, tagged, part.seed, epoch),
        base, len(tags), part, folder, told(name),
    )  # fmt: skip

    def learn(seed: int) -> None:
        def written(epoch: int) -> tuple[list[Pair], Tagged]:
            drawn = written_pairs("train", polish.written, seed * DRAWS + epoch)
            return drawn, tagged_pairs(drawn)

        def tags_of_both(epoch: int) -> list[TagRow]:
            return tag_side(tagged, part.swap, seed * 10 + epoch) + tag_side(written(epoch)[1], 0.0, 0)

        def sentences(epoch: int) -> list[Row]:
            drawn, drawn_tagged = written(epoch)
            return sentence_side([*pairs, *drawn], tagged + drawn_tagged, seed, epoch)

        pace = replace(
            part, epochs=polish.epochs, learning_rate=polish.learning_rate, averaged=1,
            head_learning_rate=polish.head_learning_rate, seed=seed,
        )  # fmt: skip
        own = folder / f"polish-{seed}"
        own.mkdir(exist_ok=True)
        number = polish.seeds.index(seed) + 1
        telling = told(f"{name}, polish {number} of {len(polish.seeds)}")
        learn_editor(model, tags_of_both, sentences, base, pace, own, telling)

    if polish.epochs and polish.seeds:
        go_on(model, polish.seeds, polish.kept, learn)
    return model, tags
