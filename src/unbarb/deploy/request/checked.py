"""Answers as they may leave: through the guard, or marked as not verified."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unbarb.deploy.request.answer import Answer
from unbarb.guard import Guard
from unbarb.text import Verdict


@dataclass(frozen=True, slots=True)
class Passed:
    """What may leave of an answer.

    Attributes:
        text: what the model wrote, or what the guard made of it; None where it wrote nothing or where what
            it wrote is withheld.
        verified: whether the guard has seen all of it.
        finish, scores, strings: as of the answer; of the strings only single words that the guard let pass.
        withheld: the names of the others, and ``text`` where that is withheld.
        verdict: about the text.
    """

    text: str | None
    verified: bool
    finish: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    strings: Mapping[str, str] = field(default_factory=dict)
    withheld: tuple[str, ...] = ()
    verdict: Verdict | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; of the verdict what was decided and why, never what came."""
        return {
            "text": self.text,
            "verified": self.verified,
            "finish": self.finish,
            "scores": dict(self.scores),
            "strings": dict(self.strings),
            "withheld": list(self.withheld),
            "guard": None if self.verdict is None else _told(self.verdict),
        }


class Checked:
    """Takes answers through a guard; without one they leave as they came, not verified."""

    def __init__(self, guard: Guard | None) -> None:
        self._guard = guard

    def __call__(self, answers: Sequence[Answer]) -> list[Passed]:
        """What may leave of each answer, in order; their texts are judged together."""
        if self._guard is None:
            return [Passed(one.text, False, one.finish, one.scores, one.strings) for one in answers]
        places = [(at, name, text) for at, one in enumerate(answers) for name, text in _texts(one)]
        judged = self._guard.batch([text for *_, text in places], direction="output") if places else []
        verdicts: list[dict[str, Verdict]] = [{} for _ in answers]
        for (at, name, _), verdict in zip(places, judged, strict=True):
            verdicts[at][name] = verdict
        return [_passed(one, found) for one, found in zip(answers, verdicts, strict=True)]

    def message(self, told: str) -> str:
        """A message that may quote an endpoint, as it may be shown."""
        if self._guard is None:
            return told
        [verdict] = self._guard.batch([told], direction="output")
        return verdict.text if verdict.text is not None else "the endpoint failed; what it says is withheld"


_TEXT = "text"
_WORD = re.compile(r"[\w.:+/-]{1,64}", re.ASCII)
"""What may be a word of a protocol: an action, a digest, a name. Sentences, and JSON with texts in it, are
for the guard, which would have to rewrite them, and nobody could read them then."""


def _texts(answer: Answer) -> list[tuple[str, str]]:
    text = [] if answer.text is None else [(_TEXT, answer.text)]
    words = [(f"strings.{name}", one) for name, one in answer.strings.items() if _WORD.fullmatch(one)]
    return text + words


def _passed(answer: Answer, verdicts: Mapping[str, Verdict]) -> Passed:
    same = {name for name, verdict in verdicts.items() if verdict.text == verdict.original}
    strings = {name: value for name, value in answer.strings.items() if f"strings.{name}" in same}
    withheld = [name for name in answer.strings if name not in strings]
    verdict = verdicts.get(_TEXT)
    if verdict is not None and verdict.text is None:
        withheld.insert(0, _TEXT)
    text = None if verdict is None else verdict.text
    return Passed(text, True, answer.finish, answer.scores, strings, tuple(withheld), verdict)


def _told(verdict: Verdict) -> dict[str, Any]:
    return {
        "action": verdict.action,
        "rule": verdict.rule,
        "policy": dict(verdict.policy),
        "scores": dict(verdict.scores),
        "scores_after": None if verdict.scores_after is None else dict(verdict.scores_after),
        "step": verdict.step,
        "meaning": verdict.meaning,
        "message": verdict.message,
    }
