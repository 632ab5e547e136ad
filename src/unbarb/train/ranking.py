"""Candidates of the editing trunk for training pairs, and how near each comes to what people wrote.

From these the proofreading trunk learns which edits go wrong in practice, beside damage done on purpose.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import nn
from transformers import BertModel

from unbarb.data.examples import Pair
from unbarb.detect.trunk import FloatArray, IntArray
from unbarb.rewrite.edit import candidates_of
from unbarb.rewrite.tagger import Tagger
from unbarb.text import Span
from unbarb.train.batches import padded
from unbarb.train.editor import mean_of
from unbarb.train.loop import Report

WIDTH = 48
"""Ways to tag a sentence, among which its candidates are."""
LIKELIEST = 4
"""Of the candidates drawn, so many are the likeliest, the others any."""
BATCH = 128
"""Texts that the base model reads at once."""
MEANING = 0.7
"""How nearness weighs meaning; the rest is the share of pieces in common."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates for one sentence: piece ids, and the nearness of each to the references, 0…1, (n,)."""

    ids: tuple[IntArray, ...]
    nearness: FloatArray


def ranked(
    pairs: Sequence[Pair], tagger: Tagger, base: Path, count: int, longest: int, seed: int,
    progress: Report,
) -> list[Ranked]:  # fmt: skip
    """Up to `count` candidates for each sentence of `pairs`, but for those that have too few to compare.

    Nearness is to all references of the sentence, on average: the cosine of mean states of the model at
    `base`, and the F-measure of pieces. Ids are cut at `longest`.
    """
    rng = np.random.default_rng(seed)
    texts: list[tuple[list[IntArray], list[IntArray]]] = []
    for at, pair in enumerate(pairs, 1):
        found = drawn(list(_candidates(pair.toxic, tagger)), count, rng)
        if len(found) >= LIKELIEST:
            ids, references = (
                [tagger.ids(text)[:longest] for text in some] for some in (found, pair.neutrals)
            )
            texts.append((ids, references))
        progress(at, len(pairs), 0.0)
    model = BertModel.from_pretrained(base, add_pooling_layer=False).eval()
    states = iter(_meanings([ids for both in texts for some in both for ids in some], model))
    results = []
    for candidates, references in texts:
        own, wanted = (np.stack([next(states) for _ in some]) for some in (candidates, references))
        shared = np.array([[overlap(one, other) for other in references] for one in candidates])
        nearness = MEANING * (own @ wanted.T) + (1 - MEANING) * shared
        results.append(Ranked(tuple(candidates), nearness.mean(1).astype(np.float32)))
    return results


def _candidates(text: str, tagger: Tagger) -> Iterator[str]:
    """Rewrites of `text` by its likeliest tags, the likeliest first."""
    drafted = tagger.drafts(text, WIDTH, _not_rude)
    if drafted is not None:
        assembler, drafts = drafted
        for candidate in candidates_of(assembler, drafts.tags, drafts.likelihood):
            yield candidate.text


def _not_rude(places: Sequence[Span]) -> FloatArray:
    return np.zeros(len(places), np.float32)


def drawn(some: Sequence[_T], count: int, rng: np.random.Generator) -> list[_T]:
    """At most `count`: the first few, and of the others any."""
    rest = LIKELIEST + rng.permutation(max(0, len(some) - LIKELIEST))[: max(0, count - LIKELIEST)]
    return [*some[:LIKELIEST], *(some[at] for at in rest.tolist())]


def overlap(one: IntArray, other: IntArray) -> float:
    """The F-measure of two bags of pieces, 0…1; the special ones at both ends do not count."""
    first, second = Counter(one[1:-1].tolist()), Counter(other[1:-1].tolist())
    return 2 * (first & second).total() / max(1, first.total() + second.total())


@torch.inference_mode()
def _meanings(texts: Sequence[IntArray], model: BertModel) -> FloatArray:
    """Unit vectors of the texts' mean states, shape (texts, d)."""
    order = np.argsort([len(ids) for ids in texts], kind="stable")
    found = np.zeros((len(texts), model.config.hidden_size), np.float32)
    for begin in range(0, len(order), BATCH):
        part = order[begin : begin + BATCH]
        batch = padded([texts[at] for at in part.tolist()])
        with torch.autocast("cpu", torch.bfloat16):
            hidden = model(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
        found[part] = nn.functional.normalize(mean_of(hidden.float(), batch.mask), dim=-1).numpy()
    return found


def ranking_groups(some: Sequence[Ranked], pieces: int, seed: int) -> Iterator[list[Ranked]]:
    """Batches of about `pieces` pieces, of candidates of like length, shuffled by `seed`."""
    rng = np.random.default_rng(seed)
    sizes = np.array([max(map(len, one.ids)) * len(one.ids) for one in some])
    lengths = np.array([max(map(len, one.ids)) for one in some]) + rng.uniform(0, 3, len(some))
    groups: list[list[Ranked]] = []
    held = 0
    for at in np.argsort(lengths, kind="stable").tolist():
        if not groups or held + sizes[at] > pieces:
            groups.append([])
            held = 0
        groups[-1].append(some[at])
        held += sizes[at]
    rng.shuffle(groups)
    yield from groups


def redrawn(some: Sequence[Ranked], count: int, seed: int) -> list[Ranked]:
    """Each sentence with at most `count` of its candidates, for an epoch."""
    rng = np.random.default_rng(seed)
    found = []
    for one in some:
        chosen = drawn(range(len(one.ids)), count, rng)
        found.append(Ranked(tuple(one.ids[at] for at in chosen), one.nearness[chosen]))
    return found
