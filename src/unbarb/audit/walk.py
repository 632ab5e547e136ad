"""One pass over the records of a log, in their order, that finds what does not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from unbarb.audit.diagnose import Diagnosis, Places, diagnosed
from unbarb.audit.statements import Statements
from unbarb.audit.tampering import Tampering, numbered

Record = Mapping[str, Any]


class Walk:
    """Reads from the last anchor, or the beginning, to the end.

    `last` and `digest` are where the chain ends, `digests` those of records that a statement is about,
    `displaced` maps where a record stands to where it belongs, `blamed` are records known to be edited.
    """

    def __init__(self, statements: Statements, limit: int) -> None:
        self.start, self.digest = statements.beginning
        self.last = self.start
        self.seen = 0
        self.digests = {self.start: self.digest} if self.digest else {}
        self.displaced: dict[int, int] = {}
        self.blamed: set[int] = set()
        self._edited: list[Tampering] = []
        self._added: list[int] = []
        self._holes: list[range] = []
        self._unnumbered_places: set[int] = set()
        self._places = Places(limit)
        self._wanted = statements.places
        self._head = statements.head
        self._due = statements.end
        self._signed_end = statements.head_is_sound

    def over(self, records: Iterable[Record]) -> Iterator[Record]:
        """Look at each record, knowing the one after it, and give those that stand in their place."""
        waiting: Record | None = None
        for record in records:
            if type(record["sequence"]) is not int:  # SQLite lets any value stand in any column
                self._unnumbered(record)
                continue
            if waiting is not None:
                apart = record["sequence"] != waiting["sequence"] + 1
                yield from self._look(waiting, None if apart else record["previous"])
            waiting = record
        if waiting is not None:
            yield from self._look(waiting, self._head.digest if self._head else None)
        if self.last < self._due:
            self._holes.append(range(self.last + 1, self._due + 1))

    def _look(self, record: Record, following: str | None) -> Iterator[Record]:
        self.seen += 1
        number = record["sequence"]
        before = self.digest if number == self.last + 1 else None
        found = diagnosed(record, before, following, self._places)
        if found.place is not None and found.place != number:
            self._moved(number, found)
            return
        if not found.sound:
            self._edit(number, found.fields)
        if number <= self.start or (self._signed_end and number > self._due):
            self._added.append(number)
            return
        if number > self.last + 1:
            self._holes.append(range(self.last + 1, number))
        elif found.sound and before is not None and record["previous"] != before:
            # Its own link to the next broken too: it was changed itself; else the one before was.
            itself = following is not None and following != record["digest"]
            self._edit(number if itself or number - 1 == self.start else number - 1, ())
        self.last, self.digest = number, found.digest
        if number in self._wanted:
            self.digests[number] = found.digest
        if "text_digest" not in found.fields:
            yield record

    def _unnumbered(self, record: Record) -> None:
        self.seen += 1
        place = diagnosed(record, None, None, self._places).place
        told = f"record {place or '?'}: its sequence is {record['sequence']!r}, which is no number"
        self._edited.append(Tampering("edited", told, place, place, ("sequence",)))
        if place is not None:
            self._unnumbered_places.add(place)

    def _edit(self, number: int, fields: tuple[str, ...]) -> None:
        if number in self.blamed:
            return
        self.blamed.add(number)
        what = f"{', '.join(fields)} changed" if fields else "changed together with its digest or its marks"
        self._edited.append(Tampering("edited", f"record {number}: {what}", number, number, fields))

    def _moved(self, number: int, found: Diagnosis) -> None:
        assert found.place is not None
        self.displaced[number] = found.place
        others = tuple(name for name in found.fields if name != "sequence")
        if others:
            self._edit(number, others)

    @property
    def elsewhere(self) -> set[int]:
        """The places whose records stand elsewhere."""
        return {*self.displaced.values(), *self._unnumbered_places}

    @property
    def missing(self) -> list[range]:
        """The places for which there is no record anywhere."""
        gone: list[range] = []
        moved = sorted(self.elsewhere)
        for hole in self._holes:
            start = hole.start
            for place in (place for place in moved if place in hole):
                if place > start:
                    gone.append(range(start, place))
                start = place + 1
            if start < hole.stop:
                gone.append(range(start, hole.stop))
        return gone

    def tamperings(self) -> Iterator[Tampering]:
        """What is wrong with the records."""
        yield from self._edited
        yield from _reordered(self.displaced)
        for first, last in _runs(self._added):
            yield Tampering(
                "added", f"{numbered(first, last)}: added, for no head was signed with it", first, last
            )
        for gone in self.missing:
            first, last = gone.start, gone.stop - 1
            if gone.stop > self._due:
                told = f"{numbered(first, last)}: the end of the log was cut off"
                yield Tampering("cut tail", told, first, last)
            else:
                yield Tampering("deleted", f"{numbered(first, last)}: deleted", first, last)


def _reordered(displaced: Mapping[int, int]) -> Iterator[Tampering]:
    """Records that stand one after the other and moved alike are told together."""
    by_shift: dict[int, list[int]] = {}
    for stands, belongs in displaced.items():
        by_shift.setdefault(belongs - stands, []).append(stands)
    for shift, places in by_shift.items():
        for first, last in _runs(places):
            belong = f"{first + shift}" if first == last else f"{first + shift}…{last + shift}"
            told = f"{numbered(first, last)}: moved here from {belong}"
            yield Tampering("reordered", told, first, last, ("sequence",))


def _runs(numbers: Collection[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers without a gap."""
    run: list[int] = []
    for number in sorted(numbers):
        if run and number != run[-1] + 1:
            yield run[0], run[-1]
            run = []
        run.append(number)
    if run:
        yield run[0], run[-1]
