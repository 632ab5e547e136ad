"""How a trained rewriter was told to write: ``decoding`` of its recipe, kept in the folder of its model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from unbarb.errors import ModelError

FILE = "unbarb_decoding.json"
"""The name it has in the folder of the model it belongs to."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """What a recipe says of writing; None where it says nothing but the default."""

    beams: int | None = None
    max_new_tokens: int | None = None
    no_repeat_ngram: int | None = None
    repetition_penalty: float | None = None

    def save(self, folder: Path) -> None:
        """Write `FILE` into a model's folder, where there is something to say."""
        said = {name: value for name, value in asdict(self).items() if value is not None}
        if said:
            content = json.dumps({"schema": 1, **said}, indent=2) + "\n"
            (folder / FILE).write_text(content, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Decoding:
        """What `folder` says; nothing where the file is not there.

        Raises:
            ModelError: it is damaged, of another version, or says something impossible.
        """
        path = folder / FILE
        if not path.is_file():
            return cls()
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path} does not load: {error}; train the model anew") from error
        if not isinstance(content, dict) or content.pop("schema", None) != 1 or not _sound(content):
            known = ", ".join(one.name for one in fields(cls))
            raise ModelError(f"{path}: not a decoding of version 1; its keys are numbers, of {known}")
        return cls(**content)


def _sound(content: Mapping[str, Any]) -> bool:
    least = {"beams": 1, "max_new_tokens": 1, "no_repeat_ngram": 0}
    return all(
        (name in least and type(value) is int and value >= least[name])
        or (name == "repetition_penalty" and type(value) in (int, float) and value > 0)
        for name, value in content.items()
    )
