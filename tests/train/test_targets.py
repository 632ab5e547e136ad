"""Targets are found and named; one that matches nothing stops the run and says what it may have meant."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("peft")

import torch
from peft import IA3Config, LoraConfig, PromptTuningConfig, get_peft_model
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
)

from unbarb.errors import ConfigError
from unbarb.train.schema import TrainRecipe
from unbarb.train.targets import adapter, resolve, steady, trainable

LLAMA = {"num_attention_heads": 2, "num_key_value_heads": 2, "hidden_size": 16, "intermediate_size": 32,
         "num_hidden_layers": 2, "vocab_size": 50}  # fmt: skip
SIZES: dict[str, dict[str, Any]] = {
    "phi": LLAMA,
    "llama": LLAMA,
    "mixtral": {**LLAMA, "num_local_experts": 4},
    "opt": {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
            "vocab_size": 50, "word_embed_proj_dim": 16},
    "bloom": {"hidden_size": 16, "n_layer": 2, "n_head": 2, "vocab_size": 50},
    "t5": {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "vocab_size": 50},
    "bart": {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
             "decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "vocab_size": 50},
    "modernbert": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
                   "num_attention_heads": 2, "vocab_size": 50, "pad_token_id": 0},
    "xlm-roberta": {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
                    "num_attention_heads": 2, "vocab_size": 50},
}  # fmt: skip
ENCODERS = ("modernbert", "xlm-roberta")


def model(kind: str) -> Any:
    config = AutoConfig.for_model(kind, **SIZES[kind])
    auto: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    auto = AutoModelForSequenceClassification if kind in ENCODERS else auto
    with torch.device("meta"):
        return auto.from_config(config)


def recipe(kind: str, **method: Any) -> TrainRecipe:
    objective = "classification" if kind in ENCODERS else "seq2seq" if kind in ("t5", "bart") else "causal"
    return TrainRecipe.model_validate(
        {"schema": 1, "name": "toy", "objective": objective, "model": {"name": "a/b"}, "method": method}
    )


@pytest.mark.parametrize(
    ("kind", "targets", "told"),
    [
        ("phi", ["Wqkv", "fc1"], "'Wqkv' matches nothing in Phi; did you mean q_proj, k_proj, v_proj?"),
        ("opt", ["q_proj", "o_proj"], "'o_proj' matches nothing in OPT; did you mean out_proj?"),
        ("bloom", ["q_proj"], "'q_proj' matches nothing in Bloom; did you mean query_key_value?"),
        ("llama", ["q_prj"], "'q_prj' matches nothing in Llama; did you mean 'q_proj'?"),
        ("t5", ["xyz"], "'xyz' matches nothing in T5. Its linear modules are q, k, v, o"),
    ],
)
def test_a_target_that_matches_nothing_is_an_error_with_a_hint(
    kind: str, targets: list[str], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        adapter(recipe(kind, targets=targets), model(kind))
    said = str(caught.value).replace("ForCausalLM", "").replace("ForConditionalGeneration", "")
    assert told in said


def test_all_that_matches_nothing_is_told_at_once() -> None:
    method = recipe("phi", targets=["Wqkv", "w1"], experts=["mlp.experts.down_proj"], save=["headd"]).method
    with pytest.raises(ConfigError) as caught:
        resolve(model("phi"), method)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert "did you mean fc1?" in lines[1]
    assert "It has no fused expert weights" in lines[2]
    assert "Its modules are model, lm_head" in lines[3]


def test_a_name_matches_whole_parts_only() -> None:
    found = resolve(model("t5"), recipe("t5", targets=["q", "SelfAttention.v"]).method).modules
    assert len(found["q"]) == 6  # encoder, decoder, and the decoder's look at the encoder; two layers
    assert len(found["SelfAttention.v"]) == 4
    assert all(name.endswith(".q") for name in found["q"])


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_all_linear_is_every_linear_module_but_the_heads(kind: str) -> None:
    bare = model(kind)
    wanted = recipe(kind, targets="all-linear")
    resolved, how = adapter(wanted, bare)
    body = bare if not hasattr(bare, bare.base_model_prefix) else getattr(bare, bare.base_model_prefix)
    outputs = bare.get_output_embeddings() if hasattr(bare, "get_output_embeddings") else None
    linear = sum(isinstance(one, torch.nn.Linear) and one is not outputs for one in body.modules())
    assert sum(len(full) for full in resolved.modules.values()) == linear > 0
    with torch.device("meta"):
        tuned = get_peft_model(bare, how)
    adapted = [name for name, one in tuned.named_modules() if hasattr(one, "lora_A")]
    assert len(adapted) == linear
    assert not any("lm_head" in name or "classifier" in name for name in adapted)


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_new_head_is_trained_whole(kind: str) -> None:
    resolved, how = adapter(recipe(kind), model(kind))
    assert resolved.save == (("head", "classifier") if kind == "modernbert" else ("classifier",))
    assert isinstance(how, LoraConfig)
    assert how.modules_to_save == list(resolved.save)
    assert resolved.lines()[-1] == "classifier: trained whole"


def test_experts_are_reached_as_parameters() -> None:
    bare = model("mixtral")
    experts = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    resolved, how = adapter(recipe("mixtral", targets=["q_proj"], experts=experts), bare)
    assert [len(full) for full in resolved.experts.values()] == [2, 2]
    with torch.device("meta"):
        tuned = get_peft_model(bare, how)
    trained = [name for name, one in tuned.named_parameters() if one.requires_grad]
    assert sum("experts" in name for name in trained) == 8
    with pytest.raises(ConfigError, match=r"did you mean .*down_proj"):
        adapter(recipe("mixtral", targets=["q_proj"], experts=["mlp.experts.w2"]), model("mixtral"))


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("lora", LoraConfig, {"use_rslora": False, "use_dora": False, "init_lora_weights": True}),
        ("rslora", LoraConfig, {"use_rslora": True}),
        ("dora", LoraConfig, {"use_dora": True}),
        ("pissa", LoraConfig, {"init_lora_weights": "pissa"}),
        ("ia3", IA3Config, {"feedforward_modules": {"wo"}, "target_modules": {"k", "v", "wo"}}),
        ("prompt_tuning", PromptTuningConfig, {"num_virtual_tokens": 20}),
    ],
)
def test_methods_become_their_configs(name: str, kind: type, expected: dict[str, Any]) -> None:
    _, how = adapter(recipe("t5", name=name, targets=["k", "v", "wo"]), model("t5"))
    assert type(how) is kind
    assert {key: getattr(how, key) for key in expected} == expected
    assert how.task_type == "SEQ_2_SEQ_LM"


def test_full_and_none_have_no_adapter() -> None:
    for name in ("full", "none"):
        assert adapter(recipe("t5", name=name), model("t5"))[1] is None


def test_norms_are_held_in_float32_and_matrices_are_left() -> None:
    half = model("llama").to(torch.bfloat16)
    steady(half)
    assert {(one.ndim, one.dtype) for one in half.parameters()} == {
        (1, torch.float32),
        (2, torch.bfloat16),
    }
    assert trainable(half)[0] == trainable(half)[1]
