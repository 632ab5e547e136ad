"""docs/stream.md is true: its code runs, and its tables name what there is."""

from __future__ import annotations

import re
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest

from unbarb.stream import Counts, StreamGuard
from unbarb.stream.flow import WORDS
from unbarb.stream.judge import NEAR

PAGE = (Path(__file__).parents[2] / "docs" / "stream.md").read_text("utf-8")


def test_the_code_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, {})
    said = capsys.readouterr().out
    assert said.startswith("Thanks for the list. ")
    assert "Thank you. " in said
    assert "idiot" not in said


def test_every_argument_and_count_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE))
    assert set(signature(StreamGuard).parameters) <= named
    assert {one.name for one in fields(Counts)} <= named


def test_the_words_it_speaks_of_are_as_many() -> None:
    assert f"the last {WORDS} words" in PAGE
    assert NEAR == 12
    assert "the dozen words" in PAGE
