"""What CTranslate2's converter gets wrong under transformers 5 is put right or refused, and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BartConfig, MixtralConfig, MixtralForCausalLM, PhiConfig, PhiForCausalLM

import tiny_models as tiny
from unbarb.errors import ConfigError, ModelError
from unbarb.export.trained import Trained
from unbarb.prompt import Template, built_in
from unbarb.rewrite.causal import Causal
from unbarb.rewrite.seq2seq import Seq2Seq
from unbarb.text import Analysis

pytest.importorskip("ctranslate2", reason="needs the extra 'ct2'")

from unbarb.export import ctranslate

TEXTS = [text for text, _ in tiny.PAIRS]


def taught(folder: Path, make: Callable[[int], Any], name: str, steps: int = 60) -> Path:
    template: Template = built_in(name)
    words = tiny.tokenizer(folder, "$A </s>" if name == "t5-prefix" else "<s> $A")
    model = make(len(words))
    tiny.teach(model, words, template, steps=steps)
    return tiny.save(model, folder, template)


def untied(_: int) -> Any:
    """As mT5, mT0 and flan-T5 come from the hub: a head of its own under settings that say it is tied."""
    model = tiny.t5(tied=False)
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone() * 0.5)
    return model


@pytest.fixture(scope="module")
def mt5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return taught(tmp_path_factory.mktemp("mt5") / "model", untied, "t5-prefix", 100)


@pytest.mark.parametrize(
    ("make", "name", "rewriter"),
    [
        (lambda _: tiny.t5(), "t5-prefix", Seq2Seq),
        (tiny.bart, "t5-prefix", Seq2Seq),
        (lambda _: tiny.llama(), "detoxify", Causal),
    ],
    ids=["t5", "bart", "llama"],
)
def test_what_is_exported_writes_as_the_model_does(
    tmp_path: Path, make: Callable[[int], Any], name: str, rewriter: type
) -> None:
    folder = taught(tmp_path / "model", make, name)
    for precision, most in (("fp32", 1e-4), ("int8", 0.1)):
        out = tmp_path / precision
        told = ctranslate.export_ctranslate(Trained.find(folder), out, precision=precision, texts=TEXTS)
        assert told["largest"] < most
        asked = [Analysis(text, {}) for text in TEXTS]
        whole, converted = rewriter(str(folder)).propose(asked), rewriter(str(out)).propose(asked)
        for one, other in zip(whole, converted, strict=True):
            assert one[0].text == other[0].text
            assert one[0].score == pytest.approx(other[0].score, abs=0.1)  # each counts the ends its way
    assert (tmp_path / "int8" / "model.bin").stat().st_size < (
        tmp_path / "fp32" / "model.bin"
    ).stat().st_size / 2
    assert {"unbarb_template.json", "tokenizer.json", "config.json"} <= {one.name for one in out.iterdir()}


def test_trap_untied_t5_is_scaled_as_the_model_scales(mt5: Path, tmp_path: Path) -> None:
    told = ctranslate.export_ctranslate(Trained.find(mt5), tmp_path / "out", precision="fp32", texts=TEXTS)
    assert told["largest"] < 1e-3
    asked = [Analysis(TEXTS[0], {})]
    (whole,), (converted,) = Seq2Seq(str(mt5)).propose(asked), Seq2Seq(str(tmp_path / "out")).propose(asked)
    assert whole[0].text == converted[0].text
    assert whole[0].score == pytest.approx(converted[0].score, abs=1e-3)


def test_trap_untied_t5_as_it_is_converted_is_what_the_check_is_for(
    mt5: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The converter without our correction: the check sees it, and nothing is kept."""
    monkeypatch.setattr(ctranslate, "_Converter", ctranslate.TransformersConverter)
    with pytest.raises(ModelError, match=r"the fp32 model drifted: a token's log-probability is [1-9]"):
        ctranslate.export_ctranslate(Trained.find(mt5), tmp_path / "out", precision="fp32", texts=TEXTS)
    assert not (tmp_path / "out").exists()


def test_trap_lost_attributes_are_lent_and_taken_back() -> None:
    assert not hasattr(BartConfig, "normalize_before")
    with ctranslate._attributes():
        assert BartConfig.normalize_before is False
        assert BartConfig.normalize_embedding is True
        assert ctranslate.XLMRobertaConfig.position_embedding_type == "absolute"
    assert not hasattr(BartConfig, "normalize_before")


def test_trap_phi_and_mixtral_are_refused_before_any_work(tmp_path: Path) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    phi = PhiForCausalLM(PhiConfig(**tiny.SIZES, **sizes))
    mixtral = MixtralForCausalLM(
        MixtralConfig(**tiny.SIZES, **sizes, num_key_value_heads=2, num_local_experts=2)
    )
    for name, model in (("phi", phi), ("mixtral", mixtral)):
        tiny.save(model, tmp_path / name)  # no tokenizer: it is not even looked for
        with pytest.raises(ConfigError, match=f"CTranslate2 cannot run {name}: .* It can run Bart, "):
            ctranslate.export_ctranslate(Trained.find(tmp_path / name), tmp_path / "out")


def test_a_classifier_and_an_unknown_precision_are_refused(tmp_path: Path) -> None:
    tiny.save(tiny.bert(("toxic",)), tmp_path / "bert")
    with pytest.raises(ConfigError, match="is a classifier; --to ctranslate2 is for models that write"):
        ctranslate.export_ctranslate(Trained.find(tmp_path / "bert"), tmp_path / "out")
    tiny.save(tiny.t5(), tmp_path / "t5")
    with pytest.raises(ConfigError, match="'int4' is none of int8, fp32"):
        ctranslate.export_ctranslate(Trained.find(tmp_path / "t5"), tmp_path / "out", precision="int4")


def test_what_is_served_by_ctranslate2_is_searched_by_beams_alone(mt5: Path, tmp_path: Path) -> None:
    ctranslate.export_ctranslate(Trained.find(mt5), tmp_path / "out", texts=TEXTS)
    with pytest.raises(ConfigError, match="searched by beams; leave out sample"):
        Seq2Seq(str(tmp_path / "out"), sample=True)
