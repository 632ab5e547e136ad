"""Texts inside Arrow arrays: read what may hold them, replace one and leave its neighbours."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unbarb.corpus.fields import CONTENT_KEYS, ROLE_KEYS, Path

MESSAGE_KEYS = frozenset({*ROLE_KEYS, *CONTENT_KEYS, "text", "type"})
"""Fields of a struct in a list that say who speaks and what."""


def is_string(kind: Any) -> bool:
    """Whether values of this type are strings, plain or as a dictionary's."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def holds_texts(kind: Any, *, inside: bool = False) -> bool:
    """Whether a column of this type can hold texts: strings, lists of them, or chat messages.

    One of nulls alone has no type of its own; it holds none now.
    """
    if is_string(kind) or pa.types.is_null(kind):
        return True
    if is_list(kind):
        return holds_texts(kind.value_type, inside=True)
    if inside and pa.types.is_struct(kind):
        names = {field.name for field in kind}
        return bool(names & set(ROLE_KEYS) and names & set(CONTENT_KEYS))
    return False


def plain(array: Any, paths: Sequence[Sequence[str]] = ((),)) -> list[Any]:
    """The values as Python's own; of structs only the fields `paths` lead to, or what a message needs.

    What lies beside a text may be of types that Python cannot hold without loss; it is not looked at.

    Raises:
        UnicodeDecodeError: one of the strings is not UTF-8, which Arrow does not check.
    """
    return list(_pruned(array, paths).to_pylist())


def _pruned(array: Any, paths: Sequence[Sequence[str]]) -> Any:
    kind = array.type
    if pa.types.is_struct(kind):
        inside: dict[str, list[Sequence[str]]] = defaultdict(list)
        for path in paths:
            for name in path[:1] or MESSAGE_KEYS:
                inside[name].append(path[1:])
        fields = [field for field in kind if field.name in inside]
        children = [_pruned(array.field(field.name), inside[field.name]) for field in fields]
        kept = [pa.field(field.name, child.type) for field, child in zip(fields, children, strict=True)]
        return pa.StructArray.from_arrays(children, fields=kept, mask=array.is_null())
    if is_list(kind):
        offsets, flat = _flat(array)
        values = _pruned(flat, paths)
        return _listed(kind, offsets, values, pa.list_(values.type), array.is_null())
    return array


def as_bytes(row: Mapping[str, Any]) -> bytes:
    """A row of scalars as JSON, whatever they are; strings that are not UTF-8 keep their bytes."""
    values = {name: _value(scalar) for name, scalar in row.items()}
    return json.dumps(values, ensure_ascii=False, default=str).encode("utf-8", "surrogateescape")


def _value(scalar: Any) -> Any:
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_dictionary(kind):
        return _value(scalar.value)
    if is_string(kind):
        return scalar.as_buffer().to_pybytes().decode("utf-8", "surrogateescape")
    if pa.types.is_map(kind):
        return [[*_value(entry).values()] for entry in scalar.values]
    if isinstance(scalar, pa.ListScalar):
        return [_value(one) for one in scalar.values]
    if pa.types.is_struct(kind):
        return {field.name: _value(scalar[at]) for at, field in enumerate(kind)}
    try:
        return scalar.as_py()
    except ValueError:  # a moment, finer than Python can hold
        return str(scalar)


def replaced(array: Any, new: Mapping[int, Mapping[Path, str]]) -> Any:
    """`array` with texts replaced: row → path inside the row's value → text."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return replaced(array.cast(kind.value_type), new).dictionary_encode().cast(kind)
    if pa.types.is_string_view(kind):
        return replaced(array.cast(pa.large_string()), new).cast(kind)
    if is_string(kind):
        # Arrow's own replacing, for a neighbour that is not UTF-8 cannot be a string of Python.
        texts = [new[row][()] for row in sorted(new)]
        mask = np.isin(np.arange(len(array)), list(new))
        return pc.replace_with_mask(array, pa.array(mask), pa.array(texts, kind))
    if pa.types.is_struct(kind):
        children = [array.field(at) for at in range(kind.num_fields)]
        for name, inner in _by_first(new).items():
            at = kind.get_field_index(str(name))
            children[at] = replaced(children[at], inner)
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    offsets, flat = _flat(array)
    inside = {
        int(offsets[row]) + int(at): texts
        for at, inner in _by_first(new).items()
        for row, texts in inner.items()
    }
    return _listed(kind, offsets, replaced(flat, inside), kind, array.is_null())


def _by_first(new: Mapping[int, Mapping[Path, str]]) -> dict[str | int, dict[int, dict[Path, str]]]:
    """The same replacements by the first part of their paths."""
    found: dict[str | int, dict[int, dict[Path, str]]] = defaultdict(lambda: defaultdict(dict))
    for row, texts in new.items():
        for path, text in texts.items():
            found[path[0]][row][path[1:]] = text
    return found


def _flat(array: Any) -> tuple[Any, Any]:
    """Where each list begins in the values of all, shape (rows + 1,), and those values."""
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))), array.flatten()


def _listed(like: Any, offsets: Any, values: Any, kind: Any, mask: Any) -> Any:
    """A list array, large where `like` is."""
    if pa.types.is_large_list(like):
        kind = kind if pa.types.is_large_list(kind) else pa.large_list(values.type)
        return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), values, type=kind, mask=mask)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=kind, mask=mask)
