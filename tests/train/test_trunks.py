"""The trunks end to end, small: they learn, merge, export, and serve what they learnt.

What a trunk says in training and what the runtime says of the same text must be the same, but for
bfloat16 in training and int8 at run time: this pins training and serving together.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("peft")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

import toy_base
import toy_model
from unbarb.data.examples import Labelled, Pair
from unbarb.detect.embedded import Embedded
from unbarb.detect.wordpiece import WordPiece, words_of
from unbarb.export.bundle import write_card, write_shared, write_trunk
from unbarb.rewrite.edit import EditRewriter
from unbarb.rewrite.editor import Editor as Served
from unbarb.text import LABELS, Span
from unbarb.train.batches import Row, collate
from unbarb.train.detector import Detector, DetectorSettings, known_bce, loss_of, train_detector
from unbarb.train.editor import Editor, EditorSettings, train_editor
from unbarb.train.heads import detector_heads, editor_heads, merged_state, proofreader_heads
from unbarb.train.mixture import encode, rows_of
from unbarb.train.proofreader import Proofreader, ProofreaderSettings, train_proofreader
from unbarb.train.rewriting import tag_rows, tagged_pairs

RUDE = ["you idiot", "what a moron", "stupid man", "go away fool", "the idiot is here", "a dumb plan"]
CLEAN = ["you person", "what a day", "good man", "go away please", "the book is here", "a new plan"]
TAGS = ["keep", "delete", "replace|person"]


@dataclass
class Losses:
    """What a training reported."""

    values: list[float] = field(default_factory=list)

    def __call__(self, step: int, steps: int, loss: float) -> None:
        assert 1 <= step <= steps
        self.values.append(loss)


@dataclass
class Trained:
    model: torch.nn.Module
    losses: list[float]
    folder: Path


@pytest.fixture(scope="module")
def rows(wordpiece: WordPiece) -> list[Row]:
    """Toy texts: toxicity and words known, the other labels for none but one."""
    examples = []
    for text in RUDE:
        rude = next(word for word in text.split() if word in toy_model.INSULTS)
        place = Span(text.index(rude), text.index(rude) + len(rude))
        examples.append(Labelled(text, {"toxicity": 1.0, "insult": 1.0}, (place,), "toy", text))
    examples += [Labelled(text, {"toxicity": 0.0, "insult": 0.0}, None, "toy", text) for text in CLEAN]
    return rows_of(encode(examples, wordpiece), {}, 0, 0, 0.0)


@pytest.fixture(scope="module")
def detector(base: Path, rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    settings = DetectorSettings(
        rank=4, epochs=20, learning_rate=5e-3, head_learning_rate=1e-2, pieces_per_batch=48, dropout=0.0
    )
    losses, folder = Losses(), tmp_path_factory.mktemp("detector")
    model = train_detector(lambda _: rows, base, len(LABELS), settings, folder, losses)
    return Trained(model, losses.values, folder)


@pytest.fixture(scope="module")
def editor(base: Path, wordpiece: WordPiece, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    pairs = [
        Pair(text, (" ".join(edited(text)),), "toy", text)
        for text in RUDE
    ]  # fmt: skip
    tagged = tag_rows(tagged_pairs(pairs), TAGS, wordpiece)
    blank = np.empty(0, np.float32)
    sentences = [
        Row(piece.ids, np.array(target, np.float32), blank)
        for texts, target in ((RUDE, [1, 1]), (CLEAN, [1, 0]), ([t.split()[0] for t in CLEAN], [0, np.nan]))
        for piece in framed(wordpiece, texts)
    ]  # fmt: skip
    settings = EditorSettings(
        rank=4, epochs=20, learning_rate=5e-3, head_learning_rate=1e-2, pieces_per_batch=48, dropout=0.0
    )
    losses, folder = Losses(), tmp_path_factory.mktemp("editor")
    model = train_editor(lambda _: tagged, lambda _: sentences, base, len(TAGS), settings, folder, losses)
    return Trained(model, losses.values, folder)


@pytest.fixture(scope="module")
def proofreader(base: Path, wordpiece: WordPiece, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """It learns here that whoever writes is polite: as good a lesson as another."""
    blank = np.empty(0, np.float32)
    sentences = [
        Row(row.ids, np.array([intact], np.float32), blank)
        for texts, intact in ((CLEAN, 1), (RUDE, 0))
        for row in framed(wordpiece, texts)
    ]
    settings = ProofreaderSettings(
        layers=1, rank=4, epochs=20, learning_rate=5e-3, head_learning_rate=1e-2, pieces_per_batch=48,
        dropout=0.0,
    )  # fmt: skip
    losses, folder = Losses(), tmp_path_factory.mktemp("proofreader")
    model = train_proofreader(lambda _: sentences, lambda _: [], base, settings, folder, losses)
    return Trained(model, losses.values, folder)


def edited(text: str) -> list[str]:
    """The neutral side: nouns become "person", adjectives go."""
    words = [word for word in text.split() if word not in toy_model.ADJECTIVES]
    return ["person" if word in toy_model.NOUNS else word for word in words]


def framed(wordpiece: WordPiece, texts: list[str]) -> list[Row]:
    blank = np.empty(0, np.float32)
    return [
        Row(np.array([101, *ids, 102], np.int64), blank, blank) for ids in wordpiece.ids(texts)
    ]  # fmt: skip


@torch.inference_mode()
def hidden_of(encoder: torch.nn.Module, rows: list[Row]) -> torch.Tensor:
    """Hidden states as in training, bfloat16 and padding included."""
    batch = collate([Row(row.ids, np.zeros(1, np.float32), row.words) for row in rows])
    with torch.autocast("cpu", torch.bfloat16):
        hidden: torch.Tensor = encoder(batch.ids, batch.mask)
    return hidden


@dataclass
class Said:
    """What the models said before their adapters were merged, which ends their training."""

    detector_hidden: torch.Tensor
    labels: np.ndarray
    spans: np.ndarray
    editor_hidden: torch.Tensor
    tags: list[np.ndarray]
    sentence: np.ndarray
    meaning: np.ndarray
    intact: np.ndarray


@dataclass
class Exported:
    said: Said
    detector_state: dict[str, np.ndarray]
    folder: Path


@pytest.fixture(scope="module")
def exported(
    detector: Trained, editor: Trained, proofreader: Trained, rows: list[Row], base: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Exported:  # fmt: skip
    said = what_they_say(detector.model, editor.model, proofreader.model, rows)
    folder = tmp_path_factory.mktemp("bundle")
    detector_state = merged_state(detector.model.encoder)
    editor_state = merged_state(editor.model.encoder)
    write_shared(editor_state, base / "tokenizer.json", TAGS, 128, folder)
    write_trunk(detector_state, detector_heads(detector.model), "detector", folder)
    write_trunk(editor_state, editor_heads(editor.model), "editor", folder)
    proofreader_state = merged_state(proofreader.model.encoder)
    write_trunk(proofreader_state, proofreader_heads(proofreader.model), "proofreader", folder)
    toy_model.write_gate(folder / "gate.npz")
    toy_model.write_sketch(folder / "sketch.npz")
    write_card({"name": "toy", "thresholds": {"word": 0.5, "text": 0.2}}, folder)
    return Exported(said, detector_state, folder)


@torch.inference_mode()
def what_they_say(detector: Detector, editor: Editor, proofreader: Proofreader, rows: list[Row]) -> Said:
    batch = collate(rows)
    with torch.autocast("cpu", torch.bfloat16):
        labels, spans = detector(batch.ids, batch.mask)
        hidden = editor.encoder(batch.ids, batch.mask)
        tags = editor.tags(hidden).float().log_softmax(-1).numpy()
        sentence = editor.sentence(hidden, batch.mask).float().sigmoid().numpy()
        meaning = editor.embed(hidden, batch.mask).float().numpy()
        intact = torch.sigmoid(proofreader(batch.ids, batch.mask).float()).numpy()[:, 0]
    first = [np.concatenate(([0], np.flatnonzero(~np.isnan(row.words)))) for row in rows]
    return Said(
        hidden_of(detector.encoder, rows),
        torch.sigmoid(labels.float()).numpy(),
        torch.sigmoid(spans.float()).numpy(),
        hidden,
        [tags[at, places] for at, places in enumerate(first)],
        sentence,
        meaning,
        intact,
    )


def test_the_detector_learns_the_toy_texts(detector: Trained, rows: list[Row], exported: Exported) -> None:
    assert detector.losses[-1] < 0.6 * detector.losses[0]  # a running mean
    toxicity = exported.said.labels[:, LABELS.index("toxicity")]
    assert toxicity[: len(RUDE)].min() > 0.8
    assert toxicity[len(RUDE) :].max() < 0.2


def test_the_detector_learns_the_toxic_words(rows: list[Row], exported: Exported) -> None:
    for row, spans in zip(rows, exported.said.spans, strict=True):
        known = ~np.isnan(row.words)
        assert ((spans[: len(row.ids)][known] > 0.5) == (row.words[known] > 0.5)).all()


def test_the_editor_learns_the_toy_tags(editor: Trained, exported: Exported) -> None:
    assert editor.losses[-1] < 0.6 * editor.losses[0]
    for text, logp in zip(RUDE, exported.said.tags, strict=False):
        wanted = [
            "delete"
            if word in toy_model.ADJECTIVES
            else "replace|person"
            if word in toy_model.NOUNS
            else "keep"
            for word in text.split()
        ]
        assert [TAGS[tag] for tag in logp.argmax(1)] == ["keep", *wanted]


def test_the_editors_sentence_heads_learn_and_meaning_stays_near_the_teacher(
    exported: Exported, base: Path, rows: list[Row]
) -> None:
    toxicity = exported.said.sentence[:, 1]
    assert toxicity[: len(RUDE)].min() > 0.6 > 0.4 > toxicity[len(RUDE) :].max()
    batch = collate(rows)
    with torch.inference_mode():
        taught = toy_base.bert(384, 12)(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    cover = batch.mask[..., None].float()
    goal = torch.nn.functional.normalize((taught * cover).sum(1) / cover.sum(1), dim=-1).numpy()
    assert (exported.said.meaning * goal).sum(1).min() > 0.8


def test_merging_changes_nothing_but_rounding(
    exported: Exported, rows: list[Row], detector: Trained
) -> None:
    model = toy_base.bert(384, 12)
    model.load_state_dict(
        {name: torch.from_numpy(array) for name, array in exported.detector_state.items()}
    )
    batch = collate(rows)
    with torch.inference_mode():
        merged = model(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
    before = exported.said.detector_hidden
    cosine = torch.nn.functional.cosine_similarity(merged, before, dim=-1)[batch.mask.bool()]
    assert float(cosine.min()) > 0.995


def test_embeddings_stay_those_of_the_base(exported: Exported) -> None:
    base = toy_base.bert(384, 12).state_dict()
    for name in ("word_embeddings.weight", "position_embeddings.weight", "LayerNorm.weight"):
        full = f"embeddings.{name}"
        assert np.array_equal(exported.detector_state[full], base[full].numpy())


def test_the_runtime_detector_says_what_training_said(exported: Exported, rows: list[Row]) -> None:
    served = Embedded(exported.folder, gate=False)
    analyses = served.detect([*RUDE, *CLEAN])
    for analysis, row, labels, spans in zip(
        analyses, rows, exported.said.labels, exported.said.spans, strict=True
    ):
        for label in ("toxicity", "insult"):
            assert analysis.scores[label] == pytest.approx(float(labels[LABELS.index(label)]), abs=0.1)
        known = np.flatnonzero(~np.isnan(row.words))
        assert [word.toxicity for word in analysis.words] == pytest.approx(spans[known].tolist(), abs=0.15)
    found = [[finding.span.of(a.text) for finding in a.findings] for a in analyses]
    assert found[: len(RUDE)] == [
        [word for word in text.split() if word in toy_model.INSULTS] for text in RUDE
    ]
    assert not any(found[len(RUDE) :])


def test_the_runtime_editor_says_what_training_said(exported: Exported) -> None:
    served = Served(exported.folder)
    for at, text in enumerate([*RUDE, *CLEAN]):
        logp = served.tag([span.of(text) for span in words_of(text)])
        assert logp is not None
        assert np.exp(logp) == pytest.approx(np.exp(exported.said.tags[at]), abs=0.15)
        impression = served.read(text)
        assert [impression.fluency, impression.toxicity] == pytest.approx(
            exported.said.sentence[at].tolist(), abs=0.12
        )
        assert float(impression.meaning @ exported.said.meaning[at]) > 0.99


def test_the_runtime_proofreader_says_what_training_said(exported: Exported, proofreader: Trained) -> None:
    assert proofreader.losses[-1] < proofreader.losses[0]  # a running mean
    served = Served(exported.folder)
    found = [served.proofread(text) for text in [*RUDE, *CLEAN]]
    assert found == pytest.approx(exported.said.intact.tolist(), abs=0.12)
    assert max(found[: len(RUDE)]) < 0.5 < min(found[len(RUDE) :])


def test_the_exported_model_rewrites(exported: Exported) -> None:
    analyses = Embedded(exported.folder).detect(["you idiot", "a dumb plan"])
    person, plan = EditRewriter(exported.folder).propose(analyses)
    assert "you person" in [candidate.text for candidate in person]
    assert "a plan" in [candidate.text for candidate in plan]


@pytest.mark.parametrize("name", ["detector", "editor", "proofreader"])
def test_each_epoch_is_kept(request: pytest.FixtureRequest, name: str) -> None:
    folder: Path = request.getfixturevalue(name).folder
    assert len(list(folder.glob("epoch-*.pt"))) == 20
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert all(line["step"] % 50 == 0 and line["loss"] >= 0 for line in lines)


def test_unknown_targets_teach_nothing(base: Path, rows: list[Row]) -> None:
    model = Detector(base, DetectorSettings(rank=2), len(LABELS))
    batch = collate(rows)
    with torch.autocast("cpu", torch.bfloat16):
        loss_of(model, batch, 1.0).backward()
    unknown = [at for at, label in enumerate(LABELS) if label not in ("toxicity", "insult")]
    assert not model.labels.linear.weight.grad[unknown].any()
    assert model.labels.linear.weight.grad[0].any()
    assert model.spans.linear.weight.grad.any()


def test_a_batch_in_which_nothing_is_known_has_no_loss(base: Path, rows: list[Row]) -> None:
    model = Detector(base, DetectorSettings(rank=2), len(LABELS))
    blank = [
        Row(row.ids, np.full(6, np.nan, np.float32), np.full(len(row.ids), np.nan, np.float32))
        for row in rows
    ]
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(model, collate(blank), 1.0)
    assert loss.item() == 0.0


def test_known_bce_is_zero_where_unknown() -> None:
    loss = known_bce(torch.tensor([0.0, 2.0, 0.0]), torch.tensor([1.0, float("nan"), 0.5]))
    assert loss.tolist() == pytest.approx([np.log(2), 0.0, np.log(2)])
