"""What is remembered gives the answer that asking again would give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.detect import cleared
from unbarb.detect.cleared import Cleared


@given(texts=st.lists(st.lists(st.sampled_from(["good", "fine", "bad", "x" * 50, "bad!"]))))
def test_it_says_what_its_test_says(texts: list[list[str]]) -> None:
    quiet = Cleared(lambda stretch: "bad" not in stretch)
    assert [quiet(text) for text in texts] == [not any("bad" in one for one in text) for text in texts]


def test_a_stretch_is_asked_about_once_and_a_long_one_is_not_kept() -> None:
    asked: list[str] = []
    quiet = Cleared(lambda stretch: not asked.append(stretch))
    for _ in range(3):
        assert quiet(["short", "l" * 41])
    assert asked.count("short") == 1
    assert asked.count("l" * 41) == 3


def test_it_keeps_so_many_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleared, "MOST", 10)
    quiet = Cleared(str.isdigit)
    for number in range(95):
        assert quiet([str(number)])
        assert len(quiet._passed) <= 10
