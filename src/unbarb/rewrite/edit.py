"""The embedded rewriter: tags every word, and picks among the likeliest ways to carry the tags out.

One pass gives the tags; their likeliest combinations become candidates, repaired; the few that look
best are read by the sentence heads and ordered by what people would like: not toxic, same
meaning, fluent. Verification is not done here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.embedded import HOME, read_card
from unbarb.detect.normalize import normalize
from unbarb.detect.trunk import FloatArray
from unbarb.detect.wordpiece import words_of
from unbarb.rewrite.assemble import assemble
from unbarb.rewrite.beam import likeliest
from unbarb.rewrite.editor import Editor, Impression, shared_editor
from unbarb.rewrite.protocol import Candidate
from unbarb.rewrite.tags import APPEND, DELETE, KEEP
from unbarb.text import Analysis, Edit, Span, apply

FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Taste:
    """Weights of the picking score, chosen by the recipe and kept in the model's card.

    Both scores are sums of logarithms, higher is better. The sketch's is of 1 − damage and
    1 − toxicity as a linear model sees them, less `deletion` for the share of words deleted; the
    `reads` best of `width` combinations are read by the sentence heads, whose score is of
    1 − toxicity, meaning (cosine), fluency, the tags' likelihood and the toxicity of the words kept.
    The `spare` next ones follow unread, for when the check refuses all that were.
    """

    sketch_damage: float = 1.0
    sketch_toxicity: float = 0.5
    deletion: float = 1.0
    toxicity: float = 1.0
    meaning: float = 1.0
    fluency: float = 2.0
    likelihood: float = 0.03
    residue: float = 0.5
    width: int = 48
    reads: int = 10
    spare: int = 14


@dataclass(frozen=True, slots=True)
class _Draft:
    """One way to carry tags out: its text and edits, and what is known without reading it."""

    text: str
    edits: tuple[Edit, ...]
    likelihood: float
    kept: float
    deleted: float


class EditRewriter:
    """Rewriter 'edit': candidates by word tags, best first.

    Raises:
        ModelError: model files are missing or damaged.
    """

    name = "edit"

    def __init__(self, folder: Path = HOME, editor: Editor | None = None) -> None:
        self._editor = editor or shared_editor(folder)
        self._taste = Taste(**read_card(folder).get("taste", {}))  # type: ignore[arg-type]
        self.digest = self._editor.digest

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """Candidates of the step "edit" for each analysis; none where nothing can be tagged."""
        return [self._propose(analysis) for analysis in analyses]

    def _propose(self, analysis: Analysis) -> list[Candidate]:
        view = normalize(analysis.text)
        words = words_of(view.text)
        if not words:
            return []
        lowered = [span.of(view.text).lower().replace("’", "'") for span in words]
        logp = self._editor.tag(lowered)
        if logp is None:
            return []
        places = [view.span(span.start, span.end) for span in words]
        toxicity = word_toxicity(analysis, places)
        drafts = self._drafts(analysis.text, places, logp, toxicity)
        if not drafts:
            return []
        source = self._editor.read(analysis.text)
        best = self._best_sketched(drafts)
        read = [
            Candidate(draft.text, draft.edits, "edit", self._score(source, draft))
            for draft in best[: self._taste.reads]
        ]
        read.sort(key=lambda candidate: -candidate.score)
        lowest = read[-1].score
        spare = best[self._taste.reads : self._taste.reads + self._taste.spare]
        return read + [Candidate(draft.text, draft.edits, "edit", lowest) for draft in spare]

    def _drafts(
        self, text: str, places: Sequence[Span], logp: FloatArray, toxicity: NDArray[np.float32]
    ) -> list[_Draft]:
        """The distinct results of the likeliest tags that change something and leave something."""
        found: dict[str, _Draft] = {}
        for likelihood, row in likeliest(logp, self._taste.width):
            tags = [self._editor.vocabulary[tag] for tag in row]
            edits = assemble(text, places, tags)
            result = apply(edits, text)
            if edits and result.strip() and result not in found:
                deleted = tags.count(DELETE) / len(places)
                found[result] = _Draft(result, edits, likelihood, kept_toxicity(tags, toxicity), deleted)
        return list(found.values())

    def _best_sketched(self, drafts: Sequence[_Draft]) -> list[_Draft]:
        """The drafts, most worth reading first, by a linear model over their pieces."""
        taste = self._taste
        if len(drafts) <= taste.reads:
            return list(drafts)
        damage, toxicity = self._editor.sketch([draft.text for draft in drafts]).T
        deleted = np.array([draft.deleted for draft in drafts])
        score = (
            taste.sketch_damage * np.log(np.maximum(1 - damage, FLOOR))
            + taste.sketch_toxicity * np.log(np.maximum(1 - toxicity, FLOOR))
            - taste.deletion * deleted
        )
        return [drafts[at] for at in np.argsort(-score, kind="stable").tolist()]

    def _score(self, source: Impression, draft: _Draft) -> float:
        taste = self._taste
        candidate = self._editor.read(draft.text)
        meaning = float(source.meaning @ candidate.meaning)
        return (
            taste.toxicity * log(max(1 - candidate.toxicity, FLOOR))
            + taste.meaning * log(max(meaning, FLOOR))
            + taste.fluency * log(max(candidate.fluency, FLOOR))
            + taste.likelihood * draft.likelihood
            + taste.residue * log(max(1 - draft.kept, FLOOR))
        )


def word_toxicity(analysis: Analysis, places: Sequence[Span]) -> NDArray[np.float32]:
    """Toxicity of each place: the highest of the analysis's words that overlap it."""
    values = np.zeros(len(places), np.float32)
    for at, place in enumerate(places):
        values[at] = max(
            (word.toxicity for word in analysis.words if word.start < place.end and place.start < word.end),
            default=0.0,
        )
    return values


def kept_toxicity(tags: Sequence[str], toxicity: NDArray[np.float32]) -> float:
    """The highest toxicity among the words that `tags` keep."""
    kept = [
        float(value)
        for tag, value in zip(tags[1:], toxicity, strict=True)
        if tag != DELETE and (tag == KEEP or tag.startswith(APPEND))
    ]
    return max(kept, default=0.0)
