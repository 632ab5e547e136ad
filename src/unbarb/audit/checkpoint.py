"""Signed statements on where the chain stood: the head, checkpoints, and anchors of pruned logs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from unbarb.audit.keys import Keyring
from unbarb.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """“The log `log` held `records` records up to `sequence`, whose digest was `digest`”, signed.

    `purpose` is "checkpoint", "anchor" for one that the log may begin behind, since what was before
    has been pruned, or "head" for the end of the chain. `number` counts checkpoints and anchors from
    1; in the head it is how many there are. The signature, Ed25519 by the key with the id `key`, is
    over the JSON of all other fields: names sorted, no spaces, ASCII.
    """

    purpose: str
    number: int
    log: str
    sequence: int
    digest: str
    records: int
    time: str
    key: str = ""
    signature: str = ""

    def signed(self, keys: Keyring) -> Statement:
        key = keys.current("sign").id
        unsigned = replace(self, key=key)
        return replace(unsigned, signature=keys.sign(unsigned.message)[1])

    def valid(self, keys: Keyring) -> bool:
        """Whether its signature is that of a key of the keyring."""
        types = (type(getattr(self, field.name)) for field in fields(self))
        if any(found is not due for found, due in zip(types, _TYPES, strict=True)):
            return False
        return keys.signed(self.message, self.key, self.signature)

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        said = asdict(self)
        del said["signature"]
        return json.dumps(
            {"unbarb": "audit statement 1", **said}, sort_keys=True, separators=(",", ":")
        ).encode()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[Any, Any]) -> Statement:
        return cls(**{field.name: row[field.name] for field in fields(cls)})


_TYPES = tuple(int if field.type == "int" else str for field in fields(Statement))


def published(path: Path) -> Iterator[Statement]:
    """The checkpoints of a file: one JSON object a line, as ``unbarb audit checkpoint`` prints them.

    Raises:
        InputError: the file cannot be read, or a line is no checkpoint.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: the checkpoints cannot be read ({error})") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _statement(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}:{number}: not a checkpoint; give lines that were published"
            ) from error


def _statement(raw: Any) -> Statement:
    statement = Statement.from_row(raw)
    for field, due in zip(fields(Statement), _TYPES, strict=True):
        if type(getattr(statement, field.name)) is not due:
            raise TypeError(field.name)
    return statement
