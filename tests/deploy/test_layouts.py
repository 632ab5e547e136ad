"""A model is laid out so that its server reads the same model, or it is said why it would not."""

from __future__ import annotations

import json
import re
import shutil
from errno import ENOSPC
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

pytest.importorskip("peft", reason="laying out a model needs the extra 'train'")

import torch
from laid_out import THETA, changed, flan, lay, llama_lora, run, t5, without
from peft import AutoPeftModelForCausalLM
from safetensors.numpy import save_file
from transformers import AutoModelForCausalLM

import tiny_models as tiny
from unbarb.cli.deploy_layout import _staged
from unbarb.deploy.layouts import caikit, huggingface, transformers4, vllm
from unbarb.deploy.layouts.adapter import adapter_problems
from unbarb.deploy.layouts.weights import of_folder, tensors
from unbarb.deploy.manifest import NAME, Manifest
from unbarb.deploy.room import not_written
from unbarb.errors import ConfigError, InputError, ModelError

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    llama_lora(folder / "llama")
    t5(folder / "t5")
    words = tiny.tokenizer(folder / "bart", "<s> $A </s>")
    tiny.save(tiny.bart(len(words)), folder / "bart")
    tiny.tokenizer(folder / "bert")
    tiny.save(tiny.bert(["toxicity", "insult"]), folder / "bert")
    return folder


def test_caikit_gets_plain_files_that_say_what_it_is(models: Path, tmp_path: Path) -> None:
    said = lay("caikit", models / "llama" / "adapter", tmp_path / "detox")
    out = tmp_path / "detox"
    assert {path.name for path in out.iterdir()} == {"config.yml", "artifacts", "README.md", NAME}
    config = yaml.safe_load((out / "config.yml").read_text())
    tracking = config.pop("tracking_id")
    assert len(tracking) == 36
    assert config == {
        "module_id": "f9181353-4ccf-4572-bd1e-f12bcda26792",
        "module_class": "caikit_nlp.modules.text_generation.text_generation_local.TextGeneration",
        "name": "Text Generation", "version": "0.1.0", "artifact_path": "artifacts",
        "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "sep_token": None,
        "torch_dtype": "torch.bfloat16", "trained_torch_dtype": "bfloat16",
    }  # fmt: skip
    assert {tensor.dtype for tensor in of_folder(out / "artifacts").values()} == {"BF16"}
    settings = json.loads((out / "artifacts" / "config.json").read_text())
    assert settings["rope_theta"] == THETA
    assert settings["torch_dtype"] == "bfloat16"
    assert "rope_parameters" not in settings
    assert Manifest.read(out).differences(out) == []
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o644}
    assert Manifest.read(out).layout["layout"] == "caikit"
    assert said["serve"][1] == "requests name the folder: model_id: detox"
    card = (out / "README.md").read_text("utf-8")
    for name, one in Manifest.read(out).files.items():
        assert name == "README.md" or f"- {name}: {one.sha256}" in card


def test_what_caikit_gets_is_the_same_model_to_us(models: Path, tmp_path: Path) -> None:
    lay("caikit", models / "llama" / "adapter", tmp_path / "one", "--dtype", "fp32")
    lay("huggingface", models / "llama" / "adapter", tmp_path / "other", "--dtype", "fp32")
    ids = torch.tensor([[3, 20, 21, 22, 23]])
    one, other = (
        AutoModelForCausalLM.from_pretrained(folder)(input_ids=ids).logits
        for folder in (tmp_path / "one" / "artifacts", tmp_path / "other")
    )
    assert torch.equal(one, other)


def test_the_same_model_gives_the_same_bytes(models: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "a" / "detox", tmp_path / "b" / "detox"
    for out in (one, other):
        lay("caikit", models / "t5", out)
    assert (one / NAME).read_bytes() == (other / NAME).read_bytes()


@pytest.mark.parametrize(
    ("form", "model", "said"),
    [
        ("caikit", "bert", "Caikit's classifier takes exactly one label"),
        ("caikit", "bart", "caikit-nlp does not load bart rightly"),
        ("vllm", "t5", "this model has none; merge it"),
        ("huggingface-adapter", "t5", "is for an adapter with a base"),
        ("onnx", "t5", "onnx is for classifiers"),
        ("ctranslate2", "bert", "ctranslate2 is for models that write"),
    ],
)
def test_what_a_server_cannot_serve_is_refused_first(
    models: Path, tmp_path: Path, form: str, model: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        lay(form, models / model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_head_that_caikit_would_make_up_stops_it(tmp_path: Path) -> None:
    # Neither scaled, as T5 v1.0 is, nor with a head that is stored: transformers 4 knows no such T5.
    tiny.tokenizer(tmp_path / "odd")
    tiny.save(tiny.t5(tied=False), tmp_path / "odd")
    held = of_folder(tmp_path / "odd")
    if "lm_head.weight" in held:
        without(tmp_path / "odd", "lm_head.weight")
    with pytest.raises(
        ModelError, match=r"(?s)would not be served as caikit; nothing was kept.*lm_head\.weight"
    ):
        lay("caikit", tmp_path / "odd", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odd"]


def test_a_t5_says_that_its_head_is_tied_only_where_it_scales(models: Path, tmp_path: Path) -> None:
    lay("caikit", models / "t5", tmp_path / "v1")
    lay("caikit", flan(tmp_path / "flan"), tmp_path / "own")
    tied = [
        json.loads((tmp_path / name / "artifacts" / "config.json").read_text())["tie_word_embeddings"]
        for name in ("v1", "own")
    ]
    assert tied == [True, False]


def test_positions_are_said_in_the_words_of_transformers_4() -> None:
    rope = {"rope_theta": 1e6, "rope_type": "llama3", "factor": 8.0, "partial_rotary_factor": 0.5}
    older = transformers4.older_config(
        {"model_type": "llama", "rope_parameters": rope, "dtype": "bfloat16"}
    )
    assert older == {
        "model_type": "llama", "rope_theta": 1e6, "partial_rotary_factor": 0.5, "torch_dtype": "bfloat16",
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0},
    }  # fmt: skip
    by_layer = {"full_attention": {"rope_type": "default"}, "sliding_attention": {"rope_type": "default"}}
    with pytest.raises(ConfigError, match="turns positions in more than one way"):
        transformers4.older_config({"model_type": "gemma3_text", "rope_parameters": by_layer})


def test_special_tokens_are_said_in_the_words_of_transformers_4() -> None:
    settings = {
        "tokenizer_class": "TokenizersBackend",
        "backend": "tokenizers",
        "extra_special_tokens": ["<a>"],
    }
    assert transformers4.older_tokenizer(settings) == {
        "tokenizer_class": "PreTrainedTokenizerFast", "additional_special_tokens": ["<a>"],
    }  # fmt: skip


def test_all_that_is_wrong_with_a_caikit_folder_is_told(models: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    lay("caikit", models / "llama" / "adapter", out)
    said = yaml.safe_load((out / "config.yml").read_text())
    wrong = said | {"module_id": "another", "eos_token": "<|end|>", "trained_torch_dtype": "torch.float32"}
    (out / "config.yml").write_text(yaml.safe_dump(wrong))
    changed(out / "artifacts", "config.json", rope_parameters={"rope_theta": 1.0}, vocab_size=9)
    changed(out / "artifacts", "tokenizer_config.json", tokenizer_class="TokenizersBackend")
    (out / "artifacts" / "pytorch_model.bin").write_bytes(b"pickled")
    told = "\n".join(caikit.problems(out))
    for part in (
        "module_id is 'another'", "trained_torch_dtype is 'torch.float32'", "pytorch_model.bin is a pickle",
        "a vocabulary of 9 and model.embed_tokens.weight has 704 rows", "does not read rope_parameters",
        "may not know TokenizersBackend", "eos_token is '<|end|>' and the tokenizer's '</s>'",
    ):  # fmt: skip
        assert part in told
    shutil.rmtree(out / "artifacts")
    assert "artifact_path 'artifacts' is no folder" in "\n".join(caikit.problems(out))


def test_vllm_gets_the_adapter_and_is_told_its_rank(models: Path, tmp_path: Path) -> None:
    said = lay("vllm", models / "llama" / "adapter", tmp_path / "detox")
    out = tmp_path / "detox"
    assert said["serve"][0] == (
        f"vllm serve {models / 'llama' / 'base'} --enable-lora --lora-modules detox={out} --max-lora-rank 8"
    )
    said = Manifest.read(out).layout
    assert (said["layout"], said["kind"], said["dtype"]) == ("vllm", "causal", None)
    assert str(models) not in (out / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"use_dora": True}, "takes no DoRA"),
        ({"modules_to_save": ["lm_head"]}, r"trained whole beside the adapter \(lm_head\)"),
        ({"bias": "all"}, r"takes no biases \(bias: all\)"),
        ({"rank_pattern": {"q_proj": 1024}}, "rank 1024 is more than vLLM's 512"),
        ({"peft_type": "IA3"}, "takes LORA, not IA3"),
        ({"base_model_name_or_path": None}, "names no base model"),
    ],
)
def test_what_vllm_refuses_of_an_adapter_is_told(
    models: Path, tmp_path: Path, values: dict[str, Any], said: str
) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(models / "llama" / "adapter", folder)
    assert list(vllm.problems(folder, models / "llama" / "base")) == []
    changed(folder, "adapter_config.json", **values)
    (told,) = vllm.problems(folder, models / "llama" / "base")
    assert re.search(said, told)


def test_an_adapter_of_another_model_is_told(models: Path, tmp_path: Path) -> None:
    adapter = models / "llama" / "adapter"
    assert next(adapter_problems(adapter, models / "t5")).endswith(
        "is it the model that the adapter was trained on?"
    )
    torch.manual_seed(0)
    tiny.llama(hidden_size=32).save_pretrained(tmp_path / "narrow")
    told = list(adapter_problems(adapter, tmp_path / "narrow"))
    assert len(told) == 4
    assert "the adapter is for 64 × 64, the base has (32, 32)" in told[0]


def test_an_adapter_and_its_base_are_found_where_they_will_lie(models: Path, tmp_path: Path) -> None:
    adapter = models / "llama" / "adapter"
    lay("huggingface-adapter", adapter, tmp_path / "both", "--served-at", tmp_path / "mnt")
    (tmp_path / "both").rename(tmp_path / "mnt")
    ids = torch.tensor([[3, 20, 21, 22, 23]])
    one, other = (
        AutoPeftModelForCausalLM.from_pretrained(folder)(input_ids=ids).logits
        for folder in (tmp_path / "mnt" / "adapter", adapter)
    )
    assert torch.equal(one, other)


def test_weights_that_are_cut_off_are_told(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "t5"
    shutil.copytree(models / "t5", folder)
    assert list(huggingface.problems(folder)) == []
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1])
    (folder / "tokenizer.json").unlink()
    told = list(huggingface.problems(folder))
    assert [line for line in told if "there is no tokenizer" in line]
    assert [line for line in told if "it is cut off" in line]
    (folder / "model.safetensors").write_bytes(b"no such format")
    with pytest.raises(ModelError, match="is no safetensors file"):
        tensors(folder / "model.safetensors")


def test_weights_in_several_files_are_read_by_their_index(tmp_path: Path) -> None:
    save_file({"a.weight": np.zeros((2, 3), np.float32)}, tmp_path / "one.safetensors")
    save_file({"b.weight": np.zeros(4, np.float16)}, tmp_path / "two.safetensors")
    where = {"a.weight": "one.safetensors", "b.weight": "two.safetensors"}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    assert {name: (one.dtype, one.shape) for name, one in of_folder(tmp_path).items()} == {
        "a.weight": ("F32", (2, 3)), "b.weight": ("F16", (4,)),
    }  # fmt: skip
    index.write_text(json.dumps({"weight_map": where | {"c.weight": "two.safetensors"}}))
    with pytest.raises(ModelError, match=r"names 1 tensors that no file holds: c\.weight"):
        of_folder(tmp_path)
    index.write_text("{}")
    with pytest.raises(ModelError, match="does not load"):
        of_folder(tmp_path)


def test_a_model_that_writes_goes_to_ctranslate2(models: Path, tmp_path: Path) -> None:
    from unbarb.deploy.layouts import ctranslate2

    out = tmp_path / "ct2"
    lay("ctranslate2", models / "t5", out)
    (out / "shared_vocabulary.json").unlink()
    (out / "model.bin").write_bytes(b"\x80\x04pickle")
    told = "\n".join(ctranslate2.problems(out))
    assert "there is no vocabulary" in told
    assert "model.bin is of version" in told


def test_a_classifier_goes_to_onnx(models: Path, tmp_path: Path) -> None:
    from unbarb.deploy.layouts import onnx

    out = tmp_path / "onnx"
    lay("onnx", models / "bert", out, "--precision", "fp32")
    changed(out, "config.json", id2label={"0": "toxicity"})
    assert "model.onnx gives 2 scores and config.json names 1 labels" in "\n".join(onnx.problems(out))
    (out / "model.onnx").write_bytes(b"none")
    assert "model.onnx does not load" in "\n".join(onnx.problems(out))


def test_a_folder_that_is_there_is_kept(models: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("kept")
    with pytest.raises(InputError, match="is there already"):
        run("layout", "caikit", models / "t5", tmp_path / "out")
    assert (tmp_path / "out" / "mine").read_text() == "kept"


def test_a_disk_without_room_is_told_first_and_a_full_one_too(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="1,000,000,000,000,000,000 bytes are to come"),
        _staged(tmp_path / "out", 10**18),
    ):
        raise AssertionError("begun without room")
    with pytest.raises(InputError, match="the disk is full; make room"), _staged(tmp_path / "out", 0):
        raise OSError(ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []
    assert "Read-only file system" in str(not_written(tmp_path, OSError(30, "Read-only file system")))
