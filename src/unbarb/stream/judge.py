"""What the guard says of a piece: of the text so far, as far as that piece can still be changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

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

    A piece is read twice: with what has left before it, so that nothing toxic leaves in parts, and alone,
    so that nothing around it hides an insult; the longer the text, the more a sentence alone must score, as
    in a whole text. What was found toxic is then changed sentence by sentence, and the result must pass
    together with what has left. No verdict depends on the other pieces.
    """
    read = guard.check_batch(
        [piece.before + piece.text for piece in pieces] + [piece.text for piece in pieces if piece.before],
        direction=direction,
        context=[piece.context for piece in pieces] + [piece.context for piece in pieces if piece.before],
    )
    alone = iter(read[len(pieces) :])
    return [
        replace(_Judging(guard, piece, next(alone) if piece.before else window).of(window), id=piece.id)
        for piece, window in zip(pieces, read[: len(pieces)], strict=True)
    ]


class _Judging:
    """One piece before the guard, and the verdict on it `alone`."""

    def __init__(self, guard: Guard, piece: Piece, alone: Verdict) -> None:
        self._guard = guard
        self._piece = piece
        self._alone = alone

    def of(self, window: Verdict) -> Verdict:
        """The verdict on the piece, given that on it with what has left before it."""
        piece = self._piece
        if piece.only:
            return self._mended(piece.text) if window.action in CHANGES else window
        if self._excused(window) or (window.action in PASSES and self._stands_out()):
            window = self._alone
        toxic = window.action in CHANGES
        whole = window if toxic else piece.found
        if whole is None or window.text is None or not self._readable(window.language):
            return self._own(window)
        if not toxic and not self._readable(language(piece.text)):
            return self._alone
        (verdict,) = self._guard.within([piece.text], [whole])
        if verdict.action == "allow":
            return self._together(window) if toxic and self._near().action not in PASSES else verdict
        if verdict.action not in CHANGES or self._passes(verdict):
            return verdict
        return self._together(window)

    def _stands_out(self) -> bool:
        """Whether the piece is toxic by itself, and almost so with its neighbours.

        Its own scores are doubted as those of a text so long are.
        """
        if self._alone.action in PASSES:
            return False
        texts = self._piece.text, self._piece.before + self._piece.text
        own, whole = (divisor(len(words_of(text))) for text in texts)
        scores = {label: doubted(score, 0, whole / own) for label, score in self._alone.scores.items()}
        ceilings = self._guard.policy.ceilings(self._alone.direction)
        return self._decided(scores) not in PASSES and bool(over(self._near().scores, ceilings))

    def _excused(self, window: Verdict) -> bool:
        """Whether the window is no fault of the piece: what has left is decided about alike by itself."""
        before = self._piece.before
        if window.action in PASSES or not before:
            return False
        return self._decided(self._check(before).scores) == window.action

    def _decided(self, scores: Mapping[str, float]) -> Action:
        return self._guard.policy.decide(scores, self._alone.direction).action

    def _near(self) -> Verdict:
        """The verdict on the piece and the words right before it.

        What people say in parts stands close together, and an insult is one among its neighbours too; a
        window of many harmless sentences, foreign ones above all, or a sentence alone may score by chance.
        """
        near = [found.start() for found in _WORD.finditer(self._piece.before)][-NEAR:]
        before = self._piece.before[near[0] :] if near else ""
        return self._check(before + self._piece.text)

    def _together(self, window: Verdict) -> Verdict:
        """The piece is toxic only with what has left: mended in itself, or else masked."""
        verdict = self._own(self._mended(self._piece.before + self._piece.text))
        if verdict.action not in CHANGES or not verdict.edits or not self._passes(verdict):
            verdict = self._guard.withheld(replace(self._own(window), action="rewrite"))
        return replace(verdict, warnings=(*verdict.warnings, TOGETHER))

    def _passes(self, verdict: Verdict) -> bool:
        """Whether the changed piece is harmless together with what has left."""
        window = self._check(self._piece.before + str(verdict.text))
        return not self._piece.before or window.action in PASSES or self._excused(window)

    def _readable(self, tongue: str) -> bool:
        """Whether the policy lets text in this language be rewritten."""
        policy = self._guard.policy
        return tongue in ("und", *policy.languages) or policy.on_unsupported_language == "allow"

    def _check(self, text: str) -> Verdict:
        return self._guard.check(text, direction=self._alone.direction, context=self._piece.context)

    def _mended(self, text: str) -> Verdict:
        return self._guard(text, direction=self._alone.direction, context=self._piece.context)

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
