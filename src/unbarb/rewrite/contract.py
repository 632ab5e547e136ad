"""What every rewriter must keep, as a check that a plug-in's own tests can call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from unbarb.errors import InputError
from unbarb.rewrite.protocol import Candidate, Rewriter
from unbarb.text import Analysis, apply

RUNGS = ("edit", "delete", "mask")


def broken_promises(rewriter: Rewriter, analyses: Sequence[Analysis]) -> list[str]:
    """Each promise of the protocol that `rewriter` breaks on `analyses`, a sentence each.

    No exception; ``apply(edits, original)`` gives the text; the text is changed; best come first;
    what is proposed for a text is the same alone, in any batch and again.
    """
    return [*_identity(rewriter), *_results(rewriter, analyses)]


def _identity(rewriter: Rewriter) -> Iterator[str]:
    if not rewriter.name:
        yield "name is empty"
    if not rewriter.digest.startswith("sha256:"):
        yield f"digest must be sha256:…, not {rewriter.digest!r}"


def _results(rewriter: Rewriter, analyses: Sequence[Analysis]) -> Iterator[str]:
    try:
        together = rewriter.propose(analyses)
        backwards = rewriter.propose(analyses[::-1])[::-1]
        alone = [rewriter.propose([analysis])[0] for analysis in analyses]
        none = rewriter.propose([])
    except Exception as error:  # a plug-in may raise anything, and that is what is looked for
        yield f"propose raised {type(error).__name__}: {error}"
        return
    if none != []:
        yield f"no analyses must give no candidates, not {none!r}"
    if len(together) != len(analyses):
        yield f"{len(analyses)} analyses gave {len(together)} lists of candidates"
        return
    for analysis, first, second, third in zip(analyses, together, alone, backwards, strict=True):
        told = f"{analysis.text[:30]!r}"
        if first != second:
            yield f"{told}: other candidates alone than in a batch"
        if first != third:
            yield f"{told}: other candidates in a batch of another order"
        if any(one.score < other.score for one, other in pairwise(first)):
            yield f"{told}: candidates do not come best first"
        for candidate in first:
            yield from (f"{told}: {what}" for what in _candidate(analysis, candidate))


def _candidate(analysis: Analysis, candidate: Candidate) -> Iterator[str]:
    try:
        applied = apply(candidate.edits, analysis.text)
    except InputError as error:
        yield str(error)
        return
    if applied != candidate.text:
        yield f"edits give {applied!r:.60}, the candidate says {candidate.text!r:.60}"
    if candidate.text == analysis.text:
        yield "a candidate that changes nothing"
    if candidate.step not in RUNGS:
        yield f"step is {candidate.step!r}, not one of {', '.join(RUNGS)}"
