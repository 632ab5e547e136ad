"""A guard of streams whose rules fit on a line: "idiot" becomes "friend", and "kill" is blocked."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.stream import AsyncStreamGuard, Piece
from unbarb.text import Verdict

MESSAGE = "This was withheld."


async def judge(pieces: Sequence[Piece]) -> list[Verdict]:
    return [verdict(piece) for piece in pieces]


def verdict(piece: Piece) -> Verdict:
    text = piece.text
    blocked, changed = "kill" in text, "idiot" in text
    return Verdict(
        id=piece.id,
        direction="output",
        action="block" if blocked else "rewrite" if changed else "allow",
        original=text,
        text=None if blocked else text.replace("idiot", "friend"),
        scores={},
        rule="none",
        policy={},
        message=MESSAGE if blocked else None,
    )


def guard(name: str) -> AsyncStreamGuard:
    return AsyncStreamGuard(judge, id=name)
