"""The sentences say what their behaviour says, and train and test have nothing in common that counts."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from typing import Literal

import pytest

from unbarb.data.behaviours import identity_swaps, names, sentences
from unbarb.data.behaviours.dress import dress
from unbarb.data.behaviours.fill import fill
from unbarb.data.behaviours.material import claims, groups, margins, patterns, words
from unbarb.data.behaviours.spell import VARIANTS
from unbarb.data.split import leaks
from unbarb.errors import ConfigError
from unbarb.text import LABELS

SHARED_SLOTS = {"when"}
SPLITS: tuple[Literal["train", "test"], ...] = ("train", "test")
HATEFUL = {
    *("negative_emotion", "negative_description", "dehumanisation", "implied_derogation", "group_threat"),
    *(
        "normative_threat",
        "slur_hate",
        "profane_hate",
        "referring_clause",
        "negated_worth",
        "hateful_question",
    ),
    *("hateful_opinion", "hate_beside_negation", "quoted_and_shared", "swapped_hate", "dropped_hate"),
    *("joined_hate", "spaced_hate", "leet_hate"),
}


def plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z{}=_ ]", "", text.lower()).split())


def test_every_behaviour_has_enough_templates_in_both_splits() -> None:
    assert len(patterns()) == 40
    for pattern in patterns().values():
        assert len(set(pattern.templates["train"])) >= 25, pattern.name
        assert len(set(pattern.templates["test"])) >= 10, pattern.name


def test_no_template_is_in_both_splits() -> None:
    train, test = (
        {plain(each) for pattern in patterns().values() for each in pattern.templates[split]}
        | {plain(each) for each in claims(split)}
        for split in SPLITS
    )
    assert train & test == set()
    assert len(train) > 900


def test_no_slot_word_or_margin_is_in_both_splits() -> None:
    train, test = words("train"), words("test")
    assert train.keys() == test.keys()
    assert {slot for slot in train if set(train[slot]) & set(test[slot])} == SHARED_SLOTS
    decisive = (
        "hate",
        "disgust",
        "bad",
        "scum",
        "vermin",
        "attack",
        "be_done",
        "slurs",
        "insult",
        "rude",
        "emotion",
        "named",
        "called",
    )
    assert sum(len(train[slot]) for slot in decisive) >= 250
    assert not {each for slot in decisive for each in train[slot]} & {
        each for slot in decisive for each in test[slot]
    }
    for kind, around in margins("train").items():
        assert not set(around) & set(margins("test")[kind])


def test_splits_share_the_core_groups_only() -> None:
    train, test = ({group.adjective for group in groups(split)} for split in SPLITS)
    assert len(train & test) == 7
    assert len(train | test) > 45


@pytest.mark.parametrize("split", SPLITS)
def test_counts_labels_and_repeatability(split: Literal["train", "test"]) -> None:
    found = sentences(split, 60, seed=5)
    assert found == sentences(split, 60, seed=5)
    assert found != sentences(split, 60, seed=6)
    by_behaviour = defaultdict(list)
    for sentence in found:
        by_behaviour[sentence.behaviour].append(sentence)
    assert tuple(by_behaviour) == names()
    for name, group in by_behaviour.items():
        assert len({sentence.text for sentence in group}) == len(group) == 60, name
        assert all(sentence.labels.get("identity_attack", 0.0) == (name in HATEFUL) for sentence in group)
    assert {label for sentence in found for label in sentence.labels} <= set(LABELS)
    assert not [sentence.text for sentence in found if re.search(r"[{}|]|\s\s|^\s|\s$", sentence.text)]


def test_train_and_test_sentences_do_not_leak() -> None:
    train, test = ([each.labelled() for each in sentences(split, 200, seed=1)] for split in SPLITS)
    assert leaks(train, test) == []


def test_labels_say_what_the_behaviour_is() -> None:
    labels = {name: pattern.labels for name, pattern in patterns().items()}
    assert labels["group_threat"]["threat"] == labels["personal_threat"]["threat"] == 1
    assert labels["abused_person"] == {"toxicity": 1, "insult": 1, "identity_attack": 0, "threat": 0}
    assert "toxicity" not in labels["clean_profanity"]
    for name in ("neutral_identity", "positive_identity", "negated_hate", "violent_words", "homonym"):
        assert dict(labels[name]) == dict.fromkeys(LABELS, 0.0)


def test_an_example_says_where_it_comes_from() -> None:
    example = sentences("test", 1, seed=0)[0].labelled()
    assert (example.source, example.spans) == ("behaviours", None)


@pytest.mark.parametrize("split", SPLITS)
def test_swaps_differ_in_the_group_only(split: Literal["train", "test"]) -> None:
    found = [each.text.lower() for each in identity_swaps(split, 6, seed=2)]
    everybody = groups(split)
    assert len(found) == 6 * len(everybody)
    for start in range(0, len(found), len(everybody)):
        rest = set()
        for text, group in zip(found[start : start + len(everybody)], everybody, strict=True):
            named = [group.adjective, *(form for pair in group.forms for form in pair)]
            shapes = [text.replace(name.lower(), "X") for name in named if name.lower() in text]
            shortest = min(shapes, key=len)
            rest.add(re.sub(r"\ban? X", "a X", shortest))
        assert len(rest) == 1


def test_a_template_is_filled_in_plain_english() -> None:
    for seed in range(200):
        text = fill(
            "every {one} is a {insult} and {many} are so {bad}, said {other}", "train", random.Random(seed)
        )
        assert not re.search(r"\ba [aeio]|so an? |\{|\}", text), text
    assert fill("I will {attack} them", "train", random.Random(3)).endswith("them") or "them up" in fill(
        "I will {attack} them", "train", random.Random(3)
    )


def test_plain_dress_adds_a_capital_and_a_stop() -> None:
    rng = random.Random(0)
    assert dress('"a" is wrong', "train", rng, plain=True) == '"A" is wrong.'
    assert dress("is it?", "train", rng, plain=True) == "Is it?"


def test_variants_change_spelling_and_keep_most_letters() -> None:
    text = "those people are stupid and dirty animals"
    for name, variant in VARIANTS.items():
        changed = [variant(text, random.Random(seed)) for seed in range(30)]
        assert sum(each != text for each in changed) >= 29, name
        if name in ("swapped", "joined", "spaced"):
            letters = [sorted(filter(str.isalpha, each)) for each in changed]
            assert all(each == sorted(filter(str.isalpha, text)) for each in letters), name
    assert {len(VARIANTS["dropped"](text, random.Random(seed))) for seed in range(30)} == {len(text) - 2}
    assert VARIANTS["joined"]("word", random.Random(0)) == "word"


def test_wrong_use_is_refused() -> None:
    with pytest.raises(ConfigError, match="not one of train, test"):
        sentences("dev", 1, 0)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="1 or more"):
        sentences("train", 0, 0)
