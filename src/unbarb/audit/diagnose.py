"""What is wrong with one record, told from its marks and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unbarb.audit.chain import FIELDS, MARK, digest, mark, marks


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`digest` is what the next record should name; `place` where a record belongs that stands elsewhere.

    `fields` are the columns that were changed; empty, where `sound` is False, when it cannot be told.
    """

    sound: bool
    digest: str
    fields: tuple[str, ...] = ()
    place: int | None = None


class Places:
    """Finds the sequence number that a record had, up to `limit`, from the mark of it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._known: dict[str, list[int]] = {}

    def of(self, record: Mapping[str, Any], *, sure: bool) -> int | None:
        """The number, made sure by the record's digest where nothing else was changed in it."""
        if not self._known:
            for number in range(1, self._limit + 1):
                self._known.setdefault(mark("sequence", number), []).append(number)
        at = FIELDS.index("sequence") * MARK
        fitting = self._known.get(record["marks"][at : at + MARK], [])
        if not sure:
            return fitting[0] if len(fitting) == 1 else None
        for number in fitting:
            moved = {**record, "sequence": number}
            if digest(moved, record["marks"], record["previous"]) == record["digest"]:
                return number
        return None


def diagnosed(
    record: Mapping[str, Any], before: str | None, following: str | None, places: Places
) -> Diagnosis:
    """Compare a record with itself and its neighbours.

    `before` is the digest of the record before, `following` what the record after, or the head,
    names as this one's; None where not known.
    """
    found, marked = record["digest"], record["marks"]
    own = digest(record, marked, record["previous"])
    if own == found:
        return Diagnosis(True, found)
    fresh = marks(record)
    wrong = tuple(
        name
        for at, name in enumerate(FIELDS)
        if fresh[at * MARK : (at + 1) * MARK] != marked[at * MARK : (at + 1) * MARK]
    )
    if (wrong or len(marked) != len(fresh)) and digest(record, fresh, record["previous"]) == found:
        return Diagnosis(False, found, ("marks",))
    if "sequence" in wrong:
        return Diagnosis(False, found, wrong, places.of(record, sure=wrong == ("sequence",)))
    if wrong:
        return Diagnosis(False, found, wrong)
    if before is not None and digest(record, marked, before) == found:
        return Diagnosis(False, found, ("previous",))
    if own == following:
        return Diagnosis(False, own, ("digest",))
    return Diagnosis(False, found)
