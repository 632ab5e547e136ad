"""Strings replaced inside a line of JSON: nothing else moves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.corpus.json_strings import DuplicateKeyError, parse, parse_for, replaced

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def strings(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, str):
        return [path]
    items = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [found for key, item in items for found in strings(item, (*path, key))]


def put(value: Any, path: tuple[str | int, ...], text: str) -> None:
    for part in path[:-1]:
        value = value[part]
    value[path[-1]] = text


@given(st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=4), st.data())
def test_only_the_chosen_strings_change(row: dict[str, Any], data: st.DataObject) -> None:
    line = json.dumps(
        row,
        ensure_ascii=data.draw(st.booleans()),
        indent=data.draw(st.sampled_from([None, 1])),
        separators=data.draw(st.sampled_from([(",", ":"), (" , ", " : ")])),
    )
    paths = strings(row)
    chosen = data.draw(st.lists(st.sampled_from(paths), unique=True) if paths else st.just([]))
    new = {path: data.draw(st.text(max_size=5)) for path in chosen}
    written = replaced(line, new)
    for path, text in new.items():
        put(row, path, text)
    assert json.loads(written) == row
    back = {path: None for path in chosen}
    if not back:
        assert written == line


def test_bytes_around_the_string_stay() -> None:
    line = (
        ' {"n": 1e400,"big":123456789012345678901234567890, "t" :\t"you \\u00fcber \\/ x", "z":[1,  2]}\r\n'
    )
    assert replaced(line, {("t",): "ü / x"}) == line.replace('"you \\u00fcber \\/ x"', '"\\u00fc / x"')


def test_text_that_was_not_ascii_stays_readable() -> None:
    assert replaced('{"t": "über"}', {("t",): "unter ü"}) == '{"t": "unter ü"}'


def test_numbers_of_any_size_are_read() -> None:
    row = parse('{"n": ' + "9" * 5000 + ', "f": 1e999, "t": "x"}')
    assert str(row["n"]) == "9" * 5000
    assert (str(row["f"]), row["t"]) == ("1e999", "x")


TWICE = (
    ('{"t": "a", "t": "b"}', "t"),
    ('{"t": "a", "\\u0074": "b"}', "t"),
    ('{"a": {"b": "x"}, "a": {"b": "y"}}', "a.b"),
    ('{"a": {"b": "x", "b": "y"}}', "a.b"),
    ('{"a.b": "x", "a.b": "y"}', "a.b"),
    ('{"größe": "x", "größe": "y"}', "größe"),
    ('{"m": [{"role": "user", "content": "x", "content": "y"}]}', "m"),
    ('{"m": [{"role": "user", "role": "assistant", "content": "x"}]}', "m"),
    ('{"m": [{"role": "user", "content": [{"text": "x", "text": "y"}]}]}', "m"),
)


@pytest.mark.parametrize(("line", "column"), TWICE)
def test_a_key_that_stands_twice_where_texts_are_is_told(line: str, column: str) -> None:
    with pytest.raises(DuplicateKeyError, match="stands twice in one object"):
        parse_for(line, ["other", column])


def test_a_key_that_stands_twice_elsewhere_hides_no_text() -> None:
    parse_for('{"a": {"t": 1}, "t": {"t": 2}}', ["t"])
    line = '{"n": 1, "n": [{"t": 1, "t": 2}], "a": {"n": 1, "n": 2, "t": "x"}, "t": null}'
    assert parse_for(line, ["t", "a.t", "b.c", "t.x"])["a"]["t"] == "x"
    assert replaced(line, {("a", "t"): "y"}) == line.replace('"x"', '"y"')
    assert parse_for('[{"t": 1, "t": 2}]', ["t"])
