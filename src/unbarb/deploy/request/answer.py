"""What an endpoint answers, whichever dialect it speaks, and how it fails to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from unbarb.errors import EndpointError

Scope = Literal["text", "endpoint", "setup"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one text; none of it has been checked.

    Attributes:
        text: what the model wrote; None where it only classifies.
        finish: why it stopped: ``stop``, ``length``, ``filtered``, or the endpoint's own word in small
            letters; None where it does not say.
        scores: label or tensor → number.
        strings: other strings that came, by their names.
    """

    text: str | None
    finish: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    strings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Piece:
    """What one event of a stream adds.

    `may_end` says that the answer is whole if nothing comes after it; some servers mark their last event,
    others just end.
    """

    text: str
    finish: str | None = None
    may_end: bool = False


class Failure(EndpointError):  # noqa: N818 - not every failure is an error of ours
    """An endpoint gave no usable answer.

    `scope` says what is at fault: this ``text`` (the next may fare better), the ``endpoint`` as it is now,
    or the ``setup``, with which no text will be answered: a key, a name, a certificate. `status` is that of
    HTTP, where there was an answer; `again` says that the same request may fare better a moment later, and
    `wait` the seconds that the endpoint asks for before.
    """

    def __init__(
        self,
        message: str,
        scope: Scope,
        *,
        status: int | None = None,
        again: bool = False,
        wait: float | None = None,
    ) -> None:
        super().__init__(message)
        self.scope, self.status, self.again, self.wait = scope, status, again, wait
