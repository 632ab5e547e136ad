"""Caikit itself, in an environment of its own, loads what we lay out, and says what we say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft", reason="laying out a model needs the extra 'train'")

import torch
from laid_out import flan, lay, llama_lora, t5
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from environments import program

IDS = [3, 20, 21, 22, 1]
TEXT = "detoxify: you are an idiot"
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def caikit(*arguments: object) -> str:
    """What the script says in Caikit's environment."""
    script = Path(__file__).parent / "caikit_loads.py"
    command = [program("caikit", "python"), "-W", "ignore", str(script), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=ENVIRONMENT, timeout=480, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@contextmanager
def runtime(models: Path) -> Iterator[str]:
    """The address of Caikit's own runtime, with every model of the folder."""
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    told = {
        "RUNTIME_LIBRARY": "caikit_nlp", "RUNTIME_LOCAL_MODELS_DIR": str(models),
        "RUNTIME_GRPC_ENABLED": "false", "RUNTIME_HTTP_ENABLED": "true", "RUNTIME_HTTP_PORT": str(port),
        "RUNTIME_METRICS_ENABLED": "false",
    }  # fmt: skip
    process = subprocess.Popen(
        [program("caikit", "python"), "-W", "ignore", "-m", "caikit.runtime"],
        env=ENVIRONMENT | told, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Uvicorn running on" in line:
                break
        assert process.poll() is None, "".join(said)
        assert f":{port} " in said[-1]  # it takes the next one where this one was taken meanwhile
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def ours(folder: Path, seq2seq: bool) -> dict[str, Any]:
    """What transformers 5 says of the same model, laid out for itself."""
    kind = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
    model, words = kind.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    row = torch.tensor([IDS])
    more = {"decoder_input_ids": row} if seq2seq else {}
    asked = words(TEXT, return_tensors="pt").input_ids
    with torch.inference_mode():
        logits = model(input_ids=row, **more).logits[0, -1].float().tolist()
        written = model.generate(
            input_ids=asked, attention_mask=torch.ones_like(asked), max_new_tokens=8, do_sample=False,
            num_beams=1, pad_token_id=0,
        )[0, 0 if seq2seq else asked.shape[1] :]  # fmt: skip
    return {
        "logits": logits,
        "text": words.decode(written, skip_special_tokens=True),
        "dtype": str(model.dtype),
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_caikit_loads_each_and_says_what_transformers_5_says(tmp_path: Path) -> None:
    llama_lora(tmp_path / "made")
    models = {
        "llama": (tmp_path / "made" / "adapter", "fp32"),
        "llama-bf16": (tmp_path / "made" / "adapter", "bf16"),
        "t5": (t5(tmp_path / "t5"), "fp32"),
        "flan": (flan(tmp_path / "flan"), "fp32"),
    }
    for name, (model, dtype) in models.items():
        lay("caikit", model, tmp_path / "caikit" / name, "--dtype", dtype)
        lay("huggingface", model, tmp_path / "whole" / name, "--dtype", dtype)
    theirs = json.loads(caikit(json.dumps(IDS), TEXT, *(tmp_path / "caikit" / name for name in models)))
    for name, said in zip(models, theirs, strict=True):
        mine = ours(tmp_path / "whole" / name, name in ("t5", "flan"))
        assert said["module"] == "TextGeneration", name
        assert said["dtype"] == mine["dtype"], name
        loose = 0.05 if said["dtype"] == "torch.bfloat16" else 1e-4
        assert torch.allclose(torch.tensor(said["logits"]), torch.tensor(mine["logits"]), atol=loose), name
        assert said["text"] == mine["text"] or loose == 0.05, name
    assert theirs[2]["text"] == "you are a person"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_caikits_runtime_serves_the_folder_by_its_name(tmp_path: Path) -> None:
    lay("caikit", t5(tmp_path / "t5"), tmp_path / "models" / "detox-t5")
    asked = {"model_id": "detox-t5", "inputs": TEXT, "parameters": {"max_new_tokens": 8}}
    with runtime(tmp_path / "models") as address:
        request = urllib.request.Request(
            f"{address}/api/v1/task/text-generation", json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
    assert said["generated_text"] == "you are a person"
    assert said["finish_reason"] == "EOS_TOKEN"
