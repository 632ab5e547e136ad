"""N-grams beside the encoder: their logits are added, and a folder may lack them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from unbarb.detect.doubt import doubt
from unbarb.detect.embedded import Embedded, read_card
from unbarb.detect.features import ROWS, rows
from unbarb.detect.gate import CALM
from unbarb.detect.linear import LinearWeights
from unbarb.detect.ngrams import ALONE, MOST, NGRAMS, TELLING, Ngrams
from unbarb.detect.wordpiece import words_of
from unbarb.errors import ModelError
from unbarb.export.bundle import write_card
from unbarb.text import LABELS

TEXT = "the weather is a turnip"


def _weights(word: str, scale: float = 1.0, labels: tuple[str, ...] = LABELS) -> LinearWeights:
    """Weights of the n-grams of `word`, the same for every label; probabilities need no calibration."""
    table = np.zeros((ROWS, len(labels)), np.int8)
    table[rows(word)] = 100
    one = np.ones(len(labels), np.float32)
    return LinearWeights(labels, table, one * np.float32(scale), one * 0, one, one * 0)


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_model, tmp_path / "model")
    return tmp_path / "model"


def test_the_logits_of_a_texts_ngrams_are_added_to_the_encoders(tiny_model: Path) -> None:
    plain = Embedded(tiny_model, gate=False)
    weights = _weights("turnip", 0.005)
    both = Embedded(tiny_model, gate=False, ngrams=Ngrams(weights))
    added = both.logits([TEXT]) - plain.logits([TEXT])
    assert added == pytest.approx(weights.logits(rows(TEXT))[None], abs=1e-4)
    assert 1 < added.min() < MOST
    assert both.detect([TEXT])[0].scores["toxicity"] > plain.detect([TEXT])[0].scores["toxicity"]


def test_what_ngrams_add_is_bounded_and_what_they_take_is_not() -> None:
    words = TEXT.split()
    assert np.max(Ngrams(_weights("turnip", 100)).logits(words)) == MOST
    assert np.max(Ngrams(_weights("turnip", -1)).logits(words)) < -10 * MOST


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ('To call me "a turnip" is wrong', TELLING),
        ('They said:"a turnip"', TELLING),
        ("They said “a turnip” to me", TELLING),
        ("He called me a turnip", TELLING),
        ("Stop calling people turnip", TELLING),
        ("I have been called a turnip", TELLING),
        ("I call you a turnip", MOST),
        ("Call the doctor, turnip", MOST),
        ('"You turnip"', MOST),
        ('"You turnip" and no more', MOST),
        ('You are 6" tall, turnip', MOST),
        ('You turnip "" you', MOST),
    ],
)
def test_ngrams_add_little_to_a_text_that_tells_of_what_others_say(text: str, most: float) -> None:
    ngrams = Ngrams(_weights("turnip", 100))
    words = [span.of(text) for span in words_of(text)]
    assert np.max(ngrams.logits(words)) == np.max(ngrams.of([text])) == most


def test_a_text_that_quotes_may_alarm_the_gate_too(tiny_model: Path) -> None:
    detector = Embedded(tiny_model, ngrams=Ngrams(_weights("turnip", 100)))
    assert detector.ngrams.of(['the weather is "a turnip"'])[0, 0] == TELLING
    assert detector.detect(['the weather is "a turnip"'])[0].words  # what is settled has none


def test_calibration_is_of_the_sum(tiny_model: Path) -> None:
    weights = _weights("turnip")
    weights.slope[:], weights.shift[:] = 0.5, -1.0
    detector = Embedded(tiny_model, gate=False, ngrams=Ngrams(weights))
    expected = 1 / (1 + np.exp(-(0.5 * detector.logits([TEXT])[0] - 1)))
    assert [*detector.detect([TEXT])[0].scores.values()] == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_sentence_heard_alone_counts_with_its_own_ngrams_where_the_texts_are_much_less(
    tiny_model: Path,
) -> None:
    plain, rude = Embedded(tiny_model, gate=False), "You idiot."
    text = "The day was good and the book was new. " * 6 + rude
    weights = _weights("idiot", 0.005)
    weights.table[rows("The day was good and the book was new.")] = -127
    both = Embedded(tiny_model, gate=False, ngrams=Ngrams(weights))
    own, whole = weights.logits(rows(rude))[0], weights.logits(rows(text))[0]
    assert own - ALONE > whole
    words = 6 * 10 + 3
    alone = plain.logits([rude])[0, 0] + doubt(3) - doubt(words)
    assert both.logits([text])[0, 0] == pytest.approx(alone + own - ALONE, abs=0.01)
    little_less = np.full(len(LABELS), own - ALONE / 2, np.float32)
    assert both.ngrams.alone(little_less, rude.split()).tolist() == little_less.tolist()


def test_the_gate_settles_nothing_that_alarms_the_ngrams(tiny_model: Path) -> None:
    plain = Embedded(tiny_model).detect([TEXT])[0]
    assert not plain.words  # what was settled has no words
    calm, alarmed = (
        Embedded(tiny_model, ngrams=Ngrams(_weights("turnip", scale))) for scale in (1e-3, 0.005)
    )
    assert calm.ngrams.of([TEXT])[0, 0] < CALM < alarmed.ngrams.of([TEXT])[0, 0]
    assert not calm.detect([TEXT])[0].words
    assert alarmed.detect([TEXT]) == alarmed.ungated.detect([TEXT])


def test_what_is_settled_is_ranked_by_the_ngrams_too(tiny_model: Path) -> None:
    detector = Embedded(tiny_model, ngrams=Ngrams(_weights("turnip", 1e-3)))
    texts = ["the weather is fine", TEXT]
    less, more = (one.scores["toxicity"] for one in detector.detect(texts))
    few, many = detector.ngrams.of(texts)[:, 0]
    assert more / less == pytest.approx(np.exp(many - few), rel=0.01)
    assert more > 1.2 * less


def test_innocent_words_are_read_as_the_encoder_reads_them(tiny_model: Path) -> None:
    detector = Embedded(tiny_model, gate=False, ngrams=Ngrams(_weights("pussy")))
    spared, meant = detector.logits(["a pussy willow", "a pussy person"])[:, 0]
    assert spared < meant - 1


def test_a_folder_says_in_its_card_whether_it_has_ngrams(folder: Path) -> None:
    before = Embedded(folder, gate=False).logits([TEXT])
    card = {key: value for key, value in read_card(folder).items() if key != "files"}
    _weights("turnip").save(folder / NGRAMS)
    write_card(card, folder)
    assert NGRAMS in json.loads((folder / "card.json").read_text())["files"]
    assert Embedded(folder, gate=False).logits([TEXT])[0, 0] > before[0, 0] + 1
    (folder / NGRAMS).unlink()
    with pytest.raises(ModelError, match=NGRAMS):
        Embedded(folder)


def test_ngrams_of_other_labels_are_refused(tmp_path: Path) -> None:
    _weights("x", labels=("toxicity",)).save(tmp_path / NGRAMS)
    with pytest.raises(ModelError, match=r"of labels toxicity; needed are toxicity, severe_toxicity"):
        Ngrams.load(tmp_path)
