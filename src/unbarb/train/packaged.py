"""The base model of a recipe that names a Python package."""

from __future__ import annotations

from unbarb.detect.packaged import located
from unbarb.train.schema import ModelPart


def packaged(part: ModelPart) -> ModelPart:
    """`part` with a package's name turned into its folder; any other as it is.

    Raises:
        MissingExtra: see `located`.
        ModelError: see `located`.
    """
    name, revision = located(part.name, part.revision)
    return part.model_copy(update={"name": name, "revision": revision})
