"""The word list and the detector over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.data.lists import Half, lookalikes, obfuscated
from unbarb.detect import wordlist
from unbarb.detect.doubt import doubted
from unbarb.detect.lexicon import DISGUISED, FOREIGN, Lexicon
from unbarb.detect.protocol import Detector
from unbarb.errors import ModelError
from unbarb.text import LABELS, Analysis


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon()


def detect(lexicon: Lexicon, text: str) -> Analysis:
    return lexicon.detect([text])[0]


def test_it_is_a_detector(lexicon: Lexicon) -> None:
    detector: Detector = lexicon
    assert detector.name == "lexicon"
    assert detector.labels <= set(LABELS)


def test_the_list_is_sound() -> None:
    listed = wordlist.load()
    entries = {entry.text: entry for entry in listed.words.values()}
    assert len(entries) > 400
    for entry in entries.values():
        assert set(entry.labels) <= set(LABELS)
        assert entry.severity in (1, 2, 3)
        assert entry.sense in ("always", "mostly", "ambiguous")
        assert entry.precision is None or entry.n >= 5
    assert not listed.innocent & listed.words.keys()
    assert not listed.spellings.keys() & listed.words.keys()


def test_the_card_names_the_digest(lexicon: Lexicon) -> None:
    card = json.loads((wordlist.FOLDER / "card.json").read_text("utf-8"))
    assert card["digest"] == lexicon.digest
    assert {source["licence"] for source in card["sources"]} == {"Apache-2.0", "MIT", "CC-BY-4.0"}


def test_a_disguised_insult_counts_less_in_a_longer_text(lexicon: Lexicon) -> None:
    text = "you are an 1d!0t, friend" + " and the day is long" * 3
    less = doubted(DISGUISED, len(text.split()))
    assert less < DISGUISED - 0.01
    assert detect(lexicon, text).scores["insult"] == pytest.approx(less)


def test_a_disguised_insult_raises_the_alarm(lexicon: Lexicon) -> None:
    text = "you are an 1d!0t, friend"
    found = detect(lexicon, text)
    assert found.scores["toxicity"] == found.scores["insult"] == DISGUISED
    assert [finding.span.of(text) for finding in found.findings] == ["1d!0t"]
    assert found.findings[0].reason == "lexicon entry 'idiot', written '1d!0t'"
    assert found.findings[0].source == "lexicon"
    assert [(word.start, word.end) for word in found.words] == [(11, 16)]
    assert found.coverage == 1.0
    assert found.models == {"lexicon": lexicon.digest}


@pytest.mark.parametrize(
    "text", ["damn, that is good", "what an idiot", "this is shit", "a stupid idea", "holy crap"]
)
def test_a_plain_rude_word_alone_does_not(lexicon: Lexicon, text: str) -> None:
    assert 0 < detect(lexicon, text).scores["toxicity"] < 0.5


@pytest.mark.parametrize(
    ("text", "label"),
    [("you asshole", "insult"), ("go kill yourself", "threat"), ("what a retard", "insult")],
)
def test_a_severe_insult_with_one_sense_does(lexicon: Lexicon, text: str, label: str) -> None:
    assert detect(lexicon, text).scores[label] >= 0.6


def test_inflections_and_phrases_are_entries(lexicon: Lexicon) -> None:
    text = "Idiots! Shut the fuck up, low-lifes."
    assert [finding.span.of(text) for finding in detect(lexicon, text).findings] == [
        "Idiots",
        "Shut the fuck up",
        "low-lifes",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Dick Cheney spoke",
        "Moby Dick",
        "pussy willows bloom",
        "a chink in the armour",
        "spick and span",
        "a Maine coon",
        "fire retardants",
        "Scunthorpe, Penistone, Clitheroe",
        "run git push",
    ],
)
def test_exceptions_are_quiet(lexicon: Lexicon, text: str) -> None:
    assert not detect(lexicon, text).findings


def test_links_and_mentions_are_not_words(lexicon: Lexicon) -> None:
    assert not detect(lexicon, "see http://idiot.org/moron and @idiot").findings


def test_other_languages_score_low(lexicon: Lexicon) -> None:
    found = detect(lexicon, "Das Buch ist sehr dick und der Tag ist schön")
    assert found.language == "de"
    assert 0 < found.scores["toxicity"] <= FOREIGN


@pytest.mark.parametrize("half", ["tune", "held"])
def test_disguised_insults_are_found(lexicon: Lexicon, half: Half) -> None:
    texts = obfuscated(half)
    missed = [text for text in texts if detect(lexicon, text).scores["toxicity"] < 0.5]
    assert len(texts) >= 300
    assert len(missed) <= 0.05 * len(texts), missed


@pytest.mark.parametrize("half", ["tune", "held"])
def test_look_alikes_are_not_flagged(lexicon: Lexicon, half: Half) -> None:
    texts = lookalikes(half)
    flagged = [text for text in texts if detect(lexicon, text).scores["toxicity"] >= 0.5]
    assert len(texts) >= 700
    assert len(flagged) <= 0.01 * len(texts), flagged


@given(st.lists(st.text(max_size=60), max_size=4))
def test_any_text_gives_true_offsets(texts: list[str]) -> None:
    lexicon = Lexicon()
    found = lexicon.detect(texts)
    assert [analysis.text for analysis in found] == texts
    for analysis in found:
        assert all(0 <= f.start < f.end <= len(analysis.text) for f in analysis.findings)
        assert all(0 <= w.start < w.end <= len(analysis.text) for w in analysis.words)
        assert analysis == lexicon.detect([analysis.text])[0]


def test_a_damaged_list_says_which_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordlist, "FOLDER", tmp_path)
    (tmp_path / "lexicon.tsv").write_text("# entry\nidiot\tinsult\n", "utf-8")
    with pytest.raises(ModelError, match=r"line 2: .*nine columns"):
        wordlist.load.__wrapped__()
    (tmp_path / "lexicon.tsv").unlink()
    with pytest.raises(ModelError, match=r"lexicon\.tsv.*install unbarb again"):
        wordlist.load.__wrapped__()
