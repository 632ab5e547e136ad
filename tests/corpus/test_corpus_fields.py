"""Which strings of a row are its texts."""

from __future__ import annotations

from typing import Any

import pytest

from unbarb.corpus.fields import FieldError, Number, name_of, texts_of

CHAT = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {}}]},
    {"role": "assistant", "content": "hello"},
    {"role": "assistant", "content": None, "tool_calls": []},
]


@pytest.mark.parametrize(
    ("row", "columns", "roles", "found"),
    [
        ({"text": "a", "n": Number("1")}, ["text"], None, {"text": "a"}),
        ({"text": None}, ["text"], None, {}),
        ({"prompt": "a", "answer": "b"}, ["prompt", "answer"], None, {"prompt": "a", "answer": "b"}),
        ({"a": {"b": "x"}}, ["a.b"], None, {"a.b": "x"}),
        ({"a.b": "y", "a": {"b": "x"}}, ["a.b"], None, {"a.b": "y"}),
        ({"a": None}, ["a.b"], None, {}),
        ({"answers": ["a", None, ["b"]]}, ["answers"], None, {"answers[0]": "a", "answers[2][0]": "b"}),
        ({"m": CHAT}, ["m"], ["assistant"], {"m[2].content": "hello"}),
        (
            {"m": CHAT},
            ["m"],
            None,
            {"m[0].content": "be kind", "m[1].content[0].text": "hi", "m[2].content": "hello"},
        ),
        ({"m": [{"from": "gpt", "value": "hey"}]}, ["m"], ["gpt"], {"m[0].value": "hey"}),
    ],
)
def test_texts_are_found_with_where_they_stand(
    row: dict[str, Any], columns: list[str], roles: list[str] | None, found: dict[str, str]
) -> None:
    assert {name_of(path): text for path, text in texts_of(row, columns, roles)} == found


@pytest.mark.parametrize(
    ("row", "column", "roles", "reason"),
    [
        ({"text": Number("1")}, "text", None, "text must be a string, not a number"),
        ({"text": True}, "text", None, "text must be a string, not a truth value"),
        ({"text": {"x": "y"}}, "text", None, "text must be a string, not an object"),
        ({"a": {"c": "x"}}, "a.b", None, "no field 'a.b'"),
        ({"a": "x"}, "a.b", None, "no field 'a.b'"),
        ({"text": "a"}, "text", ["user"], "text is a string; roles are chosen among chat messages"),
        ({"m": [{"content": "a"}]}, "m", None, "m[0] is no chat message: it has no 'role'"),
        ({"m": [{"role": "user"}]}, "m", None, "m[0] is no chat message: it has no 'content'"),
        ({"text": "a\udc00"}, "text", None, "text is not Unicode text: lone surrogate at character 2"),
    ],
)
def test_what_holds_no_text_says_so(
    row: dict[str, Any], column: str, roles: list[str] | None, reason: str
) -> None:
    with pytest.raises(FieldError) as told:
        texts_of(row, [column], roles)
    assert str(told.value) == reason
