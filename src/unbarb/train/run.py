"""A run folder: what a training leaves behind, whatever it trained, and how it goes on after a stop.

::

    OUT/
    ├── recipe.yaml            the recipe as it ran, every value written out
    ├── run.json               digests, versions, parameters, memory, seconds, best step, final figures
    ├── metrics.jsonl          one object per log: step, epoch, loss, eval_loss, learning_rate, …
    ├── loss.png               both losses by step
    ├── checkpoints/           what an interrupted run goes on from
    ├── model/                 adapter or full model, tokenizer, template
    └── predictions-dev.jsonl  what the trained model says to rows it did not learn from

Several processes may open one folder (``accelerate launch``); the first writes, the others only read.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Any, Self

import yaml

from unbarb.errors import ConfigError, InputError
from unbarb.train.live import Live, Quiet, live_for
from unbarb.train.memory_used import peak_mb

SCHEMA = 1
PACKAGES = (
    "unbarb", "torch", "transformers", "peft", "trl", "accelerate", "datasets", "bitsandbytes",
    "tokenizers", "scikit-learn", "numpy",
)  # fmt: skip


class Run:
    """One training and its folder. Make it with `begin`; use it as a context, so that the display ends.

    `resumed` says that an earlier process began it; `finished` that there is nothing left to do.
    """

    def __init__(self, folder: Path, facts: dict[str, Any], *, resumed: bool, live: Quiet | Live) -> None:
        self.folder = folder
        self.facts = facts
        self.resumed = resumed
        self.live = live
        self._began = monotonic()
        self._before = 0.0

    @classmethod
    def begin(
        cls,
        folder: Path | str,
        *,
        recipe: Mapping[str, Any],
        digests: Mapping[str, str],
        quiet: bool = False,
    ) -> Self:
        """Open `folder` for `recipe`, or go on with what an interrupted process left there.

        `digests` name what the run depends on besides the recipe, as ``{"data": …, "base": …}``.

        Raises:
            ConfigError: the folder holds a run of another recipe, of other data or of another base.
            InputError: it holds something that is no run, or cannot be written.
        """
        folder = Path(folder)
        digests = {"recipe": digest_of(recipe), **digests}
        facts = _facts(folder)
        if facts is None:
            _refuse_strangers(folder)
        else:
            _refuse_other(folder, facts, digests)
        resumed = facts is not None
        if facts is None:
            facts = {"schema": SCHEMA, "name": recipe.get("name"), "objective": recipe.get("objective"),
                     "status": "running", "digests": digests}  # fmt: skip
        run = cls(folder, facts, resumed=resumed, live=live_for(quiet=quiet or not is_main()))
        if is_main() and not run.finished:
            run.facts["versions"] = versions()
            run._create(recipe)
        return run

    @property
    def finished(self) -> bool:
        return bool(self.facts["status"] == "finished")

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """Where the trained model goes."""
        return self.folder / "model"

    @property
    def seconds(self) -> float:
        """Time spent training, that of interrupted processes included."""
        return self._before + monotonic() - self._began

    def rewind(self, step: int) -> None:
        """Forget what was logged after `step`, the checkpoint from which this process goes on.

        Those steps are made again, and logged again.
        """
        kept = [line for line in self.metrics() if line["step"] <= step]
        self._before = max((line.get("seconds", 0.0) for line in kept), default=0.0)
        self._began = monotonic()
        if is_main():
            _write(self.folder / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in kept))

    def log(self, step: int, **figures: float) -> None:
        """Add a line to ``metrics.jsonl``: `figures` as they are, and the seconds and memory so far."""
        line = {"step": step, **figures, "memory_mb": peak_mb(), "seconds": round(self.seconds, 2)}
        if is_main():
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        self.live.log(line)

    def metrics(self) -> list[dict[str, Any]]:
        """The lines logged so far; a last line that a killed process left half written is not one."""
        path = self.folder / "metrics.jsonl"
        text = path.read_text("utf-8") if path.is_file() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def draw(self) -> None:
        """Write ``loss.png`` from what was logged; nothing where no loss was."""
        from unbarb.train.curves import write_losses

        if is_main():
            write_losses(self.folder / "loss.png", self.metrics())

    def note(self, **facts: Any) -> None:
        """Put facts into ``run.json`` at once, so that they are there if the run is stopped."""
        self.facts.update(facts)
        if is_main():
            _write(self.folder / "run.json", json.dumps(self.facts, indent=2, ensure_ascii=False) + "\n")

    def pin(self, name: str, digest: str) -> None:
        """Hold the digest of something the run depends on that is known only once it is loaded.

        Raises:
            ConfigError: the run was begun with another.
        """
        _refuse_other(self.folder, self.facts, {name: digest})
        self.note(digests={**self.facts["digests"], name: digest})

    def predicted(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Write ``predictions-dev.jsonl``."""
        if is_main():
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            _write(self.folder / "predictions-dev.jsonl", "".join(lines))

    def finish(self, **facts: Any) -> dict[str, Any]:
        """Draw, write the last facts and give what ``run.json`` holds now.

        Files of the model get their digests here, so that what is served can be traced to its run.
        """
        self.draw()
        # What scoring takes afterwards, with the model read back, is no cost of training.
        trained = max((line["memory_mb"] for line in self.metrics()), default=None)
        found = {"peak_memory_mb": trained or peak_mb(), "seconds": round(self.seconds, 2), **facts}
        if is_main():
            found["model_files"] = file_digests(self.model)
        self.note(**found, status="finished")
        return self.facts

    def need_space(self, needed: int) -> None:
        """Stop before training when the disk is too small for `needed` bytes.

        Raises:
            InputError: it is.
        """
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise InputError(
                f"{self.folder}: {free / 1e9:.1f} GB are free and checkpoints and model need about"
                f" {needed / 1e9:.1f} GB; make room or name a folder on another disk"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.live.close()

    def _create(self, recipe: Mapping[str, Any]) -> None:
        text = yaml.safe_dump(dict(recipe), sort_keys=False, allow_unicode=True)
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            _write(self.folder / "recipe.yaml", text)
            self.note()
        except OSError as error:
            raise InputError(f"{self.folder} cannot be written: {error.strerror or error}") from error


def space_needed(trainable: int) -> int:
    """Bytes that a run may put on the disk: three checkpoints at once (weights, two moments) and the model.

    An adapter's checkpoint holds what is trained; the base stays where it is.
    """
    return (3 * 3 + 1) * 4 * trainable + 50_000_000


def is_main() -> bool:
    """Whether this is the process that writes; the only one, unless a launcher started several."""
    return int(os.environ.get("RANK", "0")) == 0


def digest_of(recipe: Mapping[str, Any]) -> str:
    """SHA-256 of a recipe's values, whatever the order and layout of its file."""
    return hashlib.sha256(json.dumps(recipe, sort_keys=True, default=str).encode()).hexdigest()


def file_digests(folder: Path, endings: Sequence[str] = ("",)) -> dict[str, str]:
    """SHA-256 of each file of `folder` whose name ends so, by its path in there."""
    found = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        if path.is_file() and path.name.endswith(tuple(endings)):
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that a result may depend on, as far as they are there."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _facts(folder: Path) -> dict[str, Any] | None:
    path = folder / "run.json"
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}; name another folder") from error
    if not isinstance(facts, dict) or facts.get("schema") != SCHEMA or "digests" not in facts:
        raise InputError(f"{path}: not a run of this version; name another folder")
    return facts


def _refuse_strangers(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the run")
    # Another process of the same launch may have begun the folder a moment ago.
    strangers = (
        {path.name for path in folder.iterdir()} - {"checkpoints", "recipe.yaml"}
        if folder.is_dir()
        else set()
    )
    if strangers and is_main():
        raise InputError(
            f"{folder} holds {', '.join(sorted(strangers)[:5])} and is no run; name a new or empty folder"
        )


def _refuse_other(folder: Path, facts: Mapping[str, Any], digests: Mapping[str, str]) -> None:
    other = [name for name, digest in digests.items() if facts["digests"].get(name, digest) != digest]
    if other:
        raise ConfigError(
            f"{folder} holds a run with another {' and another '.join(other)}; only the same goes on."
            " Name another folder, or delete this one"
        )


def _write(path: Path, text: str) -> None:
    """Write whole or not at all: a run may be killed at any moment."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
