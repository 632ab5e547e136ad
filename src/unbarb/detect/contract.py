"""What every detector must keep, as a check that a plug-in's own tests can call.

>>> from unbarb.detect.contract import broken_promises
>>> from unbarb.detect.lexicon import Lexicon
>>> broken_promises(Lexicon())
[]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from unbarb.detect.protocol import Detector
from unbarb.text import Analysis

TEXTS = (
    "",
    "   ",
    "\n\t\r\n",
    "Thank you, that was kind of you.",
    "You are an idiot, and your friends are idiots too!",
    "YOU 1D!0T, you i d i o t, you id\u200biot",
    "🙂 👩‍👩‍👧 🏳️‍🌈 you idiot 🙃",
    "e\u0301le\u0300ve \x00 \ufeff \u202e \U0010ffff",
    "أنت غبي، קרא את זה you idiot",
    "see https://example.org/idiot?q=1 and write to me@example.org, @idiot",
    "word " * 1990 + "you idiot " * 5,
    "a" * 10_000,
)
"""Empty, blank, plain, toxic, disguised, emoji, controls, right to left, addresses, 10,000 characters."""


def broken_promises(detector: Detector, texts: Sequence[str] = TEXTS) -> list[str]:
    """Each promise of the protocol that `detector` breaks, a sentence each; empty when it keeps all.

    No exception; spans inside the text; scores 0…1 and only of its labels; a text's result the same
    alone, in any batch and again.
    """
    return [*_identity(detector), *_results(detector, texts)]


def _identity(detector: Detector) -> Iterator[str]:
    if not detector.name:
        yield "name is empty"
    if not isinstance(detector.labels, frozenset) or not detector.labels:
        yield f"labels must be a frozenset that is not empty, not {detector.labels!r}"
    if not detector.digest.startswith("sha256:"):
        yield f"digest must be sha256:…, not {detector.digest!r}"


def _results(detector: Detector, texts: Sequence[str]) -> Iterator[str]:
    try:
        together = detector.detect(texts)
        backwards = detector.detect(texts[::-1])[::-1]
        alone = [detector.detect([text])[0] for text in texts]
        after = detector.detect(texts, context=["said before"] * len(texts))
        none = detector.detect([])
    except Exception as error:  # a plug-in may raise anything, and that is what is looked for
        yield f"detect raised {type(error).__name__}: {error}"
        return
    if none != []:
        yield f"no texts must give no analyses, not {none!r}"
    if len(together) != len(texts) or len(after) != len(texts):
        yield f"{len(texts)} texts gave {len(together)} analyses, and {len(after)} with context"
        return
    for text, first, second, third in zip(texts, together, alone, backwards, strict=True):
        told = f"{text[:30]!r}"
        if first != second:
            yield f"{told}: another result alone than in a batch"
        if first != third:
            yield f"{told}: another result in a batch of another order"
        yield from (f"{told}: {what}" for what in _analysis(detector, text, first))


def _analysis(detector: Detector, text: str, analysis: Analysis) -> Iterator[str]:
    if analysis.text != text:
        yield "the analysis is of another text"
    for label, score in analysis.scores.items():
        if label not in detector.labels:
            yield f"scores {label!r}, which is not among its labels"
        if not 0.0 <= score <= 1.0:
            yield f"{label} is {score}, not 0…1"
    if not 0.0 <= analysis.coverage <= 1.0:
        yield f"coverage is {analysis.coverage}, not 0…1"
    if analysis.coverage < 1.0 and text.strip():
        yield f"only {analysis.coverage:.2f} of it was scored; cut long text into windows"
    for finding in analysis.findings:
        if not 0 <= finding.start < finding.end <= len(text):
            yield f"finding [{finding.start}, {finding.end}) is empty or outside the text"
        if not 0.0 <= finding.score <= 1.0:
            yield f"finding has score {finding.score}, not 0…1"
        if finding.label not in detector.labels or not finding.source or not finding.reason:
            yield f"finding {finding} needs one of the detector's labels, a source and a reason"
    for word in analysis.words:
        if not 0 <= word.start < word.end <= len(text) or not 0.0 <= word.toxicity <= 1.0:
            yield f"word {word} is empty, outside the text, or not scored 0…1"
    if any(one.end > other.start for one, other in pairwise(analysis.words)):
        yield "words overlap or are out of order"
