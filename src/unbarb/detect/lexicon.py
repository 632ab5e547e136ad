"""A detector that looks words up: severities, exceptions, and disguises undone before.

Plain rude words alone raise no alarm, for people also swear for joy and quote: they score what was
measured for them, at most `PLAIN`. An insult that somebody took the trouble to disguise does, and so
does a slur or an insult that has no other sense.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import cache

from unbarb.detect.cleared import Cleared
from unbarb.detect.doubt import doubted
from unbarb.detect.normalize import Normalized, normalize
from unbarb.detect.wordlist import FILES, FOLDER, Entry, load
from unbarb.language import language
from unbarb.text import Analysis, Finding, Span, Word

DISGUISED = 0.95
"""The score of a strong word that was written so that a filter misses it."""

DISGUISED_MILD = 0.7
"""The same of a mild word."""

PLAIN = {1: 0.35, 2: 0.45, 3: 0.49}
"""The most a word of each severity scores that is written plainly and is not `UNAMBIGUOUS`."""

UNAMBIGUOUS = (0.6, 0.9)
"""The least and the most that a severe insult with no other sense scores; a slur scores the most."""

FOREIGN = 0.2
"""The most a plain word scores in a text that is not English: "dick" is German for thick."""

BY_SEVERITY = {1: 0.2, 2: 0.45, 3: 0.6}
"""The score of a plain word of which too few were measured."""

_LABELS = ("identity_attack", "insult", "obscene", "threat", "toxicity")
_TOKEN = re.compile(r"[^\W_]+")
_LINK = re.compile(r"https?:\S+|www\.\S+|@\w+")
_GAP = re.compile(r"[- ]")


@cache
def _digest() -> str:
    found = hashlib.sha256()
    for name in FILES:
        found.update((FOLDER / name).read_bytes())
    return f"sha256:{found.hexdigest()}"


class Lexicon:
    """The word list as a detector. The score of a text is its highest word's, less in a long text."""

    name = "lexicon"
    labels = frozenset(_LABELS)

    def __init__(self) -> None:
        """Read the shipped list.

        Raises:
            ModelError: a file of the list is missing or damaged.
        """
        self._list = load()
        phrases = (parts for some in self._list.phrases.values() for parts, entry in some if entry)
        known = self._list.words.keys() | {max(parts, key=len) for parts in phrases}
        self._unlisted = Cleared(lambda chunk: known.isdisjoint(_TOKEN.findall(_lower(chunk))))
        self.digest = _digest()

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Look the words of every text up; `context` changes nothing."""
        return [self._analyse(text) for text in texts]

    def _analyse(self, text: str) -> Analysis:
        view = normalize(text)
        scores = dict.fromkeys(_LABELS, 0.0)
        models = {self.name: self.digest}
        chunks = view.text.split()
        if self._unlisted(chunks):
            return Analysis(text, scores, models=models)
        lower = _lower(view.text)
        matches = [*self._matches(view, lower, text)]
        if not matches:
            return Analysis(text, scores, models=models)
        findings: list[Finding] = []
        words: list[Word] = []
        spoken = language(text)
        for span, entry in matches:
            score, disguised = _score(entry, span, view, text)
            if spoken not in ("en", "und") and not disguised:
                score = min(score, FOREIGN)
            written = span.of(text)
            reason = f"lexicon entry {entry.text!r}, written {written!r}"
            findings.append(Finding(entry.labels[0], span.start, span.end, score, self.name, reason))
            words += (
                Word(span.start + found.start(), span.start + found.end(), score)
                for found in _parts(written, disguised)
            )
            for label in ("toxicity", *entry.labels):
                scores[label] = max(scores[label], doubted(score, len(chunks)))
        return Analysis(text, scores, tuple(findings), tuple(words), language=spoken, models=models)

    def _matches(self, view: Normalized, lower: str, text: str) -> Iterator[tuple[Span, Entry]]:
        """Every entry in the view, with where it stands in the original; longest phrase first."""
        spellings = _TOKEN.findall(lower)
        found: list[tuple[int, int, Entry]] = []
        index = 0
        while index < len(spellings):
            size, entry = self._at(spellings, index)
            if entry is not None:
                found.append((index, index + size - 1, entry))
            index += size
        if not found:
            return
        tokens = list(_TOKEN.finditer(lower))
        links = [Span(*link.span()) for link in _LINK.finditer(text)]
        for first, last, entry in found:
            span = view.span(tokens[first].start(), tokens[last].end())
            if not any(link.overlaps(span) for link in links) or _changed(view, span):
                yield span, entry

    def _at(self, spellings: list[str], index: int) -> tuple[int, Entry | None]:
        """How many words at `index` belong together, and the entry they are, if any."""
        for parts, entry in self._list.phrases.get(spellings[index], ()):
            if tuple(spellings[index : index + len(parts)]) == parts:
                return len(parts), entry
        return 1, self._list.words.get(spellings[index])


def _lower(text: str) -> str:
    """`text` in lower case, as long as it was (İ alone would become two characters)."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower()[:1] for c in text)


def _changed(view: Normalized, span: Span) -> bool:
    return any(change.overlaps(span) for change in view.changed)


def _score(entry: Entry, span: Span, view: Normalized, text: str) -> tuple[float, bool]:
    """The score of `entry` at `span`, and whether it was disguised there."""
    if _changed(view, span) and not _compound(span.of(text)):
        return (DISGUISED if entry.plain else DISGUISED_MILD), True
    score = BY_SEVERITY[entry.severity] if entry.precision is None else entry.precision
    least, most = UNAMBIGUOUS
    if entry.severity == 3 and entry.sense == "always":
        if "identity_attack" in entry.labels:
            return most, False
        if "insult" in entry.labels or "threat" in entry.labels:
            return min(max(score, least), most), False
    return min(score, PLAIN[entry.severity]), False


def _compound(written: str) -> bool:
    """Whether it is two words with one hyphen or space between them: a spelling, no disguise."""
    parts = _GAP.split(written.lower())
    known = load()
    return len(parts) == 2 and all(part in known.pieces or part in known.words for part in parts)


def _parts(written: str, disguised: bool) -> Iterator[re.Match[str]]:
    """The words in what was written; a disguised word is one, whatever stands in it."""
    return re.finditer(r"\S.*\S|\S" if disguised else r"[^\W_]+", written, re.DOTALL)
