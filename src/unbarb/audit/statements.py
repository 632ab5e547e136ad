"""The signed statements about a log: are they as they were signed, and does the chain lead to them?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict

from unbarb.audit.chain import genesis
from unbarb.audit.checkpoint import Statement
from unbarb.audit.keys import Keyring
from unbarb.audit.tampering import Tampering, numbered


class Statements:
    """The head, the checkpoints in the log and those published, with what is wrong with them as such.

    `sound` are those whose signature fits, the head among them, by sequence number.
    """

    def __init__(
        self,
        head: Statement | None,
        stored: Sequence[Statement],
        published: Sequence[Statement],
        keys: Keyring,
    ) -> None:
        self.head = head
        self.head_is_sound = head is not None and head.purpose == "head" and head.valid(keys)
        self._stored = {one.number: one for one in stored if type(one.number) is int}
        self._unnumbered = [one.number for one in stored if type(one.number) is not int]
        self._published = [one for one in published if one.purpose != "head" and one.valid(keys)]
        valid = [one for one in stored if one.purpose != "head" and one.valid(keys)]
        signed = [head] if head is not None and self.head_is_sound else []
        known = [*signed, *valid, *self._published, *([head] if head else []), *stored]
        self.log = known[0].log if known else ""
        self.checkpoints = [one for one in valid if one.log == self.log]
        sound = {*signed, *self.checkpoints, *(one for one in self._published if one.log == self.log)}
        self.sound = sorted(sound, key=lambda one: one.sequence)
        self._unsigned = [one for one in published if one not in self._published]

    @property
    def beginning(self) -> tuple[int, str | None]:
        """The number and digest of the record before the first: of the last anchor, if there is one."""
        anchors = [one for one in self.sound if one.purpose == "anchor"]
        if anchors:
            return anchors[-1].sequence, anchors[-1].digest
        return 0, genesis(self.log) if self.log else None

    @property
    def end(self) -> int:
        """The last record that there must be."""
        return self.sound[-1].sequence if self.sound else 0

    @property
    def places(self) -> frozenset[int]:
        """The records that a sound statement is about."""
        return frozenset(one.sequence for one in self.sound)

    def matched(self, digests: Mapping[int, str]) -> list[Statement]:
        """The sound statements that the chain leads to; `digests` are those at `places`."""
        return [one for one in self.sound if digests.get(one.sequence) == one.digest]

    def confirmed(self, digests: Mapping[int, str]) -> int:
        """How many of the published checkpoints the chain leads to."""
        matched = self.matched(digests)
        return sum(one in matched for one in self._published)

    def rebuilt(self, digests: Mapping[int, str], blamed: Collection[int]) -> Iterator[Tampering]:
        """Where the chain leads elsewhere than it was signed; records in `blamed` are told of already."""
        false = [
            one
            for one in self.sound
            if digests.get(one.sequence, one.digest) != one.digest and one.sequence not in blamed
        ]
        if not false:
            return
        first, last = false[0].sequence, false[-1].sequence
        good = max((one.sequence for one in self.matched(digests) if one.sequence < first), default=0)
        signed = "the head" if false[0].purpose == "head" else f"checkpoint {false[0].number}"
        yield Tampering(
            "rebuilt",
            f"{numbered(good + 1, last)}: the chain was rebuilt; it does not lead to {signed},"
            f" signed at record {first} on {false[0].time}",
            good + 1,
            last,
        )

    def unsound(self, digests: Mapping[int, str], last: int, digest: str | None) -> Iterator[Tampering]:
        """What was done to the statements themselves; `last` and `digest` are where the chain ends."""
        yield from self._of_head(digests, last, digest)
        due = range(1, max((one.number for one in self.sound), default=0) + 1)
        for number in sorted({*due, *self._stored}):
            yield from self._of_checkpoint(number)
        for odd in self._unnumbered:
            yield Tampering("checkpoint", f"a checkpoint has {odd!r} for its number", fields=("number",))
        for one in self._unsigned:
            told = f"the published checkpoint {one.number} is not signed by a known key"
            yield Tampering("checkpoint", told, one.number, one.number)
        for one in self._published:
            if one.log != self.log:
                told = f"the published checkpoint {one.number} is of another log, {one.log}"
                yield Tampering("checkpoint", told, one.number, one.number, ("log",))

    def _of_head(self, digests: Mapping[int, str], last: int, digest: str | None) -> Iterator[Tampering]:
        vouched = max((one.sequence for one in self.matched(digests)), default=0)
        after = f"nothing vouches for what follows record {vouched}"
        if self.head is None:
            yield Tampering("head", f"the head is gone; {after}", vouched + 1)
        elif not self.head_is_sound:
            found = {"purpose": "head", "sequence": last, "digest": digest}
            wrong = tuple(name for name, value in found.items() if getattr(self.head, name) != value)
            changed = f" ({', '.join(wrong)} changed)" if wrong else ""
            told = f"the head is not as it was signed{changed}; {after}"
            yield Tampering("head", told, vouched + 1, None, wrong)
        elif self.head.sequence < self.end:
            told = f"an old head was put back: it ends at {self.head.sequence}, a checkpoint at {self.end}"
            yield Tampering("head", told, self.head.sequence + 1)

    def _of_checkpoint(self, number: int) -> Iterator[Tampering]:
        stored = self._stored.get(number)
        twin = next((one for one in self._published if one.number == number and one.log == self.log), None)
        if stored is None:
            yield Tampering("checkpoint", f"checkpoint {number} was deleted", number, number)
        elif stored not in self.checkpoints:
            true = asdict(twin) if twin else {}
            wrong = tuple(name for name, value in true.items() if value != getattr(stored, name))
            changed = f" ({', '.join(wrong)} changed)" if wrong else ""
            told = f"checkpoint {number} is not as it was signed{changed}"
            yield Tampering("checkpoint", told, number, number, wrong)
        elif twin is not None and twin != stored:
            told = f"checkpoint {number} is not the one that was published"
            yield Tampering("checkpoint", told, number, number)
