"""Verdicts about a text that is sent again and again, each time a little longer.

A memory only: what it has forgotten, or another replica never knew, is decided anew and the same, for a
piece's verdict follows from the text up to its end alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256

from unbarb.serve.calls import Call
from unbarb.stream import Piece, Released
from unbarb.text import Verdict

PIECES = 4096
"""Verdicts kept at most; those not asked for the longest go first."""


class Decided:
    """Verdicts by what was read for them; one for a process."""

    def __init__(self, most: int = PIECES) -> None:
        self._most = most
        self._verdicts: OrderedDict[bytes, Verdict] = OrderedDict()
        self._begun: OrderedDict[str, None] = OrderedDict()

    def of(self, call: Call, name: str) -> Known:
        """What is known of the text of this name, for this caller under this policy."""
        about = f"{call.key.id if call.key else ''}\n{call.policy.digest}\n{name}\n"
        known = Known(self, about, again=about in self._begun)
        self._begun[about] = None
        if len(self._begun) > self._most:
            self._begun.popitem(last=False)
        return known

    def get(self, place: bytes) -> Verdict | None:
        """The verdict that was kept there."""
        found = self._verdicts.get(place)
        if found is not None:
            self._verdicts.move_to_end(place)
        return found

    def keep(self, place: bytes, verdict: Verdict) -> None:
        """Keep a verdict; the oldest goes when there is no room."""
        self._verdicts[place] = verdict
        if len(self._verdicts) > self._most:
            self._verdicts.popitem(last=False)


class Known:
    """One reading of one text from its beginning; a place is the digest of all that was read up to it.

    `again`: the text was read before, so it is growing.
    """

    def __init__(self, decided: Decided, about: str, *, again: bool) -> None:
        self.again = again
        self._decided = decided
        self._read = sha256(about.encode())
        self._places: list[bytes] = []

    def get(self, piece: Piece) -> Verdict | None:
        """The verdict about the next piece, if it was decided before.

        A piece that may be the whole text is judged as a whole, so no other verdict stands for it.
        """
        self._read.update(f"{len(piece.text)}:{piece.text}".encode())
        self._places.append(self._read.digest())
        return None if piece.only else self._decided.get(self._places[-1])

    def keep(self, released: Sequence[Released]) -> None:
        """Keep the verdicts about the pieces so far."""
        for place, one in zip(self._places, released, strict=True):
            self._decided.keep(place, one.verdict)
