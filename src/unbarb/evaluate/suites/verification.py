"""Does verify reject what must not pass and let good rewrites through? Suite ``verify``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unbarb.evaluate.results import Row, Table, digest_of
from unbarb.metrics.measured import Measured, share

NOTE = (
    "Share of contrast pairs rejected, all and per kind (negation dropped, agents swapped, number"
    " changed, …), and share of human references accepted that the independent judge finds clean."
)

Accepts = Callable[[Sequence[str], Sequence[str]], list[bool | None]]
"""Sources and candidates in; accepted or not, `None` where it could not be said."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A rewrite that must be rejected, and why."""

    source: str
    candidate: str
    kind: str


def verification(
    name: str,
    contrasts: Sequence[Contrast],
    references: Sequence[tuple[str, str]],
    accepts: Accepts,
    digest: str = "",
) -> Table:
    """The table of contrast pairs and of references, (source, rewrite) each, that should be accepted."""
    passed = accepts([c.source for c in contrasts], [c.candidate for c in contrasts])
    rejected = [None if p is None else float(not p) for p in passed]
    good = accepts([source for source, _ in references], [rewrite for _, rewrite in references])
    figures: dict[str, Measured] = {
        "contrasts rejected": share("rejected_share/1", rejected),
        "references accepted": share("accepted_share/1", [None if g is None else float(g) for g in good]),
    }
    for kind in dict.fromkeys(contrast.kind for contrast in contrasts):
        own = [r for r, contrast in zip(rejected, contrasts, strict=True) if contrast.kind == kind]
        figures[kind] = share("rejected_share/1", own)
    row = Row("verify", figures, digest)
    return Table("verify", name, NOTE, digest_of([list(contrasts), list(references)]), (row,))
