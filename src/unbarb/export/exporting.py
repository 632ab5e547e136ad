"""One export from start to end: what can go wrong is asked first, then the work, card and upload."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from unbarb.errors import ConfigError
from unbarb.export.merge import merge, written
from unbarb.export.model_card import write_card
from unbarb.export.trained import Trained
from unbarb.plugins import missing_extra


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported, and how; see the options of ``unbarb export``."""

    run: Path
    to: str
    out: Path
    checkpoint: str = "best"
    base: str | None = None
    dtype: str = "bf16"
    precision: str = "int8"
    prompts: Path | None = None
    tolerance: float | None = None
    push: str | None = None
    private: bool = True


def export_to(wanted: Wanted) -> dict[str, Any]:
    """Do it, and give what was measured and ``lines`` to print.

    Raises:
        InputError: the run, the prompts, the disk or the hub.
        ConfigError: an option, or a model that cannot be exported so.
        ModelError: damaged files, or the result says something else than what was trained.
        MissingExtra: a package is not installed.
    """
    if wanted.push:
        _hub().check_hub(wanted.push)
    trained = Trained.find(wanted.run, checkpoint=wanted.checkpoint, base=wanted.base)
    measured = _written(wanted, trained)
    write_card(trained, wanted.out, {"format": wanted.to, **measured})
    lines = [f"{wanted.to}: {wanted.out}", *_told(measured)]
    if wanted.push:
        lines.append(f"pushed: {_hub().push(wanted.out, wanted.push, private=wanted.private)}")
    return {**measured, "lines": lines}


def _written(wanted: Wanted, trained: Trained) -> dict[str, Any]:
    texts = trained.texts(wanted.prompts)
    if wanted.to == "merged":
        return merge(trained, wanted.out, dtype=wanted.dtype, texts=texts, tolerance=wanted.tolerance)
    if wanted.to == "adapter":
        return _copied(trained, wanted.out)
    options: dict[str, Any] = {"precision": wanted.precision, "texts": texts, "tolerance": wanted.tolerance}
    try:
        if wanted.to == "onnx":
            from unbarb.export.classifier_onnx import export_classifier

            return export_classifier(trained, wanted.out, **options)
        if wanted.to == "ctranslate2":
            from unbarb.export.ctranslate import export_ctranslate

            return export_ctranslate(trained, wanted.out, **options)
    except ModuleNotFoundError as error:
        raise missing_extra(f"--to {wanted.to}", error) from error
    raise ConfigError(f"--to {wanted.to!r} is none of merged, adapter, onnx, ctranslate2")


def _copied(trained: Trained, out: Path) -> dict[str, Any]:
    with written(out) as partial:
        shutil.copytree(trained.folder.path, partial, dirs_exist_ok=True)
        trained.copy_beside(partial)
    return {"base": str(trained.folder.base)} if trained.is_adapter else {}


def _hub() -> Any:
    try:
        return import_module("unbarb.export.hub")
    except ModuleNotFoundError as error:
        raise missing_extra("--push", error) from error


def _told(measured: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, value in measured.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {_figure(one)}" for key, one in value.items())
        lines.append(f"{name.replace('_', ' ')}: {_figure(value)}")
    return lines


def _figure(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
