"""Where a model lies: a folder, or a name on the hub that becomes one; what is in it, and its digest."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

from unbarb.detect.packaged import located
from unbarb.errors import ModelError
from unbarb.plugins import missing_extra

UNBOUNDED = 1_000_000
"""Tokenizers that know no limit give a number beyond this."""
WEIGHTS = (".safetensors", ".bin")
_READ = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "model.bin", "model.onnx")
"""What is fetched of a hub repository: no pickles."""


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A folder in the hub's format: a model, an adapter with its base, or a CTranslate2 model.

    `base` is the folder of the model that an adapter adapts, else None.
    """

    path: Path
    base: Path | None = None

    @classmethod
    def find(
        cls, model: str | Path, base: str | Path | None = None, revision: str | None = None
    ) -> ModelFolder:
        """The folder of `model`, a path or a name on the hub; `base` overrules what an adapter says.

        Raises:
            ModelError: there is no such folder, or it holds no model.
            MissingExtra: an adapter's base is a package that is not installed.
        """
        path = _folder(model, revision)
        if not (path / "adapter_config.json").is_file():
            if base is not None:
                raise ModelError(f"{path} is no adapter, so it has no base; leave out base: {base}")
            if not (path / "config.json").is_file():
                raise ModelError(
                    f"{path}: neither config.json nor adapter_config.json is there; give the folder of a"
                    " model, an adapter or a CTranslate2 model, such as RUN/model"
                )
            return cls(path)
        said = read_json(path / "adapter_config.json")
        name = base or said.get("base_model_name_or_path")
        if not name:
            raise ModelError(f"{path}/adapter_config.json names no base model; give it as base: …")
        return cls(path, _folder(name, None if base else said.get("revision")))

    @property
    def is_ctranslate2(self) -> bool:
        return (self.path / "model.bin").is_file()

    @property
    def is_onnx(self) -> bool:
        return (self.path / "model.onnx").is_file()

    def config(self) -> dict[str, Any]:
        """``config.json`` of the model itself; of an adapter's base when the adapter's folder has none."""
        own = self.path / "config.json"
        return read_json(own if own.is_file() or self.base is None else self.base / "config.json")

    def digest(self) -> str:
        """``sha256:…`` over the names and contents of all files that decide, the base's included."""
        return digest_of(folder for folder in (self.path, self.base) if folder)


def _folder(name: str | Path, revision: str | None) -> Path:
    path = Path(located(str(name))[0])
    if path.is_dir():
        return path
    if path.is_absolute() or str(name).startswith(".") or str(name).count("/") != 1:
        raise ModelError(
            f"{name}: no such folder; give the folder of a model, or its name on the hub (org/name)"
        )
    try:
        from huggingface_hub import snapshot_download  # a folder needs no hub
    except ModuleNotFoundError as error:
        raise missing_extra(f"fetching {name} from the hub", error) from error
    try:
        return Path(snapshot_download(str(name), revision=revision, allow_patterns=list(_READ)))
    except Exception as error:  # no network, no such name, a login: each raises classes of another package
        told = str(error).strip().splitlines()[0] if str(error).strip() else ""
        raise ModelError(
            f"{name}: no such folder, and the hub did not give it ({type(error).__name__}: {told});"
            " give the path of a folder, or fetch it where there is a network"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        ModelError: the file is missing or holds none.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} does not load: {error}") from error
    if not isinstance(found, dict):
        raise ModelError(f"{path} does not hold a JSON object")
    return found


def digest_of(folders: Iterable[Path]) -> str:
    """``sha256:…`` over the names and contents of the weights, settings and tokenizers in `folders`."""
    whole = sha256()
    for number, folder in enumerate(folders):
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.suffix in (*WEIGHTS, ".json", ".model", ".jinja", ".onnx", ".data"):
                with path.open("rb") as file:
                    whole.update(
                        f"{number}/{path.name} {file_digest(file, 'sha256').hexdigest()}\n".encode()
                    )
    return f"sha256:{whole.hexdigest()}"


def file_digests(folder: Path, endings: tuple[str, ...] = ("",)) -> dict[str, str]:
    """SHA-256 of each file of `folder` whose name ends so, by its path in there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name.endswith(endings):
            with path.open("rb") as file:
                found[path.relative_to(folder).as_posix()] = file_digest(file, "sha256").hexdigest()
    return found


def weights_digest(folder: Path) -> str:
    """SHA-256 over the names and contents of the weights in `folder`, as ``run.json`` has it of a base."""
    lines = "".join(f"{name} {digest}\n" for name, digest in file_digests(folder, WEIGHTS).items())
    return sha256(lines.encode()).hexdigest()
