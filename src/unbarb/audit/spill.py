"""What could not be written to the record, on the local disk until it can.

Each group of entries is a file of its own, complete or not there: JSON lines, each sealed with a keyed
hash. An entry carries its event's id, so a file that is read twice is recorded once.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from unbarb.audit.event import Event, new_id
from unbarb.audit.keys import Keyring, keyed_hash
from unbarb.audit.written import Entry, written
from unbarb.errors import AuditError

REFUSED = "spilled entries refused"
"""What the record says of lines that were not as they were spilled."""


@dataclass(frozen=True, slots=True)
class Drained:
    """How many entries were recorded, and how many lines were not as they had been spilled."""

    recorded: int = 0
    refused: int = 0


class Spill:
    """The folder of one machine. Several processes may spill to it and drain it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def files(self) -> list[Path]:
        """What waits, oldest first."""
        return sorted(self.folder.glob("*.jsonl"))

    def write(self, entries: Sequence[Entry], keys: Keyring) -> None:
        """Write a file of entries, on the disk when this returns.

        Raises:
            AuditError: it cannot be written.
        """
        key = keys.current("hash")
        name = f"{new_id()}.jsonl"
        part = self.folder / f"{name}.part"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                for entry in entries:
                    plain = json.dumps(entry.to_dict())
                    seal = keyed_hash(key, plain)
                    file.write(json.dumps({"entry": plain, "key": key.id, "seal": seal}) + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self.folder / name)
            _to_disk(self.folder)
        except OSError as error:
            raise AuditError(f"the record cannot be spilled to {self.folder}: {error.strerror}") from error

    def drain(
        self, write: Callable[[Sequence[Entry]], object], keys: Keyring, limit: int | None = None
    ) -> Drained:
        """Record what waits, `limit` files of it, and delete each file that was recorded.

        A line that is not as it was spilled is not recorded: the record says so, and its file stays,
        as ``*.refused``.

        Raises:
            AuditError: the record cannot be written; what was not yet recorded stays.
        """
        recorded = refused = 0
        for file in self.files[:limit]:
            try:
                lines = file.read_text("utf-8", "replace").splitlines()
            except FileNotFoundError:
                continue  # another process was quicker
            except OSError as error:
                raise AuditError(f"the spilled record {file} cannot be read: {error.strerror}") from error
            entries = [entry for line in lines if (entry := _entry(line, keys)) is not None]
            wrong = len(lines) - len(entries)
            if wrong:
                told = Event.admin(REFUSED, {"file": file.name, "lines": wrong})
                entries.append(written(told, keys))
            write(entries)
            with suppress(FileNotFoundError):
                if wrong:
                    file.rename(file.with_suffix(".refused"))
                else:
                    file.unlink()
            recorded += len(lines) - wrong
            refused += wrong
        return Drained(recorded, refused)


def _entry(line: str, keys: Keyring) -> Entry | None:
    """The entry of a line; None where its seal does not fit."""
    try:
        raw = json.loads(line)
        key = keys.find("hash", raw["key"])
        if key is None or not hmac.compare_digest(keyed_hash(key, raw["entry"]), raw["seal"]):
            return None
        return Entry.from_dict(json.loads(raw["entry"]))
    except (ValueError, KeyError, TypeError):
        return None


def _to_disk(folder: Path) -> None:
    """Make the names in a folder durable, where the system can."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
