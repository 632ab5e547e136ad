"""An adapter beside the base that it was trained on: ``adapter/`` and ``base/``, as peft reads them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unbarb.deploy.layouts import huggingface
from unbarb.deploy.layouts.adapter import adapter_problems
from unbarb.detect.folder import read_json
from unbarb.errors import ConfigError, ModelError

_KEPT = (".safetensors", ".json", ".model", ".txt", ".jinja")


def refuse(facts: Mapping[str, Any]) -> None:
    """Refuse a model without an adapter.

    Raises:
        ConfigError: it has none.
    """
    if not facts.get("base"):
        raise ConfigError(
            "huggingface-adapter is for an adapter with a base; lay this model out as huggingface"
        )


def arrange(folder: Path, facts: Mapping[str, Any]) -> None:
    """Move the adapter into a folder of its own, copy its base beside it, and name that as its base.

    ``facts["base"]`` is the base's folder, ``facts["served_at"]`` where the whole will lie on the server.
    """
    own = [path for path in folder.iterdir() if path.name != "README.md"]
    for name in ("adapter", "base"):
        (folder / name).mkdir()
    for path in own:
        path.rename(folder / "adapter" / path.name)
    for path in sorted(Path(facts["base"]).iterdir()):
        if path.is_file() and path.suffix in _KEPT:
            shutil.copyfile(path, folder / "base" / path.name)
    config = folder / "adapter" / "adapter_config.json"
    named = read_json(config) | {"base_model_name_or_path": f"{facts['served_at']}/base", "revision": None}
    config.write_text(json.dumps(named, indent=2, sort_keys=True) + "\n", "utf-8")


def problems(folder: Path, base: Path | None = None) -> Iterator[str]:
    """What is wrong with it, one line each."""
    yield from huggingface.problems(folder / "base")
    yield from adapter_problems(folder / "adapter", folder / "base")
    try:
        named = str(read_json(folder / "adapter" / "adapter_config.json").get("base_model_name_or_path"))
    except ModelError:
        return  # told already
    if not named.endswith("/base"):
        yield f"adapter/adapter_config.json names {named} as its base, not the folder beside it"


def serve(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """How it is served."""
    where = facts.get("served_at")
    return [f"python: peft.AutoPeftModel….from_pretrained('{where}/adapter'), with this folder at {where}"]
