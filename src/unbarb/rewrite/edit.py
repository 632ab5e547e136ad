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

    The score is a sum of logarithms: of 1 − toxicity, meaning (cosine), fluency and the tags'
    likelihood; `width` combinations are made, `reads` of them are read by the sentence heads.
    """

    toxicity: float = 1.0
    meaning: float = 1.0
    fluency: float = 1.0
    likelihood: float = 0.1
    residue: float = 1.0
    width: int = 48
    reads: int = 10


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
        found = self._assembled(analysis.text, places, logp, toxicity)
        chosen = sorted(found.items(), key=lambda item: -item[1][0])[: self._taste.reads]
        if not chosen:
            return []
        source = self._editor.read(analysis.text)
        candidates = [
            Candidate(text, edits, "edit", self._score(source, self._editor.read(text), likelihood))
            for text, (_, likelihood, edits) in chosen
        ]
        return sorted(candidates, key=lambda candidate: -candidate.score)

    def _assembled(
        self, text: str, places: Sequence[Span], logp: FloatArray, toxicity: FloatArray
    ) -> dict[str, tuple[float, float, tuple[Edit, ...]]]:
        """Distinct results with their first score, likelihood and edits."""
        found: dict[str, tuple[float, float, tuple[Edit, ...]]] = {}
        for likelihood, row in likeliest(logp, self._taste.width):
            tags = [self._editor.vocabulary[tag] for tag in row]
            edits = assemble(text, places, tags)
            result = apply(edits, text)
            if not edits or not result.strip() or result in found:
                continue
            kept = kept_toxicity(tags, toxicity)
            first = self._taste.likelihood * likelihood + self._taste.residue * log(max(1 - kept, FLOOR))
            found[result] = (first, likelihood, edits)
        return found

    def _score(self, source: Impression, candidate: Impression, likelihood: float) -> float:
        taste = self._taste
        meaning = float(source.meaning @ candidate.meaning)
        return (
            taste.toxicity * log(max(1 - candidate.toxicity, FLOOR))
            + taste.meaning * log(max(meaning, FLOOR))
            + taste.fluency * log(max(candidate.fluency, FLOOR))
            + taste.likelihood * likelihood
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
