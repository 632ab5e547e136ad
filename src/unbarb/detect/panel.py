"""Several detectors as one: the highest score of each label and all findings that count, and who failed."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import sqrt

from unbarb.detect.protocol import Detector
from unbarb.errors import DetectionError
from unbarb.text import Analysis, Finding, Word

WEAK = 0.5
"""A finding or a score under this is less likely right than wrong."""
MANNERS = frozenset(["identity_attack", "insult", "obscene"])
"""What a rude word may be meant as: a list knows that it is rude, and less well how it is meant."""


class Panel:
    """A detector made of detectors.

    One that fails on a text leaves a warning that begins with :data:`FAILED`; the policy says
    what happens then. A failure in a batch is tried again text by text, so that one text's
    trouble is not another's.
    """

    FAILED = "detector failed"
    name = "panel"

    def __init__(self, members: Sequence[Detector]) -> None:
        self.members = tuple(members)
        self.labels = frozenset().union(*(member.labels for member in self.members))
        joined = "\n".join(f"{member.name} {member.digest}" for member in self.members)
        self.digest = "sha256:" + sha256(joined.encode()).hexdigest()

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Every member's analysis of every text, merged."""
        columns = [self._ask(member, texts, context) for member in self.members]
        return [merged(text, row) for text, *row in zip(texts, *columns, strict=True)]

    def _ask(
        self, member: Detector, texts: Sequence[str], context: Sequence[str | None] | None
    ) -> list[Analysis]:
        try:
            found = member.detect(texts, context=context)
            if len(found) != len(texts):
                raise DetectionError(f"{len(found)} analyses for {len(texts)} texts; each needs one")
            if any(analysis.text != text for analysis, text in zip(found, texts, strict=True)):
                raise DetectionError("an analysis holds another text than the one given")
            return found
        except Exception as error:  # a plug-in may raise anything; the policy decides, nothing passes
            if len(texts) != 1:
                around = context or [None] * len(texts)
                return [
                    self._ask(member, [text], [before])[0]
                    for text, before in zip(texts, around, strict=True)
                ]
            warning = f"{self.FAILED}: {member.name}: {type(error).__name__}: {error}"
            return [Analysis(texts[0], {}, coverage=0.0, warnings=(warning,))]


def failed(analysis: Analysis) -> bool:
    """Whether a detector failed on this text."""
    return any(warning.startswith(Panel.FAILED) for warning in analysis.warnings)


def merged(text: str, analyses: Sequence[Analysis]) -> Analysis:
    """One analysis of `text` from several: highest scores that count, lowest coverage, findings that count.

    A weak finding, as of a list's mild word, does not count where the detectors that read every word of the
    text think less of it; nor does a weak score that rests on findings alone, of a label that one of those
    scores. Of :data:`MANNERS`, a score that rests on findings alone counts as its geometric mean with what
    those say. What such a detector says itself counts always.
    """
    if len(analyses) == 1:
        return analyses[0]
    readers = [analysis for analysis in analyses if len(analysis.words) >= len(text.split()) > 0]
    findings = [
        finding
        for analysis in analyses
        for finding in analysis.findings
        if finding.score >= WEAK or analysis in readers or not _overruled(finding, readers)
    ]
    words: dict[tuple[int, int], Word] = {}
    models: dict[str, str] = {}
    for analysis in analyses:
        for word in analysis.words:
            known = words.get((word.start, word.end))
            if known is None or known.toxicity < word.toxicity:
                words[word.start, word.end] = word
        models.update(analysis.models)
    return Analysis(
        text,
        _scores(analyses, readers),
        tuple(sorted(findings, key=_place)),
        tuple(words[key] for key in sorted(words)),
        min((analysis.coverage for analysis in analyses), default=0.0),
        next((a.language for a in analyses if a.language != "und"), "und"),
        tuple(dict.fromkeys(warning for a in analyses for warning in a.warnings)),
        models,
        any(analysis.settled for analysis in analyses),
    )


def _scores(analyses: Sequence[Analysis], readers: Sequence[Analysis]) -> dict[str, float]:
    """The highest score of each label that counts, where `readers` read every word."""
    found: dict[str, float] = {}
    for analysis in analyses:
        listed = bool(analysis.findings) and analysis not in readers
        for label, score in analysis.scores.items():
            read = [reader.scores[label] for reader in readers if listed and label in reader.scores]
            if read and score < WEAK:
                continue
            if read and label in MANNERS:
                score = round(sqrt(score * max(read)), 4)
            found[label] = max(score, found.get(label, 0.0))
    return found


def _overruled(finding: Finding, readers: Sequence[Analysis]) -> bool:
    """Whether the words of a finding were read, and all thought less toxic than it says."""
    read = [
        word.toxicity
        for reader in readers
        for word in reader.words
        if word.start < finding.end and finding.start < word.end
    ]
    return bool(read) and max(read) < finding.score


def _place(finding: Finding) -> tuple[int, int, str, str]:
    return finding.start, finding.end, finding.label, finding.source
