"""Batches lose no row, are of like length, and pad with what teaches nothing."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from unbarb.train.batches import Row, batches, collate, count, in_turn  # noqa: E402


def row(length: int, number: int) -> Row:
    ids = np.full(length, number, np.int64)
    return Row(ids, np.array([number], np.float32), np.full(length, number, np.float32), float(number))


LENGTHS = st.lists(st.integers(2, 60), max_size=50)


@given(lengths=LENGTHS, pieces=st.integers(1, 300), seed=st.one_of(st.none(), st.integers(0, 99)))
def test_no_row_is_lost_and_none_comes_twice(lengths: list[int], pieces: int, seed: int | None) -> None:
    rows = [row(length, number + 1) for number, length in enumerate(lengths)]
    seen: list[float] = []
    for batch in batches(rows, pieces, seed):
        size, longest = batch.ids.shape
        assert size == 1 or size * longest <= pieces
        assert batch.mask.sum(1).max() == longest
        for at in range(size):
            number = float(batch.labels[at, 0])
            length = int(batch.mask[at].sum())
            assert length == lengths[int(number) - 1]
            assert set(batch.ids[at, :length].tolist()) == {number}
            assert float(batch.weight[at]) == number
            seen.append(number)
    assert sorted(seen) == list(range(1, len(lengths) + 1))


@given(lengths=LENGTHS, pieces=st.integers(1, 300))
def test_count_is_right_for_rows_in_order(lengths: list[int], pieces: int) -> None:
    rows = [row(length, 1) for length in lengths]
    assert count(rows, pieces) == len(list(batches(rows, pieces, None)))


def test_a_seed_shuffles_and_the_same_seed_shuffles_alike() -> None:
    rows = [row(length % 9 + 2, length) for length in range(60)]
    order = [[batch.labels.ravel().tolist() for batch in batches(rows, 40, seed)] for seed in (1, 1, 2)]
    assert order[0] == order[1] != order[2]


def test_without_a_seed_rows_come_by_length() -> None:
    lengths = [9, 2, 5, 2]
    batch = next(batches([row(length, at) for at, length in enumerate(lengths)], 100, None))
    assert batch.labels.ravel().tolist() == [1.0, 3.0, 2.0, 0.0]


def test_padding_is_masked_and_teaches_nothing() -> None:
    batch = collate(
        [row(2, 7), Row(np.array([1, 2, 3]), np.array([np.nan], np.float32), np.empty(0, np.float32))]
    )
    assert batch.ids.tolist() == [[7, 7, 0], [1, 2, 3]]
    assert batch.mask.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert torch.isnan(batch.words).tolist() == [[False, False, True], [True, True, True]]
    assert batch.weight.tolist() == [7.0, 1.0]


def test_two_kinds_take_turns_evenly() -> None:
    assert list(in_turn(["a", "b", "c"], [1, 2])) == ["a", 1, "b", "c", 2]
    assert list(in_turn([], [1, 2])) == [1, 2]
    assert list(in_turn(["a"], [])) == ["a"]
    many = list(in_turn(["a"] * 10, [1] * 100))
    assert many.count("a") == 10
    assert all("a" in many[at : at + 14] for at in range(0, 96))
