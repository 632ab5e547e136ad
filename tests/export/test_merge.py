"""A merge is checked before it is written and after it was read back; the traps on the way are guarded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel, PromptTuningConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BitsAndBytesConfig,
    MixtralConfig,
    MixtralForCausalLM,
)

import tiny_models as tiny
from unbarb.detect.folder import ModelFolder, weights_digest
from unbarb.errors import ConfigError, InputError, ModelError
from unbarb.export.merge import merge
from unbarb.export.trained import Trained
from unbarb.export.verify_merge import drift, observe
from unbarb.prompt import built_in
from unbarb.rewrite.seq2seq import Seq2Seq
from unbarb.text import Analysis

DETOXIFY, PREFIX = built_in("detoxify"), built_in("t5-prefix")
TEXTS = [text for text, _ in tiny.PAIRS]
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def adapter(folder: Path, base: Any, template: Any, wrap: Callable[[Any], Any], steps: int = 15) -> Path:
    """A base saved in `folder`, and an adapter on it taught a little, as a run leaves them."""
    words = tiny.tokenizer(folder / "base", "$A </s>" if base.config.is_encoder_decoder else "<s> $A")
    tiny.save(base, folder / "base")
    auto = AutoModelForSeq2SeqLM if base.config.is_encoder_decoder else AutoModelForCausalLM
    model = wrap(auto.from_pretrained(folder / "base"))
    tiny.teach(model, words, template, steps=steps, rate=1e-2)
    tiny.save(model, folder / "run" / "model", template)
    words.save_pretrained(folder / "run" / "model")
    return folder / "run" / "model"


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    adapter(folder, tiny.llama(), DETOXIFY, lambda one: tiny.lora(one, "all-linear", task_type="CAUSAL_LM"))
    return folder


def logits(model: Any, folder: Path) -> Any:
    words = AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([DETOXIFY.ids(TEXTS[0], words, seq2seq=False)])
    with torch.inference_mode():
        return model.eval()(input_ids=ids).logits.float()


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_merged_model_says_what_base_and_adapter_said(llama: Path, tmp_path: Path, dtype: str) -> None:
    told = merge(Trained.find(llama / "run" / "model"), tmp_path / "whole", dtype=dtype, texts=TEXTS)
    assert told["merged"]["largest"] < 1e-4
    assert told["read_back"]["largest"] < (1e-4 if dtype == "fp32" else 0.15)
    files = {path.name for path in (tmp_path / "whole").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "unbarb_template.json"} <= files
    assert "adapter_config.json" not in files
    stored = load_file(tmp_path / "whole" / "model.safetensors")
    wanted = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    assert {one.dtype for one in stored.values()} == {wanted}
    base = load_file(llama / "base" / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(base[name].to(wanted), stored[name])


def test_the_verifier_sees_a_merge_that_went_wrong(llama: Path) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(llama / "base")
    words = AutoTokenizer.from_pretrained(llama / "base")
    before = observe(loaded, words, TEXTS, "causal", DETOXIFY)
    same = drift(before, observe(loaded, words, TEXTS, "causal", DETOXIFY, before))
    assert (same.largest, same.changed, same.rounded) == (0.0, 0, 0)
    with torch.no_grad():  # one matrix of many
        loaded.model.layers[1].mlp.down_proj.weight.copy_(
            loaded.model.layers[1].mlp.down_proj.weight.flip(0)
        )
    after = drift(before, observe(loaded, words, TEXTS, "causal", DETOXIFY, before))
    with pytest.raises(ModelError, match=r"it drifted: logits by \d+\.\d+% .* \d of 3 texts differ"):
        after.check(0.15, "it")


def test_the_verifier_sees_settings_that_were_lost(llama: Path) -> None:
    """The same weights that end their answers elsewhere: no logit differs, and the text does."""
    loaded = AutoModelForCausalLM.from_pretrained(llama / "base")
    words = AutoTokenizer.from_pretrained(llama / "base")
    before = observe(loaded, words, TEXTS, "causal", DETOXIFY)
    loaded.generation_config.eos_token_id = before.forced[0][2]
    found = drift(before, observe(loaded, words, TEXTS, "causal", DETOXIFY, before))
    assert found.largest == 0.0
    assert found.changed >= 1
    with pytest.raises(ModelError, match="by more than rounding"):
        found.check(0.15, "it")


def test_not_a_number_is_no_agreement(llama: Path) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(llama / "base")
    words = AutoTokenizer.from_pretrained(llama / "base")
    before = observe(loaded, words, TEXTS[:1], "causal", DETOXIFY)
    broken = replace(before, logits=tuple(one * float("nan") for one in before.logits))
    with pytest.raises(ModelError, match="drifted"):
        drift(before, broken).check(0.15, "it")


def test_nothing_is_kept_of_a_merge_that_drifts(llama: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="drifted"):
        merge(Trained.find(llama / "run" / "model"), tmp_path / "whole", dtype="bf16", tolerance=1e-9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore:Merge lora module to 4-bit")
def test_trap_bnb_4bit_weights_are_packed_anew_by_the_first_forward(llama: Path, tmp_path: Path) -> None:
    """Evaluate, then merge in place, corrupts NF4 weights on some processors; a fresh base is taken."""
    pytest.importorskip("bitsandbytes")
    nf4 = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    quantised = AutoModelForCausalLM.from_pretrained(
        llama / "base", quantization_config=nf4, device_map={"": "cpu"}
    )
    tuned = PeftModel.from_pretrained(quantised, llama / "run" / "model")
    logits(tuned, llama / "base")  # what a training's evaluation does
    exact = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(llama / "base"), llama / "run" / "model"
    )
    wanted = logits(exact, llama / "base")
    merge(Trained.find(llama / "run" / "model"), tmp_path / "whole", dtype="fp32", texts=TEXTS)
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "whole")
    assert (logits(whole, llama / "base") - wanted).abs().max() < 1e-4
    in_place = logits(tuned.merge_and_unload(), llama / "base")
    assert (in_place - wanted).abs().max() > 1e-2  # rounded once more at the least


def test_trap_a_base_that_is_stored_quantised_is_refused(llama: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    quantised = AutoModelForCausalLM.from_pretrained(
        llama / "base", quantization_config=BitsAndBytesConfig(load_in_8bit=True), device_map={"": "cpu"}
    )
    quantised.save_pretrained(tmp_path / "int8")
    trained = Trained.find(llama / "run" / "model", base=str(tmp_path / "int8"))
    with pytest.raises(ModelError, match=r"stored quantised \(bitsandbytes\).* --base"):
        merge(trained, tmp_path / "whole")


@pytest.mark.parametrize("bits", ["int8", "nf4"])
def test_trap_quantised_heads_an_adapter_of_a_classifier_is_merged_whole(tmp_path: Path, bits: str) -> None:
    """The head is trained beside the adapter, on a base whose layers, not whose head, were quantised."""
    pytest.importorskip("bitsandbytes")
    words = tiny.tokenizer(tmp_path / "base", "<s> $A </s>", limit=60)
    tiny.save(tiny.bert(("toxic", "insult")), tmp_path / "base")
    heads = {"llm_int8_skip_modules": ["classifier", "head", "score"]}
    loading = (
        {"load_in_8bit": True} if bits == "int8" else {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
    )
    base = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "base",
        quantization_config=BitsAndBytesConfig(**loading, **heads),
        device_map={"": "cpu"},
    )
    model = tiny.lora(base, ["query", "value"], task_type="SEQ_CLS")
    tiny.teach_classifier(model, words, TEXTS, [[1.0, 1.0], [0.0, 0.0], [1.0, 0.0]], steps=5)
    tiny.save(model, tmp_path / "model")
    words.save_pretrained(tmp_path / "model")
    told = merge(Trained.find(tmp_path / "model"), tmp_path / "whole", dtype="fp32", texts=TEXTS)
    assert told["merged"]["largest"] < 1e-4
    head = load_file(tmp_path / "whole" / "model.safetensors")["classifier.weight"]
    learnt = load_file(tmp_path / "model" / "adapter_model.safetensors")
    (name,) = [one for one in learnt if "classifier" in one and one.endswith("weight")]
    assert torch.equal(head, learnt[name].float())
    assert not torch.equal(head, load_file(tmp_path / "base" / "model.safetensors")["classifier.weight"])


def test_trap_mixtral_experts_are_merged_and_survive_the_disk(tmp_path: Path) -> None:
    """Fused experts are tuned as parameters, and are written under the names of single experts."""
    torch.manual_seed(0)
    config = MixtralConfig(
        **tiny.SIZES, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, num_local_experts=4, max_position_embeddings=256,
    )  # fmt: skip
    experts = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]
    folder = adapter(
        tmp_path, MixtralForCausalLM(config), DETOXIFY,
        lambda one: tiny.lora(one, ["q_proj", "v_proj"], target_parameters=experts, task_type="CAUSAL_LM"),
    )  # fmt: skip
    told = merge(Trained.find(folder), tmp_path / "whole", dtype="fp32", texts=TEXTS)
    assert told["merged"]["largest"] < 1e-4
    assert told["read_back"]["largest"] < 1e-4
    base, whole = (load_file(tmp_path / one / "model.safetensors") for one in ("base", "whole"))
    changed = [name for name in base if "experts" in name and not torch.equal(base[name], whole[name])]
    assert changed


def test_trap_untied_t5_keeps_its_own_head(tmp_path: Path) -> None:
    """Settings of transformers 5 say "tied" of every T5; the head that is not must survive a merge."""
    base = tiny.t5(tied=False)
    base.lm_head.weight = torch.nn.Parameter(torch.randn_like(base.lm_head.weight) * 0.1)
    folder = adapter(
        tmp_path, base, PREFIX, lambda one: tiny.lora(one, ["q", "v"], task_type="SEQ_2_SEQ_LM")
    )
    told = merge(Trained.find(folder), tmp_path / "whole", dtype="fp32", texts=TEXTS)
    assert told["read_back"]["largest"] < 1e-4
    stored = load_file(tmp_path / "whole" / "model.safetensors")
    assert torch.equal(stored["lm_head.weight"], base.lm_head.weight)
    assert not torch.equal(stored["lm_head.weight"], stored["shared.weight"])
    asked = [Analysis(TEXTS[0], {})]
    assert [one.text for one in Seq2Seq(str(folder)).propose(asked)[0]] == [
        one.text for one in Seq2Seq(str(tmp_path / "whole")).propose(asked)[0]
    ]


def test_trap_an_adapter_on_another_base_is_refused(llama: Path, tmp_path: Path) -> None:
    """Peft only warns of weights that find no place, and the adapter would do nothing."""
    tiny.save(tiny.llama(num_hidden_layers=1), tmp_path / "smaller")
    with pytest.raises(ModelError, match=r"does not fit .* 14 of its weights find no place"):
        merge(Trained.find(llama / "run" / "model", base=str(tmp_path / "smaller")), tmp_path / "whole")


def test_trap_default_targets_what_an_adapter_matched_is_what_is_merged(llama: Path) -> None:
    """Nothing relies on peft's defaults: each place of the adapter has a weight, each weight a place."""
    names = load_file(llama / "run" / "model" / "adapter_model.safetensors")
    assert len(names) == 2 * 2 * 7  # two layers, seven matrices each, A and B
    partial = {name: one for name, one in names.items() if "q_proj" not in name}
    folder = llama / "partial"
    folder.mkdir(exist_ok=True)
    for path in (llama / "run" / "model").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    save_file(partial, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="4 places have no weight"):
        merge(Trained.find(folder), llama / "never")


def test_learnt_prompts_have_nothing_to_merge(llama: Path, tmp_path: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(llama / "base")
    tuned = get_peft_model(base, PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4))
    tuned.save_pretrained(tmp_path / "prompt")
    with pytest.raises(ConfigError, match=r"PROMPT_TUNING learns tokens .* --to adapter"):
        merge(Trained.find(tmp_path / "prompt"), tmp_path / "whole")


def test_a_base_with_other_weights_than_the_run_names_is_refused(llama: Path, tmp_path: Path) -> None:
    run = llama / "run" / "run.json"
    run.write_text(json.dumps({"status": "finished", "digests": {"base": weights_digest(llama / "base")}}))
    other = tiny.llama()
    with torch.no_grad():
        other.lm_head.weight.add_(0.01)
    tiny.tokenizer(tmp_path / "other", "<s> $A")
    tiny.save(other, tmp_path / "other")
    try:
        merge(Trained.find(llama / "run"), tmp_path / "whole", dtype="fp32", texts=TEXTS)
        with pytest.raises(ModelError, match="not hold the weights that the adapter was trained on"):
            merge(Trained.find(llama / "run", base=str(tmp_path / "other")), tmp_path / "never")
    finally:
        run.unlink()


def test_the_digest_of_a_base_is_the_one_that_training_pins(llama: Path) -> None:
    from unbarb.train.models import base_digest
    from unbarb.train.schema import ModelPart

    part = ModelPart(name=str(llama / "base"))
    assert base_digest(part, ModelFolder.find(llama / "base").config())[0] == weights_digest(llama / "base")


def test_what_there_is_to_export(llama: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    for step in (10, 200):
        target = run / "checkpoints" / f"checkpoint-{step}"
        target.mkdir()
        for path in (llama / "run" / "model").iterdir():
            (target / path.name).write_bytes(path.read_bytes())
    (run / "run.json").write_text(json.dumps({"status": "running", "digests": {}}))
    with pytest.raises(InputError, match=r"not finished; go on .* --checkpoint last"):
        Trained.find(run)
    assert Trained.find(run, checkpoint="last").folder.path.name == "checkpoint-200"
    assert Trained.find(run, checkpoint="10").folder.path.name == "checkpoint-10"
    with pytest.raises(ConfigError, match=r"give best, last or a step\. Steps kept: 10, 200"):
        Trained.find(run, checkpoint="11")
    with pytest.raises(ConfigError, match="is no run, so it has no checkpoints"):
        Trained.find(llama / "base", checkpoint="last")
    with pytest.raises(InputError, match="no such folder"):
        Trained.find(tmp_path / "nothing")
    with pytest.raises(ConfigError, match="'int8' is none of fp32, bf16, fp16; a merge is never quantised"):
        merge(Trained.find(llama / "base"), tmp_path / "x", dtype="int8")
    with pytest.raises(InputError, match="is there already"):
        merge(Trained.find(llama / "base"), run, dtype="fp32", texts=TEXTS[:1])
