"""What the proofreader learns from candidates: the nearer to what people wrote, the likelier."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from unbarb.data.examples import Pair
from unbarb.rewrite.tagger import Tagger
from unbarb.train.batches import padded
from unbarb.train.proofreader import ProofreaderSettings, ranking_loss, train_proofreader
from unbarb.train.ranking import LIKELIEST, Ranked, drawn, overlap, ranked, ranking_groups, redrawn

SOURCES = ("you are a stupid idiot", "that is a dumb plan and you know it", "what a pathetic fucking day")
PAIRS = [
    Pair(SOURCES[0], ("you are a person",), "toy", "a"),
    Pair(SOURCES[1], ("that is a plan and you know it", "that is a bad plan"), "toy", "b"),
    Pair(SOURCES[2], ("what a day",), "toy", "c"),
]


@pytest.fixture(scope="module")
def tagger(tiny_model: Path) -> Tagger:
    return Tagger(tiny_model)


@pytest.fixture(scope="module")
def groups(tagger: Tagger, base: Path) -> list[Ranked]:
    return ranked(PAIRS, tagger, base, 12, 64, 0, lambda *_: None)


def row(*numbers: int) -> np.ndarray:
    return np.array([101, *numbers, 102], np.int64)


def test_the_candidate_that_somebody_wrote_is_nearest(groups: list[Ranked], tagger: Tagger) -> None:
    assert len(groups) == len(PAIRS)
    for group, pair in zip(groups, PAIRS, strict=True):
        assert LIKELIEST <= len(group.ids) == len(group.nearness) <= 12
        assert 0 < group.nearness.min() < group.nearness.max() <= 1 + 1e-3
        if len(pair.neutrals) == 1:
            nearest = group.ids[int(group.nearness.argmax())]
            assert nearest.tolist() == tagger.ids(pair.neutrals[0]).tolist()


def test_candidates_are_cut_drawn_anew_and_told_of(tagger: Tagger, base: Path) -> None:
    told: list[tuple[int, int]] = []
    short = ranked(PAIRS, tagger, base, 5, 4, 0, lambda done, all_, _: told.append((done, all_)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert {len(group.ids) for group in short} == {5}
    assert max(len(ids) for group in short for ids in group.ids) == 4
    again = ranked(PAIRS, tagger, base, 5, 4, 0, lambda *_: None)
    assert [g.nearness.tolist() for g in again] == [g.nearness.tolist() for g in short]


def test_a_sentence_with_too_few_candidates_is_left_out(tagger: Tagger, base: Path) -> None:
    assert ranked([Pair("", ("x",), "toy", "a")], tagger, base, 5, 64, 0, lambda *_: None) == []


def test_the_likeliest_are_always_drawn() -> None:
    rng = np.random.default_rng(0)
    some = [drawn(range(20), 6, rng) for _ in range(50)]
    assert all(one[:LIKELIEST] == [0, 1, 2, 3] and len(set(one)) == 6 for one in some)
    assert {at for one in some for at in one} == set(range(20))
    assert drawn([1, 2], 6, rng) == [1, 2]


def test_nearness_goes_with_its_candidate() -> None:
    one = Ranked(tuple(row(at) for at in range(10)), np.arange(10, dtype=np.float32) / 10)
    for seed in range(5):
        (again,) = redrawn([one], 6, seed)
        assert [ids[1] / 10 for ids in again.ids] == pytest.approx(again.nearness.tolist())
        assert len(again.ids) == 6


def test_overlap_counts_every_piece_once() -> None:
    assert overlap(row(1, 2, 2), row(1, 2, 2)) == 1.0
    assert overlap(row(1, 2), row(3)) == 0.0
    assert overlap(row(1, 1, 2), row(1, 2)) == pytest.approx(0.8)
    assert overlap(row(), row()) == 0.0


def test_groups_hold_every_sentence_once_and_not_too_many_pieces(groups: list[Ranked]) -> None:
    many = groups * 7
    for pieces in (1, 300, 10_000):
        batches = list(ranking_groups(many, pieces, 3))
        assert sorted(id(one) for batch in batches for one in batch) == sorted(map(id, many))
        sizes = [sum(len(one.ids) * max(map(len, one.ids)) for one in batch) for batch in batches]
        assert all(size <= pieces or len(batch) == 1 for size, batch in zip(sizes, batches, strict=True))
    assert list(ranking_groups([], 300, 3)) == []


def test_the_proofreader_learns_what_is_near(base: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    good, bad = 1150, 1160
    some = [
        Ranked((row(good, at), row(bad, at)), np.array([0.9, 0.7], np.float32))
        for at in rng.integers(1100, 1140, 24).tolist()
    ]
    settings = ProofreaderSettings(
        layers=1, rank=4, epochs=15, learning_rate=5e-3, head_learning_rate=1e-2, pieces_per_batch=48,
        dropout=0.0,
    )  # fmt: skip
    model = train_proofreader(lambda _: [], lambda _: some, base, settings, tmp_path, lambda *_: None)
    batch = padded([row(good, 1141), row(bad, 1141)])
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        near, far = model(batch.ids, batch.mask).float()[:, 0].tolist()
        assert float(ranking_loss(model, some, 0.04)) < 0.2
    assert near > far + 1
