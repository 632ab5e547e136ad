"""The embedded rewriter: tags every word, and picks among the likeliest ways to carry the tags out.

One pass gives the tags; their likeliest combinations become drafts, repaired and proofread, those that
look best first; the best few are read by the sentence heads and ordered by what people would like: not
toxic, same meaning, fluent. Verification is not done here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from math import log
from operator import attrgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.embedded import HOME, read_card
from unbarb.detect.trunk import FloatArray
from unbarb.rewrite.assemble import Assembler
from unbarb.rewrite.drafts import Drafts, consensus
from unbarb.rewrite.editor import Editor, Impression, shared_editor
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Span, apply

FLOOR = 1e-4
LEAST = 3
"""As many drafts are proofread in any case."""
_SCORE = attrgetter("score")


@dataclass(frozen=True, slots=True)
class Taste:
    """Weights of the picking scores, chosen by the recipe and kept in the model's card.

    Scores are sums of logarithms, higher is better. `width` ways to tag the text are weighed up unread:
    1 − damage and 1 − toxicity as a linear sketch sees them, how much a draft shares with the others
    (`consensus`, see drafts.py), the tags' likelihood, the toxicity of the words kept (`residue`), less
    `deletion` for the share of words deleted. In that order at most `reads` are proofread, which adds
    `proof`; it ends when the next, if it read perfectly, would be `enough` behind the best. At most
    `finalists` are read by the sentence heads too, which add 1 − toxicity, meaning (cosine) and
    fluency; it ends when the next, if the heads took no more than a `toll` from it, would be behind the
    best. The `spare` next drafts follow unread, for when the check refuses all that were read.
    """

    sketch_damage: float = 0.35
    sketch_toxicity: float = 0.2
    consensus: float = 1.6
    likelihood: float = 0.08
    residue: float = 0.7
    deletion: float = 0.7
    proof: float = 1.5
    toxicity: float = 1.9
    meaning: float = 5.2
    fluency: float = 2.2
    temperature: float = 2.0
    recall: float = 4.0
    width: int = 48
    reads: int = 24
    enough: float = 0.0
    finalists: int = 5
    toll: float = 0.8
    spare: int = 3

    def unread(self, drafts: Drafts, sketch: FloatArray) -> FloatArray:
        """What each draft is worth before it is read, shape (drafts,).

        `sketch` is damage and toxicity of each draft, shape (drafts, 2).
        """
        damage, toxicity = sketch.T
        shared = consensus(drafts.pieces, drafts.likelihood, self.temperature, self.recall)
        worth = (
            self.sketch_damage * _log(1 - damage)
            + self.sketch_toxicity * _log(1 - toxicity)
            + self.consensus * _log(shared)
            + self.likelihood * drafts.likelihood
            + self.residue * _log(1 - drafts.kept)
            - self.deletion * drafts.deleted
        )
        return np.asarray(worth, np.float32)

    def proofs(self, intact: float) -> float:
        """What proofreading adds, by the probability that a draft is intact."""
        return self.proof * log(max(intact, FLOOR))

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
        drafted = self._editor.drafts(analysis.text, self._taste.width, partial(word_toxicity, analysis))
        if drafted is None:
            return []
        assembler, drafts = drafted
        unread = self._taste.unread(drafts, self._editor.sketch(drafts.pieces))
        return self._picked(analysis.text, candidates_of(assembler, drafts.tags, unread))

    def _picked(self, text: str, made: Iterator[Candidate]) -> list[Candidate]:
        """The candidates of `text` in the order of taste: finalists, others that were proofread, spare."""
        read: list[Candidate] = []
        spare: list[Candidate] = []
        for draft in made:
            if self._enough(read, draft):
                spare = list(islice(chain([draft], made), self._taste.spare))
                break
            proof = self._taste.proofs(self._editor.proofread(draft.text))
            read.append(replace(draft, score=draft.score + proof))
        read.sort(key=_SCORE, reverse=True)
        best = self._finalists(text, read)
        others = read[len(best) :] + spare
        return best + [replace(one, score=best[-1].score) for one in others]

    def _finalists(self, text: str, read: Sequence[Candidate]) -> list[Candidate]:
        """Of `read`, the best by its score before, those that the sentence heads read too; best first."""
        source = self._editor.read(text)
        best: list[Candidate] = []
        for one in read[: self._taste.finalists]:
            if best and max(map(_SCORE, best)) >= one.score - self._taste.toll:
                break
            heads = self._taste.score(source, self._editor.read(one.text))
            best.append(replace(one, score=one.score + heads))
        return sorted(best, key=_SCORE, reverse=True)

    def _enough(self, read: Sequence[Candidate], draft: Candidate) -> bool:
        """Whether `draft`, even if it should read perfectly, is not worth proofreading."""
        if len(read) < LEAST:
            return False
        ahead = max(one.score for one in read) - draft.score
        return len(read) == self._taste.reads or ahead >= self._taste.enough


def candidates_of(
    assembler: Assembler, tags: Sequence[Sequence[str]], worth: FloatArray
) -> Iterator[Candidate]:
    """The different texts that drafts of `tags` come to, scored by their `worth`, best first."""
    found = {assembler.text}
    for at in np.argsort(-worth, kind="stable").tolist():
        edits = assembler.edits(tags[at])
        new = apply(edits, assembler.text)
        if new.strip() and new not in found:
            found.add(new)
            yield Candidate(new, edits, "edit", float(worth[at]))


def word_toxicity(analysis: Analysis, places: Sequence[Span]) -> NDArray[np.float32]:
    """Toxicity of each place: the highest of the analysis's words that overlap it."""
    values = np.zeros(len(places), np.float32)
    for at, place in enumerate(places):
        values[at] = max(
            (word.toxicity for word in analysis.words if word.start < place.end and place.start < word.end),
            default=0.0,
        )
    return values
