"""The rewriter 'infill': finds the words that carry a trait, hides them, and lets experts say it otherwise.

After MaRCo (Hallinan et al. 2023, https://arxiv.org/abs/2212.10543), which masks by how far two experts
differ and fills by a product of experts. It proposes; verification and the guard decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from unbarb.detect.embedded import Embedded
from unbarb.detect.normalize import normalize
from unbarb.detect.protocol import Detector
from unbarb.errors import ConfigError
from unbarb.plugins import missing_extra
from unbarb.rewrite.infill.decode import Search
from unbarb.rewrite.infill.experts import Weights
from unbarb.rewrite.infill.rank import Heads, Taste
from unbarb.rewrite.infill.rephrase import Phrasing, rebased, rephrase
from unbarb.rewrite.infill.score import WordScore, mask, score
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Span

if TYPE_CHECKING:
    from unbarb.rewrite.infill.experts import Experts

LONGEST = 120
"""Words of the longest sentence; a longer one gets no candidate."""


@dataclass(frozen=True, slots=True)
class Round:
    """One turn: the text it began with, how much of the trait it had, what was hidden, what came out best.

    `chosen` is None where nothing was hidden or nothing was found; then it was the last turn.
    """

    text: str
    trait: float
    hidden: tuple[Span, ...]
    chosen: str | None


class Infill:
    """Expert and anti-expert infilling. `score`, `mask`, `rephrase` and `propose` can each be used alone.

    Args:
        model: folder of the experts: ``model/`` of a run of objective infill.
        base: where the base lies, if it is neither in the folder nor where the folder says.
        trait: what is to go; must be what the experts were trained for. Default: what they were.
        threshold: texts whose classifier score is below it are left alone; give the policy's.
        signed, distance, drop: another gate for words; default the one that training set.
        base_weight, expert_weight, anti_weight: of the product of experts.
        longest, width, states: how far fillings are searched for; see `Search`.
        candidates: how many are proposed at most.
        rounds: how often the best candidate is gone on with while it is still over the threshold.
        deletions: propose the text with all gaps left empty, too.
        detector: what scores the trait, by a label of that name; default the embedded model, ungated.
        experts: given in Python instead of `model`.
        dtype, device: as of any model in torch.

    Raises:
        ModelError: no such folder, or it does not load.
        ConfigError: an option is not valid, or nothing scores the trait.
        MissingExtra: torch is not installed.
    """

    name = "infill"

    def __init__(
        self,
        model: str | None = None,
        *,
        base: str | None = None,
        trait: str | None = None,
        threshold: float = 0.3,
        signed: float | None = None,
        distance: float | None = None,
        drop: float | None = None,
        base_weight: float = 1.0,
        expert_weight: float = 1.0,
        anti_weight: float = 0.5,
        longest: int = 2,
        width: int = 8,
        states: int = 4,
        candidates: int = 16,
        rounds: int = 3,
        deletions: bool = True,
        detector: Detector | None = None,
        experts: Experts | None = None,
        dtype: str = "auto",
        device: str = "auto",
    ) -> None:
        _check(model, experts, threshold, candidates, rounds)
        self.experts = experts or self._loaded(str(model), base, dtype, device)
        if trait is not None and trait != self.experts.trait:
            raise ConfigError(
                f"trait {trait!r}: the experts of {model} were trained for {self.experts.trait!r}"
            )
        self.trait = self.experts.trait
        given = {"signed": signed, "distance": distance, "drop": drop}
        self.gate = replace(
            self.experts.gate, **{name: value for name, value in given.items() if value is not None}
        )
        self._detector: Detector = detector or Embedded().ungated
        if self.trait not in self._detector.labels:
            raise ConfigError(
                f"the detector {self._detector.name} does not score {self.trait!r}; give one that does"
                f" (it scores {', '.join(sorted(self._detector.labels))})"
            )
        self.phrasing = Phrasing(
            Weights(base_weight, expert_weight, anti_weight), Search(longest, width, states),
            Taste(), deletions,
        )  # fmt: skip
        self._reader = Heads(self.classify, self.trait)
        self._threshold, self._candidates, self._rounds = threshold, candidates, rounds
        decided = (
            f"{self.experts.digest} {self.gate} {self.phrasing} {threshold} {candidates} {rounds}"
            f" {self._detector.digest} {self.trait}"
        )
        self.digest = f"sha256:{sha256(decided.encode()).hexdigest()}"

    def classify(self, texts: Sequence[str]) -> list[float]:
        """How much of the trait each text has, 0…1."""
        return [float(one.scores[self.trait]) for one in self._detector.detect(texts)] if texts else []

    def score(self, text: str) -> list[WordScore]:
        """The words of `text` with their three numbers; offsets are those of `text` as it was written."""
        view = normalize(text)
        found = score(view.text, self.experts, self.classify)
        places = [view.span(word.start, word.end) for word in found]
        return [
            replace(word, start=place.start, end=place.end)
            for word, place in zip(found, places, strict=True)
        ]

    def mask(self, text: str, *, forced: Sequence[Span] = ()) -> list[Span]:
        """The stretches to hide: words that pass the gate, and those that are `forced`, kept or not."""
        hidden = [*mask(self.score(text), self.gate), *forced]
        return sorted(set(hidden))

    def rephrase(self, text: str, hidden: Sequence[Span] | None = None) -> list[Candidate]:
        """Candidates that fill the stretches `hidden`, best first; by default those that `mask` finds.

        They are proposals: nobody has verified them.
        """
        stretches = self.mask(text) if hidden is None else hidden
        return rephrase(text, stretches, self.experts, self._reader, self.phrasing)[: self._candidates]

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """Candidates for every text, each worked on alone; none for a text that is under the threshold."""
        return [self._proposed(analysis.text)[0] for analysis in analyses]

    def rounds(self, text: str) -> list[Round]:
        """What `propose` does with `text`, turn by turn: for the record, or to look at."""
        return self._proposed(text)[1]

    def _proposed(self, text: str) -> tuple[list[Candidate], list[Round]]:
        """Fill; while the best is still over the threshold, fill what is left of it; and so on."""
        found: dict[str, Candidate] = {}
        record: list[Round] = []
        now = text
        for _ in range(self._rounds):
            (trait,) = self.classify([now])
            if trait < self._threshold or len(now.split()) > LONGEST:
                break
            hidden = tuple(self.mask(now))
            made = self.rephrase(now, hidden) if hidden else []
            record.append(Round(now, trait, hidden, made[0].text if made else None))
            for one in made:
                whole = one if now == text else rebased(text, one)
                if whole is not None:
                    found.setdefault(whole.text, whole)
            if not made:
                break
            now = made[0].text
        ordered = sorted(found.values(), key=lambda one: (-one.score, one.text))
        return ordered[: self._candidates], record

    def _loaded(self, model: str, base: str | None, dtype: str, device: str) -> Experts:
        # Here and not above: torch is loaded by who asks for it.
        try:
            from unbarb.rewrite.infill.experts_torch import load_experts
        except ModuleNotFoundError as error:
            raise missing_extra(f"the rewriter {self.name!r}", error) from error
        return load_experts(model, base=base, dtype=dtype, device=device)


def _check(
    model: str | None, experts: Experts | None, threshold: float, candidates: int, rounds: int
) -> None:
    wrong = []
    if (model is None) == (experts is None):
        wrong.append("model: give the folder of trained experts (model/ of a run of objective infill)")
    for name, value, low, high in (
        ("threshold", threshold, 0, 1),
        ("candidates", candidates, 1, 256),
        ("rounds", rounds, 1, 10),
    ):
        if not low <= value <= high:
            wrong.append(f"{name}: {value} is not from {low} to {high}")
    if wrong:
        raise ConfigError("\n".join(wrong))
