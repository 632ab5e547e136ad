"""Answers as they may leave: through the guard, or marked as not verified."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unbarb.deploy.request.answer import Answer
from unbarb.guard import Guard
from unbarb.text import Verdict

LONGEST_NAME = 64
MOST_NAMES = 10_000
"""Names whose verdicts are kept."""
UNKNOWN = "unknown"
"""Stands for a word of the endpoint's that may not leave."""

_WORD = re.compile(r"[\w.:+/-]+", re.ASCII)
"""What a string beside the text may be: an action, a digest.

Sentences, and JSON that holds texts, would have to be rewritten, and programs could not read them then.
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """What may leave of an answer.

    Attributes:
        text: what the model wrote, or what the guard made of it; None where it wrote nothing or where what
            it wrote is withheld.
        verified: whether the guard has seen all of it.
        finish, scores, strings: as of the answer, but no word that the guard would change; of the strings
            only single words.
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
        self._names: dict[str, bool] = {}

    def __call__(self, answers: Sequence[Answer]) -> list[Passed]:
        """What may leave of each answer, in order; their texts are judged together."""
        if self._guard is None:
            return [Passed(one.text, False, one.finish, one.scores, one.strings) for one in answers]
        texts = [one.text for one in answers if one.text is not None]
        verdicts = iter(self._guard.batch(texts, direction="output") if texts else ())
        return [self._passed(one, None if one.text is None else next(verdicts)) for one in answers]

    def message(self, told: str) -> str:
        """A message that may quote an endpoint, as it may be shown."""
        if self._guard is None:
            return told
        [verdict] = self._guard.batch([told], direction="output")
        return verdict.text if verdict.text is not None else "the endpoint failed; what it says is withheld"

    def _passed(self, answer: Answer, verdict: Verdict | None) -> Passed:
        text = None if verdict is None else verdict.text
        finish = answer.finish if answer.finish is None or self._may(answer.finish) else UNKNOWN
        scores = {name: value for name, value in answer.scores.items() if self._may(name)}
        strings = {
            name: value
            for name, value in answer.strings.items()
            if self._may(name) and _WORD.fullmatch(value) and self._may(value)
        }
        withheld = ["text"] if verdict is not None and text is None else []
        withheld += [name if self._may(name) else UNKNOWN for name in answer.strings if name not in strings]
        withheld += ["scores"] if len(scores) < len(answer.scores) else []
        return Passed(text, True, finish, scores, strings, tuple(withheld), verdict)

    def _may(self, name: str) -> bool:
        """Whether a name may leave: rewritten it would be another."""
        if len(name) > LONGEST_NAME:
            return False
        if name not in self._names:
            assert self._guard is not None
            if len(self._names) == MOST_NAMES:
                self._names.clear()
            [verdict] = self._guard.batch([name.replace("_", " ")], direction="output")
            self._names[name] = verdict.text == verdict.original
        return self._names[name]


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
