"""Patterns of fields: what they find, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from unbarb.errors import ConfigError
from unbarb.integrations.fields import Unreadable, finder, put, shown, texts

BODY: Any = {
    "title": "a",
    "n": 1,
    "tags": ["b", "c", 2, None],
    "messages": [{"content": "d"}, {"content": [{"type": "text", "text": "e"}]}],
    "by": {"x": {"text": "f"}, "y": {"text": "g"}},
}


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["title"], ["a"]),
        (["n", "none", "title.x", "tags[9]"], []),
        (["tags"], ["b", "c"]),
        (["tags[1]"], ["c"]),
        (["messages[0].content"], ["d"]),
        (["messages[*].content", "messages[*].content[*].text"], ["d", "e"]),
        (["by.*.text"], ["f", "g"]),
        (["**.text"], ["e", "f", "g"]),
        (["**"], ["a", "b", "c", "d", "text", "e", "f", "g"]),
        (["title", "title"], ["a"]),
    ],
)
def test_patterns_find_strings(patterns: list[str], found: list[str]) -> None:
    assert list(texts(BODY, finder(patterns)).values()) == found


def test_a_list_at_the_top_and_a_bare_string() -> None:
    assert texts(["a", {"t": "b"}], finder(["[0]", "[*].t"])) == {(0,): "a", (1, "t"): "b"}
    assert texts("a", finder(["**"])) == {(): "a"}
    assert put("a", (), "b") == "b"


def test_an_object_where_text_was_looked_for_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"messages\[1\]\.content\[0\] is an object"):
        texts(BODY, finder(["messages[*].content"]))


def test_texts_go_back_where_they_were() -> None:
    body = {"a": [{"b": "x"}]}
    (path,) = texts(body, finder(["a[*].b"]))
    assert shown(path) == "a[0].b"
    assert put(body, path, "y") == {"a": [{"b": "y"}]}


@pytest.mark.parametrize("pattern", ["", "a..b", "a[", "a[x]", ".a", "a.", "a[*]b", "a b]"])
def test_a_pattern_that_cannot_be_read_is_named(pattern: str) -> None:
    with pytest.raises(ConfigError, match="no patterns"):
        finder([pattern, "fine"])


def test_a_single_string_is_no_list_of_patterns() -> None:
    with pytest.raises(ConfigError, match="'title'"):
        finder("title")
