"""One rule of a policy, and what a policy decides about one text."""

from __future__ import annotations

from dataclasses import dataclass

from unbarb.text import Action

NOTICE = "This message was withheld because of what it says."
"""What the user may be told where the policy has no words of its own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A score of `threshold` or more leads to `action`; a rewrite must score below `ceiling`."""

    label: str
    threshold: float
    action: Action
    margin: float = 0.0
    message: str | None = None
    key: str = ""

    @property
    def ceiling(self) -> float:
        """``threshold - margin``, free of binary noise."""
        return round(self.threshold - self.margin, 9)

    @property
    def acts(self) -> bool:
        """Whether it changes or withholds a text, rather than letting it pass."""
        return self.action not in ("allow", "flag")

    def __str__(self) -> str:
        return f"{self.key}: {self.label} ≥ {self.threshold:g} → {self.action}"


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a text, and why.

    `rule` is the key of what decided, then what it says: ``labels.threat: threat ≥ 0.5 → block``,
    ``on.detector_error: a detector failed → block``, or ``none`` when nothing fired.
    """

    action: Action
    rule: str = "none"
    message: str | None = None
    label: str | None = None
    threshold: float | None = None

    @property
    def key(self) -> str:
        """The stable part of `rule`, such as ``labels.threat``."""
        return self.rule.partition(": ")[0]
