"""What the guard says of a piece: of the text so far, as far as that piece can still be changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unbarb.guard import Guard
from unbarb.stream.pieces import Piece
from unbarb.text import Direction, Edit, Verdict, apply

LATE = "what has left before it would have been changed too"
"""The warning in a verdict on a piece that the guard would have mended in what had already left."""

CHANGES = ("rewrite", "mask")


def judge(guard: Guard, pieces: Sequence[Piece], *, direction: Direction = "output") -> list[Verdict]:
    """Decide about each piece and carry the decision out; verdicts in order, offsets relative to the piece.

    A piece is read with what has left before it, so that nothing toxic leaves in parts and no sentence is
    taken more seriously than in the whole text. Then as in a whole text: what was found toxic is changed
    sentence by sentence, and the result must pass together with what has left. No verdict depends on the
    other pieces.
    """
    windows = guard.check_batch(
        [piece.before + piece.text for piece in pieces],
        ids=[piece.id for piece in pieces],
        direction=direction,
        context=[piece.context for piece in pieces],
    )
    return [
        _Judging(guard, piece, direction).of(window) for piece, window in zip(pieces, windows, strict=True)
    ]


class _Judging:
    """One piece before the guard."""

    def __init__(self, guard: Guard, piece: Piece, direction: Direction) -> None:
        self._guard = guard
        self._piece = piece
        self._direction: Direction = direction

    def of(self, window: Verdict) -> Verdict:
        """The verdict on the piece, given that on it with what has left before it."""
        piece = self._piece
        if piece.only:
            return self._mended(piece.text) if window.action in CHANGES else window
        if window.action != "allow" and piece.before and self._check(piece.before).action == window.action:
            window = self._check(piece.text)  # what has left is no fault of this piece
        toxic = window.action in CHANGES
        whole = window if toxic else piece.found
        if whole is None or window.text is None or not self._readable(window):
            return self._own(window)
        (verdict,) = self._guard.within([piece.text], [whole], ids=[piece.id])
        if verdict.action == "allow":
            return self._together(window) if toxic else self._own(window)
        if verdict.action not in CHANGES or self._passes(verdict):
            return verdict
        return self._together(window)

    def _together(self, window: Verdict) -> Verdict:
        """The piece is toxic only with what has left: mended in itself, or else masked."""
        own = self._own(self._mended(self._piece.before + self._piece.text))
        if own.action in CHANGES and own.edits and self._passes(own):
            return own
        verdict = self._guard.withheld(replace(self._own(window), action="rewrite"))
        return replace(verdict, warnings=(*verdict.warnings, LATE))

    def _passes(self, verdict: Verdict) -> bool:
        """Whether the changed piece is harmless together with what has left."""
        before = self._piece.before
        return not before or self._check(before + str(verdict.text)).action in ("allow", "flag")

    def _readable(self, window: Verdict) -> bool:
        """Whether the policy lets text in this language be rewritten."""
        policy = self._guard.policy
        return window.language in ("und", *policy.languages) or policy.on_unsupported_language == "allow"

    def _check(self, text: str) -> Verdict:
        piece = self._piece
        return self._guard.check(text, id=piece.id, direction=self._direction, context=piece.context)

    def _mended(self, text: str) -> Verdict:
        piece = self._piece
        return self._guard(text, id=piece.id, direction=self._direction, context=piece.context)

    def _own(self, window: Verdict) -> Verdict:
        """What a verdict on the text so far says of the piece."""
        text, past = self._piece.text, len(window.original) - len(self._piece.text)
        if not past:
            return window
        edits = tuple(
            Edit(max(edit.start - past, 0), edit.end - past, edit.replacement if edit.start >= past else "")
            for edit in window.edits
            if edit.end > past
        )
        return replace(
            window,
            original=text,
            text=None if window.text is None else apply(edits, text),
            edits=edits,
            findings=tuple(
                replace(one, start=max(one.start - past, 0), end=one.end - past)
                for one in window.findings
                if one.end > past
            ),
        )
