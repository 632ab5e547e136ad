"""What there is to export: a run's model, one of its checkpoints, or a folder in the hub's format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from unbarb.detect.folder import ModelFolder, read_json
from unbarb.errors import ConfigError, InputError
from unbarb.prompt import FILE as TEMPLATE
from unbarb.prompt import Template
from unbarb.rewrite.decoding import FILE as DECODING

Kind = Literal["seq2seq", "causal", "classification"]

_TASKS: Mapping[str, Kind] = {
    "SEQ_2_SEQ_LM": "seq2seq",
    "CAUSAL_LM": "causal",
    "SEQ_CLS": "classification",
}
BESIDE = (TEMPLATE, DECODING, "classifier.json", "generation_config.json", "chat_template.jinja")
"""What belongs to a model besides weights, settings and tokenizer."""

PROMPTS = (
    "You are completely wrong about this, and you know it.",
    "Thank you, that was a great help!",
    "Why would anybody read 300 pages of this rubbish?",
    "The train to Leeds leaves at 9:40.",
    "I can't stand how they talk to people here.",
    "Read it again, slowly.",
    "What a stupid idea, nobody asked for it.",
    "We will see you on Monday.",
)
"""What a model is asked before and after, where a run left no texts of its own."""

ASKED = 16
"""So many of a run's own texts are taken."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model: its folder, what it is, how it is asked, and what ``run.json`` says of it."""

    folder: ModelFolder
    kind: Kind
    template: Template | None = None
    run: Mapping[str, Any] = field(default_factory=dict)
    beside: Path | None = None
    """The folder with template and labels: a checkpoint has none of its own."""

    @classmethod
    def find(cls, path: Path, *, checkpoint: str = "best", base: str | None = None) -> Trained:
        """The model of a run (`checkpoint` best, last or a step), or the model in the folder `path`.

        Raises:
            InputError: the run is not finished, or there is nothing that can be read.
            ConfigError: no such checkpoint.
            ModelError: the model's folder is not whole.
        """
        if not path.is_dir():
            raise InputError(f"{path}: no such folder; give a run of `unbarb train`, or a model's folder")
        if not (path / "run.json").is_file():
            if checkpoint != "best":
                raise ConfigError(f"{path} is no run, so it has no checkpoints; leave out --checkpoint")
            return cls._of(ModelFolder.find(path, base), {}, path)
        run = read_json(path / "run.json")
        best = path / "model"
        if checkpoint == "best" and run.get("status") != "finished":
            raise InputError(
                f"{path}: the run is not finished; go on with the same `unbarb train`, or export"
                " --checkpoint last"
            )
        chosen = best if checkpoint == "best" else _checkpoint(path, checkpoint)
        return cls._of(ModelFolder.find(chosen, base), run, best)

    @classmethod
    def _of(cls, folder: ModelFolder, run: Mapping[str, Any], beside: Path) -> Trained:
        asked = next((one for one in (folder.path, beside) if (one / TEMPLATE).is_file()), None)
        template = Template.load(asked) if asked else None
        return cls(folder, _kind(folder, run), template, run, beside)

    @property
    def is_adapter(self) -> bool:
        return self.folder.base is not None

    def texts(self, given: Path | None = None) -> list[str]:
        """What to ask: the lines of the file `given`, or the run's own dev texts, or `PROMPTS`.

        Raises:
            InputError: the file cannot be read, or has no line.
        """
        if given is not None:
            try:
                lines = [line.strip() for line in given.read_text("utf-8").splitlines() if line.strip()]
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(
                    f"{given} cannot be read: {error}; give a text file, a prompt a line"
                ) from error
            if not lines:
                raise InputError(f"{given} holds no line; give a text file, a prompt a line")
            return lines
        said = (self.beside or self.folder.path).parent / "predictions-dev.jsonl"
        if self.run and said.is_file():
            rows = [json.loads(line) for line in said.read_text("utf-8").splitlines()[:ASKED]]
            texts = [str(row.get("source") or row.get("text") or "") for row in rows]
            if any(texts):
                return [text for text in texts if text]
        return list(PROMPTS)

    def copy_beside(self, out: Path) -> None:
        """Copy template, labels and the like to `out`, where they are not there already."""
        for name in BESIDE:
            for source in (self.folder.path, self.beside):
                if source and (source / name).is_file() and not (out / name).exists():
                    shutil.copyfile(source / name, out / name)


def _kind(folder: ModelFolder, run: Mapping[str, Any]) -> Kind:
    """By what an adapter says it is for, else by the architecture."""
    if folder.base is not None:
        task = read_json(folder.path / "adapter_config.json").get("task_type")
        if task in _TASKS:
            return _TASKS[cast(str, task)]
    config = folder.config()
    names = " ".join(config.get("architectures") or ())
    if "SequenceClassification" in names or run.get("objective") == "classification":
        return "classification"
    return "seq2seq" if config.get("is_encoder_decoder") else "causal"


def _checkpoint(run: Path, wanted: str) -> Path:
    steps = {
        int(path.name.rpartition("-")[2]): path
        for path in (run / "checkpoints").glob("checkpoint-*")
        if path.name.rpartition("-")[2].isdigit()
    }
    there = ", ".join(map(str, sorted(steps))) or "none"
    if wanted == "last" and steps:
        return steps[max(steps)]
    if wanted.isdigit() and int(wanted) in steps:
        return steps[int(wanted)]
    raise ConfigError(
        f"--checkpoint {wanted!r} is not there; give best, last or a step. Steps kept: {there}"
    )
