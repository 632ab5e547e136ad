"""What the guard says of a piece: of the text so far, as far as that piece can still be changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from unbarb.detect.doubt import divisor, doubted
from unbarb.detect.wordpiece import words_of
from unbarb.guard import Guard
from unbarb.language import language
from unbarb.stream.pieces import Piece
from unbarb.text import Action, Direction, Edit, Verdict, apply
from unbarb.verify.ladder import over

TOGETHER = "toxic only together with what had left before it"
"""The warning in a verdict on a piece that says with what can be changed no more what it says not alone."""

NEAR = 12
"""Words right before a piece that must bear out what is found in it alone, or only with all before it."""

_WORD = re.compile(r"\S+")

CHANGES = ("rewrite", "mask")
PASSES = ("allow", "flag")


def judge(guard: Guard, pieces: Sequence[Piece], *, direction: Direction = "output") -> list[Verdict]:
    """Decide about each piece and carry the decision out; verdicts in order, offsets relative to the piece.

    A piece is read alone, so that nothing around it hides an insult, and with the words right before it, so
    that nothing toxic leaves in parts. Where either finds anything, all that has left and still counts is
    read with it: the longer the text, the more a sentence must score, as in a whole text. What was found
    toxic is then changed sentence by sentence, and the result must pass together with what has left. No
    verdict depends on the other pieces.
    """
    alone = guard.check_batch(
        [piece.text for piece in pieces], direction=direction, context=[piece.context for piece in pieces]
    )
    judging = [_Judging(guard, piece, verdict) for piece, verdict in zip(pieces, alone, strict=True)]
    calm = [one for one in judging if one.calm and one.piece.before]
    near = guard.check_batch(
        [_near(one.piece) for one in calm], direction=direction, context=[one.piece.context for one in calm]
    )
    for one, verdict in zip(calm, near, strict=True):
        one.near = verdict
    return [replace(one.verdict(), id=one.piece.id) for one in judging]


def _near(piece: Piece) -> str:
    """The piece and the words right before it.

    What people say in parts stands close together, and an insult is one among its neighbours too; a window
    of many harmless sentences, foreign ones above all, or a sentence alone may score by chance.
    """
    words = [found.start() for found in _WORD.finditer(piece.before)][-NEAR:]
    return (piece.before[words[0] :] if words else "") + piece.text


class _Judging:
    """One piece before the guard, and what that says of it `alone`."""

    def __init__(self, guard: Guard, piece: Piece, alone: Verdict) -> None:
        self.piece = piece
        self._guard = guard
        self._alone = alone
        self._ceilings = guard.policy.ceilings(alone.direction)

    @property
    def calm(self) -> bool:
        """Whether nothing is found in the piece alone, even when read strictly."""
        return self._alone.action in PASSES and not over(self._alone.scores, self._ceilings)

    @cached_property
    def near(self) -> Verdict:
        """The verdict on the piece and the words right before it."""
        return self._check(_near(self.piece)) if self.piece.before else self._alone

    def verdict(self) -> Verdict:
        """The verdict on the piece."""
        piece = self.piece
        if piece.only:
            return self._mended(piece.text) if self._alone.action in CHANGES else self._alone
        if self.calm and self.near.action in PASSES:
            return self._own(self.near)
        window = self._window()
        toxic = window.action in CHANGES
        whole = window if toxic else piece.found
        if whole is None or window.text is None or not self._readable(window.language):
            return self._own(window)
        if not toxic and not self._readable(language(piece.text)):
            return self._alone
        (verdict,) = self._guard.within([piece.text], [whole])
        if verdict.action == "allow":
            return self._together(window) if toxic and self.near.action not in PASSES else verdict
        if verdict.action not in CHANGES or self._passes(verdict):
            return verdict
        return self._together(window)

    def _window(self) -> Verdict:
        """The verdict that counts: with all that has left before the piece, or alone.

        A threat in parts is one only with what stands before it.
        """
        stands_out = self._stands_out()
        if stands_out and self.near.text is not None:
            return self._alone
        window = self._check(self.piece.before + self.piece.text)
        both = self._alone.action in CHANGES and window.action in CHANGES
        if both or (stands_out and window.text is not None) or self._excused(window):
            return self._alone
        return window

    def _stands_out(self) -> bool:
        """Whether the piece is toxic by itself, and almost so with its neighbours.

        Its own scores are doubted as those of a text so long are.
        """
        if self._alone.action in PASSES:
            return False
        texts = self.piece.text, self.piece.before + self.piece.text
        own, whole = (divisor(len(words_of(text))) for text in texts)
        scores = {label: doubted(score, 0, whole / own) for label, score in self._alone.scores.items()}
        return self._decided(scores) not in PASSES and bool(over(self.near.scores, self._ceilings))

    def _excused(self, window: Verdict) -> bool:
        """Whether the window is no fault of the piece: what has left is decided about alike by itself."""
        before = self.piece.before
        if window.action in PASSES or not before:
            return False
        return self._decided(self._check(before).scores) == window.action

    def _decided(self, scores: Mapping[str, float]) -> Action:
        return self._guard.policy.decide(scores, self._alone.direction).action

    def _together(self, window: Verdict) -> Verdict:
        """The piece is toxic only with what has left: mended in itself, or else masked."""
        verdict = self._own(self._mended(self.piece.before + self.piece.text))
        if verdict.action not in CHANGES or not verdict.edits or not self._passes(verdict):
            verdict = self._guard.withheld(replace(self._own(window), action="rewrite"))
        return replace(verdict, warnings=(*verdict.warnings, TOGETHER))

    def _passes(self, verdict: Verdict) -> bool:
        """Whether the changed piece is harmless together with what has left."""
        window = self._check(self.piece.before + str(verdict.text))
        return not self.piece.before or window.action in PASSES or self._excused(window)

    def _readable(self, tongue: str) -> bool:
        """Whether the policy lets text in this language be rewritten."""
        policy = self._guard.policy
        return tongue in ("und", *policy.languages) or policy.on_unsupported_language == "allow"

    def _check(self, text: str) -> Verdict:
        return self._guard.check(text, direction=self._alone.direction, context=self.piece.context)

    def _mended(self, text: str) -> Verdict:
        return self._guard(text, direction=self._alone.direction, context=self.piece.context)

    def _own(self, window: Verdict) -> Verdict:
        """What a verdict on the text so far says of the piece."""
        text, past = self.piece.text, len(window.original) - len(self.piece.text)
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
