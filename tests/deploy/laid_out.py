"""Models to lay out, tiny and real, and the command that does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

import tiny_models as tiny
from unbarb.cli.deploy import register
from unbarb.prompt import built_in

THETA = 500_000.0
"""Not the default of any class, so that it is seen when it is lost."""


def run(*arguments: object) -> Any:
    """``unbarb deploy …``."""
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["deploy", *map(str, arguments)], catch_exceptions=False)


def lay(form: str, model: Path, out: Path, *options: object) -> dict[str, Any]:
    """Lay `model` out and give what the command says of it."""
    prompts = Path(__file__).parent / "prompts.txt"  # few: the check of a merge has tests of its own
    done = run("layout", form, model, out, "--json", "--prompts", prompts, *options)
    assert done.exit_code == 0, done.output
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def llama_lora(folder: Path, **more: Any) -> Path:
    """An adapter that has learnt a little, beside its base."""
    words = tiny.tokenizer(folder / "base", specials="<s> $A")
    base = tiny.llama(rope_parameters={"rope_type": "default", "rope_theta": THETA})
    base.save_pretrained(folder / "base")
    model = tiny.lora(base, ["q_proj", "v_proj"], task_type="CAUSAL_LM", **more)
    model.peft_config["default"].base_model_name_or_path = str(folder / "base")
    tiny.teach(model, words, built_in("detoxify"), steps=10)
    words.save_pretrained(folder / "adapter")
    return tiny.save(model, folder / "adapter", built_in("detoxify"))


def t5(folder: Path) -> Path:
    """One that has learnt its few pairs."""
    words = tiny.tokenizer(folder)
    model = tiny.t5()
    tiny.teach(model, words, built_in("t5-prefix"))
    return tiny.save(model, folder, built_in("t5-prefix"))


def flan(folder: Path) -> Path:
    """A T5 with a head of its own, as mT5 and flan-T5 have it."""
    import torch

    tiny.tokenizer(folder)
    model = tiny.t5(tied=False)
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach() * 1.5)
    return tiny.save(model, folder, built_in("t5-prefix"))


def changed(folder: Path, name: str, **values: Any) -> None:
    """Change a JSON file of a folder."""
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


def without(folder: Path, name: str) -> None:
    """Take a tensor out of ``model.safetensors``."""
    held = load_file(folder / "model.safetensors")
    del held[name]
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})
