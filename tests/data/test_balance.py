"""A plan takes each text once, keeps its proportions, and says how far it was met."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from unbarb.data.balance import Plan, balance, classes_of, load_plan, presets
from unbarb.errors import ConfigError

NONE = frozenset({"none"})
TOXIC = frozenset({"toxicity"})
INSULT = frozenset({"toxicity", "insult"})
THREAT = frozenset({"toxicity", "insult", "threat"})


def plan(short: str = "scale", **counts: int) -> Plan:
    return Plan.of("made", {"train": counts, "short": short})


def test_the_presets_are_the_plans_of_the_six_label_classifier() -> None:
    full = presets()["six-labels-7400"]
    assert sum(full.splits["train"].values()) == 7400
    assert full.splits["train"]["threat"] == 400
    assert full.splits["test"] == dict.fromkeys(full.splits["train"], 50)
    assert len(presets()) == 3


def test_a_plan_that_can_be_met_is_met() -> None:
    rows = [NONE] * 50 + [TOXIC] * 30 + [THREAT] * 10
    done = balance(rows, plan(none=20, toxicity=10, threat=5), "train", seed=1)
    assert done.scale == 1
    assert done.taken == {"none": 20, "toxicity": 10, "threat": 5}
    assert Counter(rows[index] for index in done.chosen) == {NONE: 20, TOXIC: 10, THREAT: 5}


def test_a_text_with_many_labels_enters_once() -> None:
    rows = [THREAT] * 6
    done = balance(rows, plan(toxicity=2, insult=2, threat=2), "train", seed=1)
    assert done.taken == {"toxicity": 2, "insult": 2, "threat": 2}
    assert list(done.chosen) == [0, 1, 2, 3, 4, 5]
    assert done.labels == {"toxicity": 6, "insult": 6, "threat": 6}
    short = balance(rows[:3], plan(toxicity=2, insult=2, threat=2), "train", seed=1)
    assert (short.scale, sum(short.taken.values())) == (0.5, 3)


def test_where_texts_are_short_the_whole_plan_shrinks() -> None:
    rows = [NONE] * 1000 + [INSULT] * 500 + [THREAT] * 40
    done = balance(rows, plan(none=1500, insult=1000, threat=400), "train", seed=1)
    assert done.scale == pytest.approx(0.1, abs=0.001)
    assert done.taken == {"none": 150, "insult": 100, "threat": 40}
    assert done.there == {"none": 1000, "insult": 540, "threat": 40}


def test_or_each_class_takes_what_is_there() -> None:
    rows = [NONE] * 1000 + [INSULT] * 500 + [THREAT] * 40
    done = balance(rows, plan("take", none=1500, insult=300, threat=400), "train", seed=1)
    assert done.taken == {"none": 1000, "insult": 300, "threat": 40}


def test_a_rare_class_is_not_used_up_by_a_frequent_one() -> None:
    rows = [THREAT] * 10 + [INSULT] * 10 + [TOXIC] * 10
    done = balance(rows, plan(toxicity=10, insult=10, threat=10), "train", seed=1)
    assert done.scale == 1
    assert len(set(done.chosen)) == 30


def test_which_texts_are_taken_depends_on_the_seed_alone() -> None:
    rows = [NONE] * 100
    chosen = [balance(rows, plan(none=10), "train", seed).chosen for seed in (1, 1, 2)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert list(chosen[0]) != list(range(10))


def test_a_class_that_no_text_has_is_an_error_that_says_what_is_there() -> None:
    with pytest.raises(ConfigError, match=r"plan made, train: no text of class threat is there \(none 5\)"):
        balance([NONE] * 5, plan(none=2, threat=2), "train", seed=1)


def test_classes_of_a_row() -> None:
    assert classes_of({"toxicity": 0.5, "threat": 0.49}) == {"toxicity"}
    assert classes_of({"toxicity": 0.0}) == {"none"}
    assert classes_of({"spam": 0.0}) == {"none"}
    assert classes_of({"identity_attack": 0.0}) == set(), "it may be toxic in another way"


def test_anybody_can_write_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("train: {threat: 40, none: 60}\nshort: take\n")
    assert load_plan(str(path)).splits == {"train": {"threat": 40, "none": 60}}
    assert load_plan(str(path)).short == "take"


def test_everything_wrong_with_a_plan_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("trian: {threat: 40}\ntest: {none: -1, threat: many}\nshort: fill\n")
    with pytest.raises(ConfigError) as said:
        load_plan(str(path))
    message = str(said.value)
    assert "unknown key 'trian'; did you mean 'train'?" in message
    assert "test: 'none' is -1; a whole number above 0 is needed" in message
    assert "test: 'threat' is 'many'" in message
    assert "short is 'fill'; it may be scale or take" in message


def test_an_unknown_plan_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'six-labels-7400'"):
        load_plan("six-label-7400")
