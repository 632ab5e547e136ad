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
from unbarb.rewrite.assemble import Assembler
from unbarb.rewrite.beam import likeliest
from unbarb.rewrite.drafts import Drafts, consensus, drafts_of
from unbarb.rewrite.editor import Editor, Impression, shared_editor
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Edit, Span, apply

FLOOR = 1e-4
LEAST = 3
"""As many drafts are read in any case."""


@dataclass(frozen=True, slots=True)
class Taste:
    """Weights of the picking scores, chosen by the recipe and kept in the model's card.

    Both scores are sums of logarithms, higher is better. `width` ways to tag the text are weighed up
    unread: 1 − damage and 1 − toxicity as a linear sketch sees them, how much a draft shares with the
    others (`consensus`, see drafts.py), less `deletion` for the share of words deleted. The `reads`
    best are read by the sentence heads, whose score is of 1 − toxicity, meaning (cosine), fluency, the
    tags' likelihood, the consensus again, the toxicity of the words kept, and the share `hope` of the
    first score, as a second opinion. Reading stops when the next draft would win only if the heads
    took less than `enough` from it. The `spare` next ones follow unread, for when the check refuses
    all that were read.
    """

    sketch_damage: float = 1.0
    sketch_toxicity: float = 0.7
    sketch_consensus: float = 2.0
    deletion: float = 1.0
    toxicity: float = 1.2
    meaning: float = 0.7
    fluency: float = 2.0
    likelihood: float = 0.04
    consensus: float = 0.8
    residue: float = 0.6
    hope: float = 0.3
    temperature: float = 2.0
    recall: float = 2.0
    width: int = 48
    reads: int = 14
    enough: float = 0.9
    spare: int = 8

    def unread(self, drafts: Drafts, sketch: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What is known before reading: how much each draft deserves to be read, and its unread terms.

        `sketch` is damage and toxicity of each draft, shape (drafts, 2); both results are (drafts,).
        """
        damage, toxicity = sketch.T
        shared = _log(consensus(drafts.pieces, drafts.likelihood, self.temperature, self.recall))
        hopes = (
            self.sketch_damage * _log(1 - damage)
            + self.sketch_toxicity * _log(1 - toxicity)
            + self.sketch_consensus * shared
            - self.deletion * drafts.deleted
        )
        known = (
            self.likelihood * drafts.likelihood
            + self.consensus * shared
            + self.residue * _log(1 - drafts.kept)
            + self.hope * hopes
        )
        return np.asarray(hopes, np.float32), np.asarray(known, np.float32)

    def score(self, source: Impression, read: Impression) -> float:
        """What the sentence heads add once a draft is `read`."""
        return (
            self.toxicity * log(max(1 - read.toxicity, FLOOR))
            + self.meaning * log(max(float(source.meaning @ read.meaning), FLOOR))
            + self.fluency * log(max(read.fluency, FLOOR))
        )


def _log(values: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(values, FLOOR)), np.float32)


class EditRewriter:
    """Rewriter 'edit': candidates by word tags, best first.

    Raises:
        ModelError: model files are missing or damaged.
    """

    name = "edit"

    def __init__(
        self, folder: Path = HOME, editor: Editor | None = None, taste: Taste | None = None
    ) -> None:
        self._editor = editor or shared_editor(folder)
        self._taste = taste or Taste(**read_card(folder).get("taste", {}))  # type: ignore[arg-type]
        self.digest = self._editor.digest

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """Candidates of the step "edit" for each analysis; none where nothing can be tagged."""
        return [self._propose(analysis) for analysis in analyses]

    def _propose(self, analysis: Analysis) -> list[Candidate]:
        text = analysis.text
        view = normalize(text)
        words = words_of(view.text)
        lowered = [span.of(view.text).lower().replace("’", "'") for span in words]
        logp = self._editor.tag(lowered) if words else None
        if logp is None:
            return []
        places = [view.span(span.start, span.end) for span in words]
        drafts = drafts_of(
            likeliest(logp, self._taste.width),
            self._editor.vocabulary,
            [self._editor.pieces(word) for word in lowered],
            word_toxicity(analysis, places),
            self._editor.pieces,
        )
        if not drafts.tags:
            return []
        hopes, known = self._taste.unread(drafts, self._editor.sketch(drafts.pieces))
        made = self._made(Assembler(text, places), drafts.tags, np.argsort(-hopes, kind="stable").tolist())
        source = self._editor.read(text)
        read: list[Candidate] = []
        for at, new, edits in made[: self._taste.reads]:
            unread = float(known[at])
            if len(read) >= LEAST and max(one.score for one in read) >= unread - self._taste.enough:
                break
            score = unread + self._taste.score(source, self._editor.read(new))
            read.append(Candidate(new, edits, "edit", score))
        spare = made[len(read) : len(read) + self._taste.spare]
        read.sort(key=lambda candidate: -candidate.score)
        return read + [Candidate(new, edits, "edit", read[-1].score) for _, new, edits in spare]

    def _made(
        self, assembler: Assembler, tags: Sequence[Sequence[str]], order: Sequence[int]
    ) -> list[tuple[int, str, tuple[Edit, ...]]]:
        """The first different texts in `order`, as many as are read or spare: draft, text, edits."""
        found: dict[str, tuple[int, str, tuple[Edit, ...]]] = {}
        for at in order:
            edits = assembler.edits(tags[at])
            new = apply(edits, assembler.text)
            if edits and new.strip():
                found.setdefault(new, (at, new, edits))
            if len(found) == self._taste.reads + self._taste.spare:
                break
        return list(found.values())


def word_toxicity(analysis: Analysis, places: Sequence[Span]) -> NDArray[np.float32]:
    """Toxicity of each place: the highest of the analysis's words that overlap it."""
    values = np.zeros(len(places), np.float32)
    for at, place in enumerate(places):
        values[at] = max(
            (word.toxicity for word in analysis.words if word.start < place.end and place.start < word.end),
            default=0.0,
        )
    return values
