"""The cards of the models in the package, ``models/*/card.json``, and the files they answer for.

A card is a JSON object; ``files`` maps a file's name to its ``sha256`` and ``bytes``. Of the rest,
``licence`` (or the licences of ``sources``) and ``purpose`` are read for lists, and all of it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

from unbarb.errors import InputError, ModelError

HOME = Path(__file__).parent.parent / "models"


@dataclass(frozen=True, slots=True)
class Card:
    """A model's card and where its files are; `digest` is that of the card, which pins the files."""

    folder: Path
    content: Mapping[str, Any]
    digest: str

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        files = self.content.get("files", {})
        return files if isinstance(files, dict) else {}

    @property
    def size(self) -> int:
        """Bytes of all files, as the card has them."""
        return sum(int(entry["bytes"]) for entry in self.files.values())

    @property
    def licence(self) -> str:
        """Of the model, or of what it was made from where it has no one licence."""
        sources = [source.get("licence", "") for source in self.content.get("sources", [])]
        return str(self.content.get("licence") or ", ".join(dict.fromkeys(sources)) or "see its card")

    @property
    def purpose(self) -> str:
        return str(self.content.get("purpose", ""))

    def summary(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "bytes": self.size,
            "digest": self.digest,
            "licence": self.licence,
            "purpose": self.purpose,
        }


def cards(home: Path) -> list[Card]:
    """The cards of all models under `home`, by name.

    Raises:
        ModelError: there is none, or one cannot be read.
    """
    found = [_read(path) for path in sorted(home.glob("*/card.json"))]
    if not found:
        raise ModelError(f"{home}: no model has a card.json; install the package again")
    return found


def named(home: Path, name: str) -> Card:
    """The card of one model.

    Raises:
        InputError: there is no model of that name.
    """
    known = {card.name: card for card in cards(home)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise InputError(f"no model named {name!r}{hint} Known: {', '.join(known)}")
    return known[name]


def problems(card: Card) -> list[str]:
    """What is wrong with a model's files, a sentence each; nothing when all are as the card says."""
    found = []
    for file, entry in card.files.items():
        path = card.folder / file
        if not path.is_file():
            found.append(f"{file} is missing")
        elif path.stat().st_size != entry["bytes"]:
            found.append(f"{file} has {path.stat().st_size:,} bytes, its card says {entry['bytes']:,}")
        elif _digest(path) != entry["sha256"]:
            found.append(f"{file} has SHA-256 {_digest(path)}, its card says {entry['sha256']}")
    return found


def _read(path: Path) -> Card:
    try:
        raw = path.read_bytes()
        content = json.loads(raw)
        card = Card(path.parent, content, f"sha256:{sha256(raw).hexdigest()}")
        whole = all({"sha256", "bytes"} <= entry.keys() for entry in card.files.values())
        card.summary()  # what lists show must be there in a form that can be shown
    except (OSError, ValueError, AttributeError, TypeError, KeyError) as error:
        raise ModelError(f"{path}: not a readable card ({error}); install the package again") from error
    if not whole or not card.files:
        raise ModelError(f"{path}: its 'files' must give 'sha256' and 'bytes' of each; install again")
    return card


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
