"""Reads a file of arrays, or says what is wrong with it."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import ModelError

DAMAGE = (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error)
"""What numpy raises for a file that is missing, cut short or of another kind."""


def read_arrays(path: Path, *names: str) -> list[NDArray[Any]]:
    """The arrays called `names` of an npz file, in that order.

    Raises:
        ModelError: the file is missing or damaged, or lacks one of them.
    """
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                raise ValueError("it holds a single array without a name")
            return [stored[name] for name in names]
    except DAMAGE as error:
        raise damaged(path, error) from error


def read_array(path: Path, *, mapped: bool = False) -> NDArray[Any]:
    """The array of an npy file; `mapped` leaves it on disk until rows are asked for.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        if mapped:
            return np.lib.format.open_memmap(path, mode="r")
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except DAMAGE as error:
        raise damaged(path, error) from error


def damaged(path: Path, error: Exception) -> ModelError:
    return ModelError(f"{path} does not load: {error}; run `unbarb models verify`")
