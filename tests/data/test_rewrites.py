"""Written pairs: both sides of a pair say the same, and train and test share nothing that is rude."""

from __future__ import annotations

import re

import pytest

from unbarb.data.behaviours.material import Split
from unbarb.data.rewrites import generate, kinds, written_pairs
from unbarb.errors import ConfigError
from unbarb.rewrite.tags import KEEP
from unbarb.train.align import lowered, tags_of

SPLITS: tuple[Split, ...] = ("train", "test")
HARMLESS = {
    *("who", "whom", "role", "people", "group", "skill", "thing", "things", "sum", "place"),
    *("clause", "order", "do", "deed"),
}


def test_each_kind_gives_as_many_pairs_as_were_asked_for_and_all_differ() -> None:
    pairs = written_pairs("train", 40, 5)
    assert len({pair.toxic for pair in pairs}) == len(pairs) == 40 * len(kinds())
    assert written_pairs("train", 40, 5) == pairs != written_pairs("train", 40, 6)
    assert {pair.source for pair in pairs} == {"written"}


@pytest.mark.parametrize("split", SPLITS)
def test_no_slot_is_left_open_and_no_word_stands_twice(split: Split) -> None:
    for pair in written_pairs(split, 150, 1):
        for text in (pair.toxic, *pair.neutrals):
            assert not re.search(r"[{}|=]|\s\s|\s[.,!?]", text), text
            assert not re.search(r"\b(\w{2,}) \1\b", text.lower()), text
            assert not re.search(r"\ba [aeio]", text.lower()), text


@pytest.mark.parametrize("split", SPLITS)
def test_each_pair_can_be_said_by_tags_and_changes_something(split: Split) -> None:
    for pair in written_pairs(split, 150, 2):
        for neutral in pair.neutrals:
            tags = tags_of(lowered(pair.toxic), lowered(neutral))
            assert tags is not None
            assert set(tags) != {KEEP}, pair


@pytest.mark.parametrize("split", SPLITS)
def test_names_and_numbers_stand_on_both_sides(split: Split) -> None:
    for pair in written_pairs(split, 150, 3):
        for neutral in pair.neutrals:
            told = set(re.findall(r"https?://\S+\w|\d+|\banna\b|\bjohn\b", pair.toxic.lower()))
            assert told == set(re.findall(r"https?://\S+\w|\d+|\banna\b|\bjohn\b", neutral.lower())), pair


def test_neutral_sides_hold_no_listed_word() -> None:
    listed = {word for words in (generate.words("train"), generate.words("test")) for word in rude(words)}
    for split in SPLITS:
        for pair in written_pairs(split, 150, 4):
            for neutral in pair.neutrals:
                assert not listed & set(re.findall(r"[\w']+", neutral.lower())), pair


def test_train_and_test_share_no_template_and_no_rude_word() -> None:
    train, test = (generate.words(split) for split in SPLITS)
    for slot in train.keys() - HARMLESS:
        assert not set(train[slot]) & set(test[slot]), slot
    for templates in generate.templates().values():
        assert not {one.rude for one in templates["train"]} & {one.rude for one in templates["test"]}


def test_fewer_than_one_is_an_error() -> None:
    with pytest.raises(ConfigError, match="per_kind is 0"):
        written_pairs("train", 0, 1)


def rude(words: dict[str, tuple[str, ...]]) -> set[str]:
    """The single words of the slots that are rude."""
    return {word for slot in words.keys() - HARMLESS for word in words[slot] if " " not in word} - {
        "useless"
    }
