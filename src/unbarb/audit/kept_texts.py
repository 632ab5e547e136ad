"""The check of the encrypted texts: each as it was written, and none gone but by a recorded erasure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from unbarb.audit.models import Record, SealedText
from unbarb.audit.tampering import Tampering
from unbarb.audit.text import Sealed

ERASED, PRUNED = "texts erased", "texts pruned"
"""What the record says of texts that were removed: by record, or because their time had come."""


class KeptTexts:
    """Looks at the text of one record after the other; `kept` and `erased` count them."""

    def __init__(self, connection: Connection) -> None:
        self.kept = self.erased = 0
        self._connection = connection
        self._erased: set[int] = set()
        self._pruned: list[tuple[int, str]] = []
        self._wrong: list[Tampering] = []
        chosen = select(Record.details).where(Record.kind == "admin", Record.details.is_not(None))
        for details in connection.execute(chosen).scalars():
            self._permit(details or "")

    def _permit(self, details: str) -> None:
        """Take note of a recorded removal; one that was tampered with permits nothing it did not say."""
        try:
            said = json.loads(details)
            if said["what"] == ERASED:
                self._erased.update(said["sequences"])
            elif said["what"] == PRUNED:
                self._pruned.append((int(said["through"]), str(said["expired_before"])))
        except (ValueError, KeyError, TypeError):
            return  # not ours to judge: the record itself is checked by its digest

    def look(self, record: Mapping[str, Any]) -> None:
        """Compare the ciphertext that stands beside a record with what the record says of it."""
        number, due = record["sequence"], record["text_digest"]
        if record["sealed"] is None:
            if due is None:
                return
            if self._permitted(number, record["text_expires"]):
                self.erased += 1
            else:
                self._tell(number, "was removed, and no erasure is on record")
            return
        if due is None:
            self._tell(number, "was added: the record has none")
        elif _digest(record) != due:
            self._tell(number, "was changed")
        else:
            self.kept += 1

    def _permitted(self, number: int, expires: str | None) -> bool:
        if number in self._erased:
            return True
        return any(number <= through and (expires or "") < before for through, before in self._pruned)

    def _tell(self, number: int, what: str) -> None:
        self._wrong.append(
            Tampering("text", f"the encrypted text of record {number} {what}", number, number)
        )

    def tamperings(self, missing: Sequence[range], elsewhere: Collection[int]) -> Iterator[Tampering]:
        """All that is wrong, but for texts of records that are known to be `missing` or `elsewhere`."""
        yield from self._wrong
        alone = select(SealedText.sequence).where(SealedText.sequence.not_in(select(Record.sequence)))
        for number in self._connection.execute(alone).scalars():
            if number not in elsewhere and not any(number in gone for gone in missing):
                told = f"an encrypted text stands at {number}, where there is no record"
                yield Tampering("text", told, number, number)


def _digest(record: Mapping[str, Any]) -> str | None:
    key, data_key, sealed = record["text_key"], record["data_key"], record["sealed"]
    if not (isinstance(key, str) and isinstance(data_key, bytes) and isinstance(sealed, bytes)):
        return None
    return Sealed(key, data_key, sealed).digest
