"""Markup, addresses and redundant punctuation go; words, and how they are disguised, stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.data.tidy import STEPS, Tidying, clean_row, clean_text
from unbarb.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("WHAT!!!!?!?!?!?", "WHAT?!"),
        ("no..... really…… ok", "no... really... ok"),
        ("see https://a.b/c?d=1, or www.x.org/y.", "see , or ."),
        ("[the page](https://a.b/c) says (http://a.b)", "the page says"),
        ("a<br/>b &amp; c <!-- hidden --> d", "a b & c d"),
        ("<script>alert(1)</script>fine", "fine"),
        ("&lt;br&gt; twice", "twice"),
        ("== head ==\n======\n-----\ntext ~~~~", "== head == text"),
        ("  two \t spaces\r\n\x00", "two spaces"),
    ],
)
def test_noise_goes(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "f*** you, i*d**iot",
        "a < b > c",
        "I <3 you",
        "s.t.u.p.i.d",
        "what?! no. yes!",
        "He said ''no''",
        "C#, A+",
    ],
)
def test_words_and_their_disguises_stay(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("step", "text"), [*zip(STEPS, ("<b>a</b>", "at www.a.org/b", "no!!!"), strict=True)]
)
def test_each_step_can_be_left_out(step: str, text: str) -> None:
    assert clean_text(text) != text
    assert clean_text(text, Tidying(**{step: False})) == text


@given(st.text(alphabet=st.sampled_from("ab <>/&;lt!?.=*()[]:wh\n\x00…") | st.characters(), max_size=60))
def test_clean_text_is_clean(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once


def test_a_row_keeps_its_other_columns() -> None:
    row = {"text": "hm!!!", "labels": {"toxicity": 1}, "target": None, "note": "a!!!"}
    assert clean_row(row) == {"text": "hm!", "labels": {"toxicity": 1}, "target": None, "note": "a!!!"}
    assert clean_row(row, columns=["note"])["note"] == "a!"


def test_a_row_without_text_says_what_it_has() -> None:
    with pytest.raises(ConfigError, match=r"none of the columns text, .* the row has comment"):
        clean_row({"comment": "a"})
    with pytest.raises(ConfigError, match=r"no column coment to clean; the row has comment"):
        clean_row({"comment": "a"}, columns=["coment"])


def test_it_is_what_a_map_over_a_dataset_takes() -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_list([{"prompt": "why????", "completion": "see http://a.b"}])
    assert rows.map(clean_row).to_list() == [{"prompt": "why?", "completion": "see"}]
    own = datasets.Dataset.from_list([{"comment": "why????"}])
    assert own.map(clean_row, fn_kwargs={"columns": ["comment"]})["comment"] == ["why?"]
