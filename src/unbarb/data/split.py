"""Deterministic splits by source text: one text is in one split, whatever corpus it stands in."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from unbarb.errors import ConfigError

_SIGNS = {code: None for code in range(128) if not chr(code).isalnum()}

SHARES: Mapping[str, float] = {"train": 0.9, "dev": 0.05, "test": 0.05}


class Grouped(Protocol):
    """Anything that says which source text it comes from."""

    @property
    def group(self) -> str: ...


G = TypeVar("G", bound=Grouped)


def group_key(text: str) -> str:
    """The letters and digits of `text`, NFKC and casefolded, and nothing else.

    Corpora tokenise, lowercase and unescape the same comment differently; what is left here is
    the same. A text without letters or digits is its own key.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = plain.translate(_SIGNS) if plain.isascii() else "".join(filter(str.isalnum, plain))
    return kept or plain.strip()


def place(group: str, seed: int, shares: Mapping[str, float] = SHARES) -> str:
    """The name of the split that `group` belongs to; depends on nothing but the arguments."""
    digest = hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") / 2**64
    edge = 0.0
    for name, share in shares.items():
        edge += share
        if point < edge:
            return name
    return name


def split(examples: Iterable[G], seed: int, shares: Mapping[str, float] = SHARES) -> dict[str, list[G]]:
    """Divide `examples` by their group, keeping their order.

    Raises:
        ConfigError: the shares are none, negative, or do not add up to 1.
    """
    if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise ConfigError(f"shares {dict(shares)} of a split must be 0 or more and add up to 1")
    found: dict[str, list[G]] = {name: [] for name in shares}
    for example in examples:
        found[place(example.group, seed, shares)].append(example)
    return found


def leaks(one: Iterable[Grouped], other: Iterable[Grouped]) -> list[str]:
    """Group keys that stand in both, sorted; empty when the two are safely apart."""
    return sorted({example.group for example in one} & {example.group for example in other})
