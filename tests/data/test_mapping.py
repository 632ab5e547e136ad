"""A column mapping gives rows of the kind it describes, and says what is wrong with it, all at once."""

from __future__ import annotations

import pytest

from unbarb.data.mapping import Columns
from unbarb.data.records import Fault, Record
from unbarb.errors import ConfigError


def row(given: list[str], values: dict[str, object]) -> object:
    return Columns.parse(given).row(Record("here:1", values))


def test_the_kind_follows_from_the_parts() -> None:
    assert Columns.parse(["text=comment", "label:toxicity=toxic"]).kind == "labelled"
    assert Columns.parse(["source=a", "target=b", "id=n"]).kind == "pairs"
    assert Columns.parse(["source=a", "chosen=b", "rejected=c"]).kind == "preferences"


def test_values_become_texts_and_shares() -> None:
    given = ["text=comment", "label:toxicity=toxic", "label:threat=t", "label:insult=i", "id=n"]
    found = row(given, {"comment": "hi", "toxic": "0.25", "t": True, "i": "no", "n": 7})
    assert found == {"text": "hi", "id": "7", "labels": {"toxicity": 0.25, "threat": 1.0, "insult": 0.0}}


def test_an_empty_label_is_unknown_and_an_empty_text_is_left_to_cleaning() -> None:
    found = row(["text=c", "label:toxicity=t", "label:threat=u"], {"c": None, "t": "", "u": "1"})
    assert found == {"text": "", "labels": {"threat": 1.0}}


def test_names_of_classes_become_a_label() -> None:
    given = ["text=post", "label:identity_attack=class:hate,attack"]
    assert row(given, {"post": "a", "class": "hate"})["labels"] == {"identity_attack": 1.0}
    assert row(given, {"post": "a", "class": "fine"})["labels"] == {"identity_attack": 0.0}


def test_columns_of_inner_objects_are_reached() -> None:
    given = ["text=prompt.text", "label:toxicity=prompt.toxicity"]
    assert row(given, {"prompt": {"text": "a", "toxicity": 0.5}}) == {
        "text": "a",
        "labels": {"toxicity": 0.5},
    }


@pytest.mark.parametrize("value", ["hate", "2", "-0.1", 7])
def test_a_label_that_is_no_share_is_a_fault_that_says_what_to_do(value: object) -> None:
    found = row(["text=c", "label:toxicity=t"], {"c": "a", "t": value})
    assert isinstance(found, Fault)
    assert found.place == "here:1"
    assert f"column 't' holds {value!r}, no number from 0 to 1" in found.reason
    assert "label:toxicity=t:NAME,NAME" in found.reason


def test_a_column_that_one_record_lacks_is_a_fault() -> None:
    found = row(["text=comment", "label:toxicity=toxic"], {"coment": "a"})
    assert found == Fault("here:1", "no column 'comment'; did you mean 'coment'?; no column 'toxic'")


def test_a_text_that_is_no_text_is_a_fault() -> None:
    found = row(["source=a", "target=b"], {"a": ["x"], "b": "y"})
    assert found == Fault("here:1", "column 'a' must hold text, not list")


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as said:
        Columns.parse(["txt=comment", "label:toxcity=toxic", "source", "label:My Label=x"])
    message = str(said.value)
    assert "'txt' is no part of a row; did you mean 'text'?" in message
    assert "label 'toxcity' is not known; did you mean 'toxicity'?" in message
    assert "'source' is not PART=COLUMN" in message
    assert "'My Label' must be of small letters" in message


@pytest.mark.parametrize(
    "given", [["text=a"], ["source=a"], ["source=a", "target=b", "label:threat=c"], []]
)
def test_parts_that_are_no_row_are_refused(given: list[str]) -> None:
    with pytest.raises(ConfigError, match="together they are no row; needed are source and target"):
        Columns.parse(given)


def test_a_label_of_ones_own_is_allowed() -> None:
    assert row(["text=a", "label:spam=b"], {"a": "x", "b": 1})["labels"] == {"spam": 1.0}


def test_missing_columns_are_named_with_the_nearest_there() -> None:
    mapping = Columns.parse(["text=coment", "label:toxicity=t"])
    assert mapping.missing(["comment", "toxic"]) == [
        "no column 'coment'; did you mean 'comment'?",
        "no column 't'",
    ]
