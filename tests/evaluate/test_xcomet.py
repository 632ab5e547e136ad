"""XCOMET-lite from a folder in the hub's format: tiny random weights, checked by arithmetic done anew."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("sentencepiece")

import sentencepiece
import torch
import transformers
from safetensors.torch import save_file

from unbarb.errors import ModelError
from unbarb.evaluate.xcomet import Quality, _Network, _points

SHAPE = {"word_layer": 1, "hidden_sizes": [12, 8], "layer_transformation": "softmax"}
SOURCES = ["you idiot", "this is bad", "are you kind, idiot"]
OUTPUTS = ["you are kind", "this", "you are a kind one and this is good"]
REFERENCES = ["you are good", "this is good", "kind one"]
LINES = ["you are kind and good", "this is bad", "you idiot", "a good one, and words follow words"]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder's configuration and SentencePiece model, as `microsoft/mdeberta-v3-base` holds them."""
    folder = tmp_path_factory.mktemp("mdeberta")
    text = folder / "lines.txt"
    text.write_text("\n".join(LINES * 30), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spm"), vocab_size=60, hard_vocab_limit=False,
        pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]",
        unk_piece="[UNK]", minloglevel=2,
    )  # fmt: skip
    (folder / "tokenizer_config.json").write_text('{"vocab_type": "spm"}', encoding="utf-8")
    transformers.DebertaV2Config(
        vocab_size=80, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        type_vocab_size=0, relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm",
        share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False,
        max_position_embeddings=40,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def weights(backbone: Path) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    network = _Network(transformers.AutoConfig.from_pretrained(backbone), 1, [12, 8])
    return {name: value + 0.5 * torch.randn_like(value) for name, value in network.state_dict().items()}


@pytest.fixture(scope="module")
def folder(backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint, with what a training run leaves in it beside the weights."""
    folder = tmp_path_factory.mktemp("xcomet")
    (folder / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    left = {"layerwise_attention.dropout_mask": torch.zeros(3), "wordloss.weight": torch.ones(4)}
    save_file({**weights(backbone), **left}, folder / "model.safetensors")
    return folder


def by_hand(backbone: Path, source: str, output: str, reference: str) -> float:
    """The published arithmetic for one row, straight from the checkpoint's tensors."""
    values = weights(backbone)
    tokens = transformers.AutoTokenizer.from_pretrained(backbone)
    encoder = transformers.AutoModel.from_config(transformers.AutoConfig.from_pretrained(backbone)).eval()
    inside = "encoder.model."
    encoder.load_state_dict({n[len(inside) :]: v for n, v in values.items() if n.startswith(inside)})
    said, tagged = tokens(output)["input_ids"], 0
    total = 0.0
    for beside, weight, share in (
        ([source], 0.12, 0.1667),
        ([reference], 0.33, 0.3333),
        ([source, reference], 0.33, 0.5),
    ):
        ids = list(said)
        for text in beside:
            ids += tokens(text)["input_ids"][1:]
        with torch.inference_mode():
            layers = encoder(torch.tensor([ids[:40]]), output_hidden_states=True).hidden_states
        mix = torch.softmax(
            torch.cat([values[f"layerwise_attention.scalar_parameters.{at}"] for at in range(3)]), 0
        )
        first = values["layerwise_attention.gamma"] * sum(
            mix[at] * layers[at][0, 0] for at in range(len(layers))
        )
        for at in (0, 3):
            first = torch.tanh(
                values[f"estimator.ff.{at}.weight"] @ first + values[f"estimator.ff.{at}.bias"]
            )
        score = float((values["estimator.ff.6.weight"] @ first + values["estimator.ff.6.bias"])[0])
        total += weight * min(score, 1.0)
        logits = layers[1][0] @ values["hidden2tag.weight"].T + values["hidden2tag.bias"]
        tagged = tagged + share * torch.softmax(logits, 1)[: len(said)]
    spans, inside_span = [], False
    for tag in tagged.argmax(1).tolist():
        if tag and not inside_span:
            spans.append(tag)
        inside_span = bool(tag)
    if inside_span:
        spans.pop()
    penalty = sum({1: 1, 2: 5, 3: 10}[tag] for tag in spans)
    return total + 0.22 * (25 - min(25, penalty)) / 25


def test_the_score_is_the_published_arithmetic_in_any_batch(folder, backbone):
    scores = Quality(folder, backbone).score(SOURCES, OUTPUTS, REFERENCES)
    expected = [by_hand(backbone, *row) for row in zip(SOURCES, OUTPUTS, REFERENCES, strict=True)]
    assert scores == pytest.approx(expected, abs=1e-5)
    assert len(set(np.round(scores, 4))) == 3
    alone = Quality(folder, backbone).score(SOURCES[:1], OUTPUTS[:1], REFERENCES[:1])
    assert alone == pytest.approx(expected[:1], abs=1e-5)


def test_long_texts_are_cut_and_none_give_none(folder, backbone):
    quality = Quality(folder, backbone)
    assert np.isfinite(quality.score(["you " * 90], ["kind " * 90], ["good " * 90])).all()
    assert quality.score([], [], []).shape == (0,)


@pytest.mark.parametrize(
    ("tags", "points"),
    [
        ([0, 0, 0], 0),
        ([0, 1, 1, 0], 1),
        ([0, 1, 3, 0], 1),  # a span has the severity of its first token
        ([0, 2, 0, 3, 0], 15),
        ([0, 0, 3], 0),  # never closed
    ],
)
def test_points_of_tags(tags, points):
    assert _points(tags) == points


def test_a_pickled_checkpoint_is_read_too(folder, backbone, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    torch.save(weights(backbone), tmp_path / "pytorch_model.bin")
    assert Quality(tmp_path, backbone).score(SOURCES, OUTPUTS, REFERENCES) == pytest.approx(
        Quality(folder, backbone).score(SOURCES, OUTPUTS, REFERENCES), abs=1e-6
    )


def test_what_cannot_be_read_says_why(folder, backbone, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(SHAPE), encoding="utf-8")
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        Quality(tmp_path, backbone)
    values = weights(backbone)
    del values["layerwise_attention.gamma"]
    save_file(values, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match=r"lacks 1 weights.*layerwise_attention\.gamma"):
        Quality(tmp_path, backbone)
    (tmp_path / "config.json").write_text('{"layer_transformation": "sparsemax"}', encoding="utf-8")
    with pytest.raises(ModelError, match="sparsemax"):
        Quality(tmp_path, backbone)
    with pytest.raises(ModelError, match="cannot be loaded as AutoTokenizer"):
        Quality(folder, tmp_path)
