"""Which words are hidden: three numbers each, an absolute gate, and words that always stand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import tiny_experts as tiny
from unbarb.detect.wordpiece import words_of
from unbarb.rewrite.infill.experts_torch import TorchExperts, load_experts
from unbarb.rewrite.infill.pieces import cut
from unbarb.rewrite.infill.score import calibrate, kept_words, mask, score
from unbarb.rewrite.infill.settings import Gate
from unbarb.text import Span

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
TEXTS = ("You are an idiot, and a fool!", "What a stupid dog", "He never said so.", "Big kind man ran home")


@pytest.fixture(scope="module")
def experts(tmp_path_factory: pytest.TempPathFactory) -> TorchExperts:
    return load_experts(tiny.write(tmp_path_factory.mktemp("experts")))


def kept(text: str) -> list[str]:
    words = words_of(text)
    return [word.of(text) for word, held in zip(words, kept_words(text, words), strict=True) if held]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("you idiot, call me at 5", [",", "5"]),
        ("the three fools ran home", ["three"]),
        ("you are not a person", ["not"]),
        ("I don't like that idiot", ["don", "'t"]),
        ("he said that Anna is a stupid dog", ["Anna"]),
        ("YOU ARE A STUPID DOG", []),
        ("see https://a.example/fool you fool", ["https", ":", "/", "/", "a", ".", "example", "/", "fool"]),
        ("write to fool@stupid.example now", ["fool", "@", "stupid", ".", "example"]),
        ("@stupid you are a fool", ["@", "stupid"]),
        ("never a good dog", ["never"]),
    ],
)  # fmt: skip
def test_numbers_names_links_and_negations_stand(text: str, said: list[str]) -> None:
    assert kept(text) == said


def test_kept_words_are_never_hidden_however_they_score(experts: TorchExperts) -> None:
    text = "he never told Anna about 12 stupid dogs at https://a.example now"
    found = score(text, experts, lambda texts: [1.0] + [0.0] * (len(texts) - 1))
    hidden = mask(found, Gate(-1e9, 0.0, drop=0.0), limit=1.0)
    words = {word for span in hidden for word in span.of(text).split()}
    assert hidden
    assert not words & {"never", "Anna", "12", "https://a.example"}


def test_each_word_has_its_three_numbers(experts: TorchExperts) -> None:
    text = TEXTS[0]

    def classify(texts: Sequence[str]) -> list[float]:
        return [0.9 if "idiot" in one else 0.2 for one in texts]

    found = score(text, experts, classify)
    assert [word.word for word in found] == ["You", "are", "an", "idiot", ",", "and", "a", "fool", "!"]
    assert [text[word.start : word.end] for word in found] == [word.word for word in found]
    assert {word.word: round(word.drop, 6) for word in found if not word.kept} == {
        "You": 0.0, "are": 0.0, "an": 0.0, "idiot": 0.7, "and": 0.0, "a": 0.0, "fool": 0.0,
    }  # fmt: skip
    assert sum(word.normalised for word in found) == pytest.approx(len(found))
    assert all(0.0 <= word.distance <= 0.8326 for word in found)


def test_a_word_of_several_pieces_is_one_word_by_the_chain_rule(experts: TorchExperts) -> None:
    found = cut("what a zebra", experts.tokenizer)
    assert [len(found.between(at, at + 1)) for at in range(3)] == [1, 1, 5]
    whole = score("what a zebra", experts)[2].signed
    from unbarb.rewrite.infill.experts import Gap

    by_hand = 0.0
    for at in range(5):
        views = experts.views([Gap(found.ids[: 2 + at], 5 - at, ())])
        piece = found.ids[2 + at]
        by_hand += float(views.anti[0, piece] - views.expert[0, piece])
    assert whole == pytest.approx(by_hand, abs=1e-4)


def test_identical_experts_hide_nothing(tmp_path: Path) -> None:
    experts = load_experts(tiny.write(tmp_path, alike=True))
    for text in TEXTS:
        found = score(text, experts, lambda texts: [1.0] + [0.0] * (len(texts) - 1))
        assert all(word.signed == 0.0 and word.distance < 1e-6 for word in found)
        assert mask(found, Gate()) == []


def test_the_gate_is_absolute(experts: TorchExperts) -> None:
    found = score(TEXTS[0], experts)
    most = max(word.signed for word in found if not word.kept)
    assert mask(found, Gate(most + 0.1, 0.0)) == []
    assert len(mask(found, Gate(most, 0.0))) == 1


def test_neighbours_are_one_stretch_and_no_more_than_half_is_hidden(experts: TorchExperts) -> None:
    found = score(TEXTS[3], experts, lambda texts: [1.0] + [0.0] * (len(texts) - 1))
    from dataclasses import replace

    all_bad = [replace(word, signed=float(9 - at)) for at, word in enumerate(found)]
    assert mask(all_bad, Gate(1.0, 0.0), limit=1.0) == [Span(0, len(TEXTS[3]))]
    assert mask(all_bad, Gate(1.0, 0.0)) == [Span(0, len("Big kind"))]


def test_calibration_lets_as_many_words_through_as_it_was_told(experts: TorchExperts) -> None:
    gate, words = calibrate(experts, TEXTS, 0.2)
    signed = [word.signed for text in TEXTS for word in score(text, experts) if not word.kept]
    assert words == len(signed)
    assert gate.signed == pytest.approx(max(0.0, float(np.quantile(signed, 0.8))))
    assert sum(one >= gate.signed for one in signed) <= 0.2 * words + 1


def test_what_a_user_writes_is_never_a_mask(experts: TorchExperts) -> None:
    assert experts.mask not in cut("you [MASK] fool", experts.tokenizer).ids
