"""The types that every part of unbarb hands on: spans, findings, edits, analyses and verdicts.

Offsets are Unicode code points of the *original* text, half-open ``[start, end)``.
Scores are probabilities 0…1, higher is more toxic. All types are frozen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from unbarb.errors import InputError

LABELS = ("toxicity", "severe_toxicity", "obscene", "threat", "insult", "identity_attack")
"""The six labels of the embedded model, in the order of its outputs (Jigsaw 2018)."""

Action = Literal["allow", "flag", "rewrite", "mask", "block", "route"]
ACTIONS: tuple[Action, ...] = get_args(Action)

Direction = Literal["input", "output", "none"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)

Step = Literal["none", "edit", "delete", "mask", "block", "route"]
STEPS: tuple[Step, ...] = get_args(Step)

NO_SCORES: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of text, ``[start, end)``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Finding:
    """One minimal span that a detector found, with what found it and why."""

    label: str
    start: int
    end: int
    score: float
    source: str
    reason: str

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replace ``[start, end)`` of the original by `replacement`."""

    start: int
    end: int
    replacement: str


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the text and the probability that it is part of what is toxic."""

    start: int
    end: int
    toxicity: float


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one pass over a text found, below the thresholds too.

    `coverage` is the share of the characters that were scored, 0…1; `models` maps
    a detector's name to the digest of what it ran. `settled` says that a gate told the scores: whoever
    needs the words, or means to change the text, has it read in full.
    """

    text: str
    scores: Mapping[str, float]
    findings: tuple[Finding, ...] = ()
    words: tuple[Word, ...] = ()
    coverage: float = 1.0
    language: str = "und"
    warnings: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided about one text, and all that is needed to check the decision.

    `text` is what may leave: ``None`` exactly when `action` is block or route, and
    otherwise ``apply(edits, original)``. The JSON form is :meth:`to_dict`; its schema
    is ``unbarb/models/verdict.schema.json``.
    """

    schema: int = 1
    id: str | None = None
    direction: Direction = "none"
    action: Action
    original: str
    text: str | None
    scores: Mapping[str, float]
    scores_after: Mapping[str, float] | None = None
    unscored: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    edits: tuple[Edit, ...] = ()
    step: Step = "none"
    meaning: float | None = None
    not_detoxifiable: bool = False
    rule: str
    policy: Mapping[str, str]
    models: Mapping[str, str] = field(default_factory=dict)
    coverage: float = 1.0
    language: str = "und"
    warnings: tuple[str, ...] = ()
    message: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain JSON types, in the order of the fields."""
        # As `asdict`, which would look into every score and every string, and so take five times as long.
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("scores", "scores_after", "policy", "models"):
            plain[name] = None if plain[name] is None else dict(plain[name])
        for name in ("findings", "edits"):
            plain[name] = tuple(asdict(one) for one in plain[name])
        return plain


def apply(edits: Iterable[Edit], original: str) -> str:
    """Give `original` with all `edits` made at once.

    Raises:
        InputError: edits overlap or lie outside the text.
    """
    pieces: list[str] = []
    at = 0
    for edit in sorted(edits):
        if edit.start < at or edit.end < edit.start or edit.end > len(original):
            raise InputError(
                f"edit [{edit.start}, {edit.end}) overlaps another or lies outside a text of"
                f" {len(original)} characters; edits must be disjoint and inside the text"
            )
        pieces += original[at : edit.start], edit.replacement
        at = edit.end
    pieces.append(original[at:])
    return "".join(pieces)
