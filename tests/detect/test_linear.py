"""The second opinion: its features are pinned, its weights load safely, its scores stand by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unbarb.data.examples import Labelled
from unbarb.detect.features import ROWS, rows
from unbarb.detect.linear import Linear, LinearWeights
from unbarb.errors import InputError, ModelError
from unbarb.train.linear import LinearSettings, learnt, matrix, quantized, train_linear

RUDE = ("you are an idiot", "what a moron", "total idiot move", "he is a moron and an idiot", "idiot !")
KIND = ("you are a friend", "what a day", "total surprise move", "he is a doctor and a father", "hello !")


def _examples(repeat: int, tail: str) -> list[Labelled]:
    return [
        Labelled(f"{text} {tail}{i}", {"toxicity": float(text in RUDE)}, None, "own", f"{tail}{i}{text}")
        for i in range(repeat)
        for text in RUDE + KIND
    ]


@pytest.fixture(scope="module")
def weights() -> LinearWeights:
    settings = LinearSettings(labels=("toxicity",), strength=1.0)
    return train_linear(_examples(6, "a"), _examples(2, "b"), settings)


@pytest.fixture
def linear(weights: LinearWeights, tmp_path: Path) -> Linear:
    weights.save(tmp_path / "linear.npz")
    return Linear(tmp_path / "linear.npz")


def test_rows_are_pinned() -> None:
    # Stored weights mean nothing to other rows: if this fails, every model has to be trained again.
    assert rows("a").tolist() == [14313, 15927, 174274, 234717]
    assert rows("Don't be mean!").sum() == 6714214
    assert len(rows("Don't be mean!")) == 49


def test_rows_do_not_depend_on_case_or_surroundings() -> None:
    assert rows("Foo BAR").tolist() == rows("foo bar").tolist()
    assert set(rows("foo bar")) <= set(rows("say foo bar twice"))
    assert set(rows("foo bar foo")) == set(rows("foo bar " * 3000))


@pytest.mark.parametrize("text", ["", " \n", "\ud800", "🙂🙂", "x" * 5000, "שלום עולם"])
def test_rows_of_any_text_are_ascending_and_in_the_table(text: str) -> None:
    found = rows(text)
    assert (np.diff(found) > 0).all()
    assert not len(found) or (found.min() >= 0 and found.max() < ROWS)


def test_words_in_another_order_differ() -> None:
    assert set(rows("dog bites man")) != set(rows("man bites dog"))


def test_it_learns(linear: Linear) -> None:
    rude, kind = linear.detect(["such an idiot", "such a friend"])
    assert rude.scores["toxicity"] > 0.6 > 0.4 > kind.scores["toxicity"]
    assert rude.models == {"linear": linear.digest}
    assert linear.digest.startswith("sha256:")


def test_a_batch_gives_what_single_texts_give(linear: Linear) -> None:
    texts = ["", "an idiot", "🙂", "nothing to see here"]
    assert linear.detect(texts) == [linear.detect([text])[0] for text in texts]


def test_a_long_text_is_read_by_its_sentences(linear: Linear) -> None:
    long = "The weather was calm over the hills. " * 30
    hidden = linear.score(long + "You idiot!")["toxicity"]
    assert hidden > linear.score(long)["toxicity"]
    assert hidden >= linear.score("You idiot!")["toxicity"] - 1e-4


def test_missing_and_damaged_files_are_named(tmp_path: Path, weights: LinearWeights) -> None:
    with pytest.raises(ModelError, match=r"gone\.npz"):
        Linear(tmp_path / "gone.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(ModelError, match=r"bad\.npz"):
        Linear(tmp_path / "bad.npz")
    small = LinearWeights(
        weights.labels, weights.table[:10], weights.scale, weights.bias, weights.slope, weights.shift
    )
    small.save(tmp_path / "small.npz")
    with pytest.raises(ModelError, match="the table is"):
        Linear(tmp_path / "small.npz")


def test_one_kind_of_text_is_not_enough() -> None:
    clean = [example for example in _examples(2, "a") if not example.labels["toxicity"]]
    with pytest.raises(InputError, match="some with and some without"):
        train_linear(clean, clean, LinearSettings(labels=("toxicity",)))
    with pytest.raises(InputError, match="unknown label 'rude'"):
        train_linear(clean, clean, LinearSettings(labels=("rude",)))


def test_stored_weights_are_close_and_training_rows_have_length_one() -> None:
    coefficients = np.linspace(-3, 3, 2 * ROWS, dtype=np.float32).reshape(ROWS, 2)
    table, scale = quantized(coefficients)
    assert np.abs(table * scale - coefficients).max() <= scale.max() * 0.51
    lengths = np.sqrt(matrix(_examples(1, "a")).multiply(matrix(_examples(1, "a"))).sum(1))
    assert lengths == pytest.approx(np.ones((10, 1)), abs=1e-5)


def test_texts_of_a_corpus_count_as_much_as_the_settings_say() -> None:
    rude = [Labelled(f"turnip {i}", {"toxicity": 1.0}, None, "one", str(i)) for i in range(40)]
    kind = [Labelled(f"turnip {i}", {"toxicity": 0.0}, None, "other", str(i)) for i in range(40)]
    more = [
        Labelled(f"carrot {i}", {"toxicity": float(i % 2)}, None, s, str(i))
        for i in range(40)
        for s in ("one", "other")
    ]

    def logit(weights: dict[str, float]) -> float:
        settings = LinearSettings(labels=("toxicity",), weights=weights)
        return float(learnt(rude + kind + more, settings).logits(rows("turnip"))[0])

    assert logit({"other": 0.01}) > logit({}) > logit({"one": 0.01})


def test_a_label_counts_in_a_sum_as_much_as_the_settings_say() -> None:
    examples = [replace(one, labels={**one.labels, "insult": 1.0 - one.labels["toxicity"]})
                for one in _examples(20, "a")]  # fmt: skip
    settings = LinearSettings(labels=("toxicity", "insult"))
    plain = learnt(examples, settings).logits(rows("you idiot"))
    louder = learnt(examples, replace(settings, counts={"insult": 1.5})).logits(rows("you idiot"))
    assert louder == pytest.approx(plain * (1, 1.5))
    with pytest.raises(InputError, match="'threat'; learnt are toxicity, insult"):
        learnt(examples, replace(settings, counts={"threat": 1.5}))
