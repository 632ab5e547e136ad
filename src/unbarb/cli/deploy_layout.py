"""``unbarb deploy layout``: make of a trained model the folder that a server reads, and check it."""

from __future__ import annotations

import json as json_format
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from unbarb.deploy.manifest import NAME, Manifest
from unbarb.deploy.room import check_room, not_written
from unbarb.errors import InputError, ModelError
from unbarb.plugins import missing_extra


class Layout(StrEnum):
    """How the folder lies, by who reads it."""

    huggingface = "huggingface"
    huggingface_adapter = "huggingface-adapter"
    caikit = "caikit"
    vllm = "vllm"
    ctranslate2 = "ctranslate2"
    onnx = "onnx"


EXPORTED = {
    Layout.huggingface: "merged",
    Layout.huggingface_adapter: "adapter",
    Layout.caikit: "merged",
    Layout.vllm: "adapter",
    Layout.ctranslate2: "ctranslate2",
    Layout.onnx: "onnx",
}
"""What `unbarb export --to` writes for each, before it is arranged."""


Form = Annotated[
    Layout,
    typer.Argument(
        metavar="LAYOUT", show_default=False,
        help="huggingface: the whole model, as most servers read it; huggingface-adapter: adapter/ and"
        " base/ side by side; caikit: config.yml and artifacts/; vllm: a LoRA adapter; ctranslate2: a"
        " model that writes, fast on a processor; onnx: a classifier, without torch.",
    ),
]  # fmt: skip
Model = Annotated[
    Path, typer.Argument(show_default=False, help="A run of `unbarb train`, or a model's folder.")
]
Out = Annotated[Path, typer.Argument(show_default=False, help="The new folder; its name is the model's.")]
Checkpoint = Annotated[str, typer.Option(help="best, last, or the step of a checkpoint.")]
Base = Annotated[
    str | None, typer.Option(help="The model under the adapter, where it is not the one it names.")
]
Dtype = Annotated[str, typer.Option(help="Numbers of a whole model: bf16, fp32 or fp16.")]
Precision = Annotated[str, typer.Option(help="Numbers of onnx and ctranslate2: int8 or fp32.")]
Prompts = Annotated[
    Path | None, typer.Option(help="Texts to compare on, one a line. Default: the run's own dev texts.")
]
Tolerance = Annotated[
    float | None, typer.Option(min=0.0, help="How much drift is let pass. Default: what rounding makes.")
]
ServedAt = Annotated[
    str, typer.Option(help="Where huggingface-adapter will lie on the server, so that it finds its base.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Say what was done as one JSON object.")]


def register(group: typer.Typer) -> None:
    """Add the command to `group`."""
    group.command("layout")(layout)


def layout(
    form: Form,
    model: Model,
    out: Out,
    checkpoint: Checkpoint = "best",
    base: Base = None,
    dtype: Dtype = "bf16",
    precision: Precision = "int8",
    prompts: Prompts = None,
    tolerance: Tolerance = None,
    served_at: ServedAt = "/mnt/models",
    json: AsJson = False,
) -> None:
    """Lay a trained model out as a server reads it, checked, with a manifest of SHA-256 digests.

    The model is exported as by `unbarb export` (merged or converted, and put to the same texts before and
    after), arranged, and the folder is checked: what is missing, cut off or would be read wrongly is told,
    and nothing is kept. unbarb-manifest.json is written last; `unbarb deploy verify OUT` checks it again,
    `unbarb deploy upload OUT s3://…` sends it.

    Exit codes: 0 done, 2 it cannot be done, with what to do.
    """
    try:
        from unbarb.export.exporting import Wanted, export_to
        from unbarb.export.model_card import write_card
        from unbarb.export.trained import Trained
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise missing_extra("unbarb deploy layout", error) from error
    rules = import_module(f"unbarb.deploy.layouts.{form.name}")
    trained = Trained.find(model, checkpoint=checkpoint, base=base)
    facts = _facts(trained, form, dtype, precision, served_at)
    rules.refuse(facts)
    with _staged(out, _weight(trained)) as folder:
        to = EXPORTED[form]
        wanted = Wanted(model, to, folder, checkpoint, base, dtype, precision, prompts, tolerance)
        measured = export_to(wanted)
        lines = measured.pop("lines")[1:]
        rules.arrange(folder, facts)
        if "base" in measured:
            measured["base"] = facts["base_name"] or Path(measured["base"]).name
        # The card tells the digests of what is served, not of what it was made of.
        (folder / "README.md").unlink()
        write_card(trained, folder, {"format": form.value, **measured})
        _checked(rules.problems(folder, trained.folder.base), folder, out, form)
        # Weights are written for their owner alone, and a server is another user.
        for path in folder.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        said = {name: value for name, value in facts.items() if name not in ("base", "served_at")}
        Manifest.of(folder, said).write(folder)
    _tell(out, form, lines, rules.serve(out, facts), json)


def _checked(problems: Iterable[str], folder: Path, out: Path, form: Layout) -> None:
    """Fail where there is a problem.

    Raises:
        ModelError: with all of them.
    """
    wrong = [line.replace(str(folder), str(out)) for line in problems]
    if wrong:
        lines = "\n".join(f"  {line}" for line in wrong)
        raise ModelError(f"{out} would not be served as {form.value}; nothing was kept:\n{lines}")


def _tell(out: Path, form: Layout, measured: list[str], serve: list[str], json: bool) -> None:
    manifest = Manifest.read(out)
    if json:
        told = {"out": str(out), "layout": manifest.layout, "files": len(manifest.files)}
        told |= {"bytes": manifest.bytes, "measured": measured, "serve": serve}
        typer.echo(json_format.dumps(told))
        return
    for line in (f"{form.value}: {out}", *measured):
        typer.echo(line)
    typer.echo(f"{len(manifest.files)} files, {manifest.bytes:,} bytes, checked; digests: {out / NAME}")
    for line in serve:
        typer.echo(f"serve: {line}")


def _facts(trained: Any, form: Layout, dtype: str, precision: str, served_at: str) -> dict[str, Any]:
    """What a layout goes by, and what its manifest says."""
    named = trained.run.get("base")
    if form in (Layout.ctranslate2, Layout.onnx):
        numbers: str | None = precision
    else:
        numbers = dtype if EXPORTED[form] == "merged" else None  # an adapter is copied as it is
    return {
        "layout": form.value,
        "kind": trained.kind,
        "model_type": trained.folder.config().get("model_type"),
        "dtype": numbers,
        "of": trained.folder.digest(),
        "base_name": named.get("name") if isinstance(named, dict) else None,
        "base": str(trained.folder.base) if trained.is_adapter else None,
        "served_at": served_at,
    }


def _weight(trained: Any) -> int:
    """Bytes that the export may come to: those of the model and its base."""
    folders = [folder for folder in (trained.folder.path, trained.folder.base) if folder]
    return sum(path.stat().st_size for folder in folders for path in folder.iterdir() if path.is_file())


@contextmanager
def _staged(out: Path, size: int) -> Iterator[Path]:
    """A folder of the same name that becomes `out` when all went well, and is gone when not.

    Raises:
        InputError: `out` holds something, its disk has no room, or it cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already; name a new folder, or delete it")
    out = out.absolute()
    beside = out.parent / f".{out.name}.laying"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        check_room(beside, size)
        yield beside / out.name
        if out.exists():
            out.rmdir()
        (beside / out.name).rename(out)
    except OSError as error:
        raise not_written(out, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
