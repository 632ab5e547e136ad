"""Texts that are nearly the same: MinHash over runs of letters, candidates by locality-sensitive hashing.

The similarity of two texts is the Jaccard index of their sets of runs of `RUN` letters or digits, spaces
and punctuation left out. It is estimated from `SIZE` hashes a text, with a standard error of at most .05,
and only for texts that agree in one band of hashes, so time and memory (256 bytes a text) grow linearly.

Source: Broder 1997, "On the resemblance and containment of documents"; Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3; 16 bits of each hash are kept, after Li and König 2010,
"b-Bit Minwise Hashing".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import ConfigError

RUN = 5
SIZE = 128
FOUND = 0.99
"""At least this share of the pairs that are just as similar as the threshold must become candidates."""

Progress = Callable[[int], None]

_RNG = np.random.default_rng(20240229)  # any; fixed, so that the same texts are near everywhere
_FACTORS = _RNG.integers(1, 2**63, SIZE, np.uint64) * np.uint64(2) + np.uint64(1)
_TERMS = _RNG.integers(0, 2**63, SIZE, np.uint64)
_POWERS = np.array([31**power for power in range(RUN - 1, -1, -1)], np.uint64)


def representatives(
    keys: Iterable[str], threshold: float, progress: Progress = lambda done: None
) -> NDArray[np.int64]:
    """For each key the index of the first one that it is nearly the same as; its own where there is none.

    Keys are normalised texts (`unbarb.data.split.group_key`). What is near to something near belongs
    together: groups are those of single linkage.

    Raises:
        ConfigError: `threshold` is not above .5 and at most 1; below, everything is a candidate.
    """
    if not 0.5 < threshold <= 1:
        raise ConfigError(f"near-duplicates from {threshold}? It must be above 0.5 and at most 1")
    signatures = _signatures(keys, progress)
    first = np.arange(len(signatures))
    width = _width(threshold)
    for at in range(0, SIZE, width):
        _join(first, signatures, signatures[:, at : at + width], threshold)
    return np.array([_root(first, index) for index in range(len(first))], np.int64)


def _signatures(keys: Iterable[str], progress: Progress) -> NDArray[np.uint16]:
    """(texts, SIZE): the smallest hash of each of the `SIZE` functions, folded to 16 bits."""
    found = []
    for number, key in enumerate(keys, 1):
        lowest = (_runs(key)[:, None] * _FACTORS + _TERMS).min(axis=0)
        # The high bits of a minimum are nearly all 0: mixed before they are taken.
        found.append(((lowest * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(48)).astype(np.uint16))
        progress(number)
    return np.stack(found) if found else np.empty((0, SIZE), np.uint16)


def _runs(key: str) -> NDArray[np.uint64]:
    """A hash of every run of letters; of the whole where it is shorter than a run."""
    letters = np.frombuffer(key.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    padded = np.pad(letters, (0, max(0, RUN - len(letters))))
    hashes = np.lib.stride_tricks.sliding_window_view(padded, RUN) @ _POWERS
    for shift, factor in ((33, 0xFF51AFD7ED558CCD), (33, 0xC4CEB9FE1A85EC53)):  # MurmurHash3's finalizer
        hashes = (hashes ^ (hashes >> np.uint64(shift))) * np.uint64(factor)
    return np.unique(hashes ^ (hashes >> np.uint64(33)))


def _width(threshold: float) -> int:
    """Hashes in a band: as many as still make candidates of nearly all pairs at the threshold."""
    widths = (width for width in (32, 16, 8, 4, 2) if 1 - (1 - threshold**width) ** (SIZE / width) >= FOUND)
    return next(widths, 1)


def _join(
    first: NDArray[Any], signatures: NDArray[np.uint16], band: NDArray[np.uint16], threshold: float
) -> None:
    """Join the texts that share a band and are as similar as the threshold."""
    packed = np.ascontiguousarray(band).view(np.dtype((np.void, band.shape[1] * 2))).ravel()
    order = np.argsort(packed, kind="stable")  # stable: in a bucket the first text stands first
    ends = np.flatnonzero(packed[order][1:] != packed[order][:-1]) + 1
    for bucket in np.split(order, ends):
        if len(bucket) < 2:
            continue
        agree = (signatures[bucket[1:]] == signatures[bucket[0]]).mean(axis=1)
        for index in bucket[1:][agree >= threshold]:
            one, other = sorted((_root(first, bucket[0]), _root(first, index)))
            first[other] = one


def _root(first: NDArray[Any], index: int) -> int:
    while first[index] != index:
        first[index] = first[first[index]]
        index = first[index]
    return int(index)
