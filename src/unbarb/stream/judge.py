"""What the guard says of a piece: of the text so far, as far as that piece can still be changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from unbarb.guard import Guard
from unbarb.segment import language
from unbarb.stream.pieces import Piece
from unbarb.text import Direction, Edit, Verdict, apply

TOGETHER = "toxic only together with what had left before it"
"""The warning in a verdict on a piece that says with what can be changed no more what it says not alone."""

NEAR = 12
"""Words before a piece that say whether it is toxic only together with them."""

_WORD = re.compile(r"\S+")

CHANGES = ("rewrite", "mask")
PASSES = ("allow", "flag")


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
        if window.action not in PASSES and self._was_so(window):
            window = self._check(piece.text)  # what has left is no fault of this piece
        toxic = window.action in CHANGES
        whole = window if toxic else piece.found
        if whole is None or window.text is None or not self._readable(window.language):
            return self._own(window)
        if not self._readable(language(piece.text)):
            return self._check(piece.text)
        (verdict,) = self._guard.within([piece.text], [whole], ids=[piece.id])
        if verdict.action == "allow":
            return self._together(window) if toxic and self._nearby() else verdict
        if verdict.action not in CHANGES or self._passes(verdict):
            return verdict
        return self._together(window)

    def _was_so(self, window: Verdict) -> bool:
        """Whether what has left scores by itself what was decided about it and the piece."""
        before = self._piece.before
        if not before:
            return False
        decision = self._guard.policy.decide(self._check(before).scores, self._direction)
        return decision.action == window.action

    def _nearby(self) -> bool:
        """Whether the piece is toxic with the words right before it, and not only with all that has left.

        What people say in parts stands close together; a long window of harmless sentences, foreign ones
        above all, may score by chance.
        """
        near = [found.start() for found in _WORD.finditer(self._piece.before)][-NEAR:]
        before = self._piece.before[near[0] :] if near else ""
        return self._check(before + self._piece.text).action not in PASSES

    def _together(self, window: Verdict) -> Verdict:
        """The piece is toxic only with what has left: mended in itself, or else masked."""
        verdict = self._own(self._mended(self._piece.before + self._piece.text))
        if verdict.action not in CHANGES or not verdict.edits or not self._passes(verdict):
            verdict = self._guard.withheld(replace(self._own(window), action="rewrite"))
        return replace(verdict, warnings=(*verdict.warnings, TOGETHER))

    def _passes(self, verdict: Verdict) -> bool:
        """Whether the changed piece is harmless together with what has left."""
        before = self._piece.before
        return not before or self._check(before + str(verdict.text)).action in PASSES

    def _readable(self, tongue: str) -> bool:
        """Whether the policy lets text in this language be rewritten."""
        policy = self._guard.policy
        return tongue in ("und", *policy.languages) or policy.on_unsupported_language == "allow"

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
