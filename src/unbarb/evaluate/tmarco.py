"""The baseline *TMaRCo as published*: what it does, faults and all, on experts of ours.

TrustyAI's TMaRCo (https://github.com/trustyai-explainability/trustyai-detoxify, Apache-2.0), written anew
from its description: pieces are masked one by one, whether they are words or not; a piece's score is the
Jensen–Shannon distance of the two experts over the mean of its text, so that every text has pieces above 1,
however clean; what scores more than 1.2 is replaced in its place, one piece by one, by the likeliest of
base − ½ anti-expert + ½ expert, where the base has seen the text unmasked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from unbarb.rewrite.infill.experts import Experts, Floats, Gap, Ids, divergence

THRESHOLD = 1.2
EXPERT, ANTI = 0.5, -0.5
ROUNDING = 1e-6
"""Divergences under this, in nats, come of rounding: over their mean they would look like any others."""


class Seeing(Experts, Protocol):
    """Experts whose base also says what it thinks of a piece that it sees."""

    def visible(self, ids: Ids) -> Floats: ...


@dataclass(frozen=True, slots=True)
class TMaRCo:
    """Rewrites by it. `masked` lets the base read the mask instead, which is kinder than the published one.

    What is not replaced keeps its characters, also where the tokenizer would have lower-cased them. `known`
    are scores that were taken already, which variants may share.
    """

    experts: Seeing
    threshold: float = THRESHOLD
    masked: bool = False
    known: dict[Ids, Floats] = field(default_factory=dict, repr=False)

    def __call__(self, texts: Sequence[str]) -> list[str | None]:
        return [self._rewritten(text) for text in texts]

    def scores(self, ids: Ids) -> Floats:
        """A piece's distance over the mean of all, (pieces,): their mean is 1, or 0 of alike experts."""
        if ids not in self.known:
            views = self.experts.views([Gap(ids[:at], 1, ids[at + 1 :]) for at in range(len(ids))])
            told = divergence(views.expert, views.anti)
            distance = np.sqrt(np.where(told > ROUNDING, told, 0.0))
            self.known[ids] = np.asarray(distance / max(float(distance.mean()), 1e-12))
        return self.known[ids]

    def _rewritten(self, text: str) -> str:
        tokenizer = self.experts.tokenizer
        cut = tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True
        )
        ids, places = tuple(cut["input_ids"]), cut["offset_mapping"]
        if not ids:
            return text
        replaced = [at for at, score in enumerate(self.scores(ids)) if score > self.threshold]
        seen = None if self.masked else self.experts.visible(ids)
        said = list(ids)
        for at in replaced:
            views = self.experts.views([Gap(tuple(said[:at]), 1, ids[at + 1 :])])
            base = views.base[0] if seen is None else seen[at]
            said[at] = int(np.argmax(base + EXPERT * views.expert[0] + ANTI * views.anti[0]))
        pieces, done = [], 0
        for at in replaced:
            start, end = places[at]
            new = tokenizer.convert_ids_to_tokens(said[at]).removeprefix("##").lstrip("Ġ▁")
            pieces += [text[done:start], new]
            done = end
        return "".join([*pieces, text[done:]])
