"""What a verification found: each tampering by its kind and place, and how much was looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "edited", "deleted", "reordered", "cut tail", "rebuilt", "added", "head", "checkpoint", "text"
]


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that is not as it was written.

    `first` and `last` are the sequence numbers of the records it concerns, or of the checkpoints
    where `kind` is "checkpoint"; `fields` the columns that were changed, where it can be told.
    """

    kind: Kind
    told: str
    first: int | None = None
    last: int | None = None
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}: {self.told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The outcome: intact exactly when no tampering was found.

    `vouched` is the last record that a signature stands for; `published` how many of the given
    checkpoints the log still leads to.
    """

    log: str
    records: int
    first: int
    last: int
    digest: str
    vouched: int
    checkpoints: int
    published: int
    texts: int
    erased: int
    tamperings: tuple[Tampering, ...]

    @property
    def intact(self) -> bool:
        return not self.tamperings

    def to_dict(self) -> dict[str, Any]:
        return {"intact": self.intact, **asdict(self)}


def numbered(first: int, last: int, what: str = "record") -> str:
    """``record 4`` or ``records 4…9``."""
    return f"{what} {first}" if first == last else f"{what}s {first}…{last}"
