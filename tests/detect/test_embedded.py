"""The embedded detector on a model whose answers are known: scores, findings, windows, gate."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbarb.detect.embedded import Embedded, card_digest, read_card
from unbarb.errors import ModelError
from unbarb.text import LABELS


@pytest.fixture(scope="module")
def detector(tiny_model: Path) -> Embedded:
    return Embedded(tiny_model)


def test_an_insult_is_scored_and_found_where_it_stands(detector: Embedded) -> None:
    (analysis,) = detector.detect(["Please stop, you stupid idiot!"])
    assert set(analysis.scores) == set(LABELS)
    assert analysis.scores["toxicity"] > 0.9
    assert analysis.scores["threat"] < 0.1
    (finding,) = analysis.findings
    assert finding.span.of(analysis.text) == "stupid idiot"
    assert (finding.label, finding.source) == ("insult", "embedded")
    assert analysis.models == {"embedded": detector.digest}
    assert analysis.coverage == 1.0


def test_the_findings_label_is_the_strongest_specific_one(detector: Embedded) -> None:
    labels = [detector.detect([text])[0].findings[0].label for text in ("I will kill you", "you vermin")]
    assert labels == ["threat", "identity_attack"]


def test_insults_with_words_between_are_two_findings(detector: Embedded) -> None:
    text = "an idiot and a moron, fool"
    (analysis,) = detector.detect([text])
    assert [finding.span.of(text) for finding in analysis.findings] == ["idiot", "moron", "fool"]


def test_clean_text_is_settled_by_the_gate_and_read_without_it(detector: Embedded) -> None:
    (settled,) = detector.detect(["The weather is nice."])
    (read,) = detector.ungated.detect(["The weather is nice."])
    assert settled.settled
    assert not read.settled
    assert settled.words == settled.findings == ()
    assert len(read.words) == 5
    assert max(settled.scores.values()) < 0.1
    assert max(read.scores.values()) < 0.1
    assert read.findings == ()


def test_the_ungated_twin_shares_what_is_loaded(detector: Embedded) -> None:
    assert detector.ungated is detector.ungated
    assert detector.ungated._trunk is detector._trunk
    assert detector._gate is not None


def test_words_lie_in_the_original(detector: Embedded) -> None:
    text = "Yοu are an іdiot"  # Greek and Cyrillic letters
    (analysis,) = detector.detect([text])
    assert [text[word.start : word.end] for word in analysis.words] == ["Yοu", "are", "an", "іdiot"]
    assert [finding.span.of(text) for finding in analysis.findings] == ["іdiot"]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\u200b", "\ufe0f"])
def test_text_without_words_scores_nothing(detector: Embedded, text: str) -> None:
    for one in (detector, detector.ungated):
        (analysis,) = one.detect([text])
        assert max(analysis.scores.values()) < 0.1
        assert analysis.findings == ()


@pytest.mark.parametrize("before", [0, 1, 120, 126, 127, 700])
def test_an_insult_is_found_wherever_it_stands(detector: Embedded, before: int) -> None:
    text = "go " * before + "idiot" + " go" * 300
    (analysis,) = detector.detect([text])
    assert analysis.scores["toxicity"] > 0.9
    assert [finding.start for finding in analysis.findings] == [3 * before]
    assert len(analysis.words) == before + 301


def test_a_word_longer_than_a_window_is_read_to_its_end(detector: Embedded) -> None:
    """One run of word characters, many pieces: what stands at its end counts too."""
    text = "_".join(["go"] * 150 + ["idiot"] + ["go"] * 150)
    (analysis,) = detector.ungated.detect([text])
    assert analysis.scores["toxicity"] > 0.9


texts = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.lists(st.sampled_from(["you", "idiot", "go!", "kill.", "it’s", "1d1ot", "zz"]), max_size=60).map(
            " ".join
        ),
    ),
    min_size=2,
    max_size=5,
)


@settings(max_examples=25)
@given(batch=texts)
def test_a_batch_equals_its_texts_one_by_one(detector: Embedded, batch: list[str]) -> None:
    for one in (detector, detector.ungated):
        assert one.detect(batch) == [one.detect([text])[0] for text in batch]


def test_threads_change_nothing(tiny_model: Path, detector: Embedded) -> None:
    batch = ["you idiot " * n for n in (1, 40, 90)] + ["fine", "go away, moron. " * 30]
    assert Embedded(tiny_model, threads=3).detect(batch) == detector.detect(batch)


def test_the_digest_follows_the_card(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    before = card_digest(folder)
    card = read_card(folder)
    (folder / "card.json").write_text(json.dumps({**card, "name": "other"}))
    assert card_digest(folder) != before
    assert Embedded(folder).digest == card_digest(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"thresholds": 3}', '{"thresholds": {"word": 0.5}}'])
def test_a_card_that_is_none_is_a_model_error(tiny_model: Path, tmp_path: Path, content: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    (folder / "card.json").write_text(content)
    with pytest.raises(ModelError, match="card"):
        Embedded(folder)


@pytest.mark.parametrize(
    "name", ["detector-heads.npz", "gate.npz", "detector.onnx", "tokenizer.json", "card.json"]
)
def test_a_missing_file_is_a_model_error(tiny_model: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        Embedded(folder)


def test_heads_that_lack_one_are_a_model_error(tiny_model: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    np.savez(folder / "detector-heads.npz", labels=np.zeros((3, 6)))
    with pytest.raises(ModelError, match="labels_bias"):
        Embedded(folder)
