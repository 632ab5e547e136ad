"""What a safetensors file holds, read from its header: names, types and shapes, no numbers.

Format: https://github.com/huggingface/safetensors#format: eight bytes with the length of a JSON header,
little endian, the header, and the numbers of all tensors, one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from unbarb.errors import ModelError

INDEX = "model.safetensors.index.json"
_LONGEST = 100_000_000
"""Bytes of a header: the format's own bound."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """Its type as the format names it (``F32``, ``BF16``), and its shape."""

    dtype: str
    shape: tuple[int, ...]


def tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        ModelError: it is none, or not whole.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 0 < length <= min(_LONGEST, size):
                raise ModelError(f"{path} is no safetensors file")
            header: dict[str, dict[str, object]] = json.loads(file.read(length))
        header.pop("__metadata__", None)
        ends = [int(one["data_offsets"][1]) for one in header.values()]  # type: ignore[index]
        found = {
            name: Tensor(str(one["dtype"]), tuple(map(int, one["shape"])))  # type: ignore[call-overload]
            for name, one in header.items()
        }
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is no safetensors file: {error!r}") from error
    whole = 8 + length + max(ends, default=0)
    if size != whole:
        raise ModelError(
            f"{path} has {size:,} bytes, not the {whole:,} that its header tells: it is cut off"
        )
    return found


def of_folder(folder: Path) -> dict[str, Tensor]:
    """All tensors of a model in the hub's format, of one file or of several with an index.

    Raises:
        ModelError: there is none, or one is not whole, or the index and the files disagree.
    """
    if not (folder / INDEX).is_file():
        return tensors(folder / "model.safetensors")
    try:
        where: Mapping[str, str] = json.loads((folder / INDEX).read_text("utf-8"))["weight_map"]
        files = sorted(set(where.values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ModelError(f"{folder / INDEX} does not load: {error!r}") from error
    found: dict[str, Tensor] = {}
    for name in files:
        found |= tensors(folder / name)
    missing = where.keys() - found.keys()
    if missing:
        raise ModelError(
            f"{folder}: the index names {len(missing)} tensors that no file holds: {min(missing)} …"
        )
    return found


def pickles(folder: Path) -> Iterator[str]:
    """Weights that a server would have to run as a program to read them."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".pt", ".pth", ".pkl", ".ckpt") or path.name.startswith("pytorch_model"):
            yield f"{path.relative_to(folder)} is a pickle, which runs code when it is read; leave it out"
