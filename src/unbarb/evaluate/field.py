"""The field's scores of rewrites, 2022, 2024 and 2025: by its models where they are at hand, else by ours.

Every part of every J has a judge. Which one it was is said in `judges`, and stands in the report: a J of
2024 by a stand-in compares systems, and does not compare with published tables.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from unbarb.evaluate.hub import MODELS, Found, Hub
from unbarb.evaluate.hub_scores import Classifier, Embedder, Surprise, on_those_there
from unbarb.evaluate.judges import Judges, RewriteScores
from unbarb.evaluate.xcomet import Quality
from unbarb.metrics.acceptability import accepted, detokenised
from unbarb.metrics.chrf import sentence_chrf
from unbarb.metrics.j_2022 import j_2022
from unbarb.metrics.j_2024 import j_2024
from unbarb.metrics.j_2025 import j_2025
from unbarb.metrics.scored import Floats
from unbarb.metrics.sim import cosine, sim_2025
from unbarb.metrics.sta import sta_2022, sta_2024, sta_2025
from unbarb.metrics.toxicity import toxic

Score = Callable[[Sequence[str]], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class FieldScores:
    """One number a sentence, NaN where there was no output; all shape (n,).

    `surprise` is the summed negative log-likelihood and the number of tokens of each output, `None`
    when no language model is at hand.
    """

    j_2022: Floats
    j_2024: Floats
    j_2025: Floats
    acceptable: Floats
    surprise: tuple[Floats, Floats] | None


@dataclass(slots=True)
class Field:
    """The field's scores for one set of sources and references, whose own scores are taken once.

    `judges` says by whom each part was judged, ``{"J 2024, STA": "…"}``.
    """

    offline: Judges
    sources: Sequence[str]
    references: Sequence[str]
    hub: Hub = field(default_factory=Hub)
    judges: dict[str, str] = field(init=False, default_factory=dict)
    _models: dict[str, Found | None] = field(init=False, default_factory=dict)
    _of: dict[str, Floats] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        stand_ins = {
            "sta_2022": ("J 2022, STA", "toxicity, decided at .5"),
            "sta_2024": ("J 2024, STA", "toxicity"),
            "sta_2025": ("J 2025, STA", "toxicity"),
            "labse": ("J 2022 to 2025, SIM", "meaning (all-MiniLM-L6-v2)"),
            "cola": ("J 2022, FL", "fluency, decided at .5"),
        }
        for name, (part, stand_in) in stand_ins.items():
            found = self.hub.find(MODELS[name])
            self._models[name] = found if isinstance(found, Found) else None
            instead = "" if isinstance(found, Found) else f"; instead the offline judge of {stand_in}"
            self.judges[part] = found.called + instead
        self.judges["J 2024, FL"] = "chrF, by sacrebleu"
        self.judges["J 2025, FL"] = self._find_comet()
        language = self.hub.find(MODELS["perplexity"])
        self._models["perplexity"] = language if isinstance(language, Found) else None
        self.judges["perplexity"] = language.called

    def score(self, outputs: Sequence[str | None], own: RewriteScores) -> FieldScores:
        """Score one system's `outputs`, for which the offline judges said `own`."""
        to_source, to_reference = self._similar(outputs, own)
        sta = self._sta_2022(outputs, own)
        acceptable = self._acceptable(outputs, own)
        neutral = self._neutral("sta_2024", outputs, 1 - own.toxicity)
        newer = self._neutral("sta_2025", outputs, 1 - own.toxicity)
        relative = sta_2025(
            self._fixed("source", self.sources), newer, self._fixed("reference", self.references)
        )
        return FieldScores(
            j_2022=j_2022(sta, to_source, accepted(acceptable)),
            j_2024=j_2024(sta_2024(neutral), to_source, sentence_chrf(outputs, self.references)),
            j_2025=j_2025(relative, sim_2025(to_source, to_reference), self._quality(outputs, own)),
            acceptable=acceptable,
            surprise=self._surprise(outputs),
        )

    def _find_comet(self) -> str:
        """Find XCOMET-lite, which is two models on the hub, and say who judges in its name."""
        for name in ("mdeberta", "xcomet_lite"):
            found = self.hub.find(MODELS[name])
            self._models[name] = found if isinstance(found, Found) else None
            if not isinstance(found, Found):
                self._models["xcomet_lite"] = None
                return f"{found.called}; instead the offline judge of fluency"
        return found.called

    def _similar(self, outputs: Sequence[str | None], own: RewriteScores) -> tuple[Floats, Floats]:
        found = self._models["labse"]
        if found is None:
            return own.to_source, own.to_reference
        embedder = Embedder(found.folder)
        there = [at for at, output in enumerate(outputs) if output is not None]
        said = embedder.embed([output for output in outputs if output is not None])
        columns = []
        for texts in (self.sources, self.references):
            column = np.full(len(outputs), np.nan)
            column[there] = cosine(embedder.embed([texts[at] for at in there]), said)
            columns.append(column)
        return columns[0], columns[1]

    def _sta_2022(self, outputs: Sequence[str | None], own: RewriteScores) -> Floats:
        found = self._models["sta_2022"]
        if found is None:
            return 1 - toxic(own.toxicity)
        model = Classifier(found.folder)
        return sta_2022(on_those_there(lambda texts: model.logits(texts)[:, 1], outputs))

    def _acceptable(self, outputs: Sequence[str | None], own: RewriteScores) -> Floats:
        found = self._models["cola"]
        if found is None:
            return own.fluency
        model = Classifier(found.folder)
        written = [None if output is None else detokenised(output) for output in outputs]
        return on_those_there(lambda texts: model.probability(texts, 0), written)

    def _quality(self, outputs: Sequence[str | None], own: RewriteScores) -> Floats:
        found, encoder = self._models["xcomet_lite"], self._models["mdeberta"]
        if found is None or encoder is None:
            return own.fluency
        there = [at for at, output in enumerate(outputs) if output is not None]
        column = np.full(len(outputs), np.nan)
        column[there] = Quality(found.folder, encoder.folder).score(
            [self.sources[at] for at in there],
            [output for output in outputs if output is not None],
            [self.references[at] for at in there],
        )
        return column

    def _neutral(self, name: str, outputs: Sequence[str | None], stand_in: Floats) -> Floats:
        model = self._classifier(name)
        return stand_in if model is None else on_those_there(lambda t: model.probability(t, 0), outputs)

    def _classifier(self, name: str) -> Classifier | None:
        found = self._models[name]
        return None if found is None else Classifier(found.folder, self.hub.tokenizer_of(found))

    def _fixed(self, name: str, texts: Sequence[str]) -> Floats:
        """P(neutral) of the sources or references, by the judge of STA 2025, taken once."""
        if name not in self._of:
            model = self._classifier("sta_2025")
            self._of[name] = (
                1 - self.offline.toxicity(texts) if model is None else model.probability(texts, 0)
            )
        return self._of[name]

    def _surprise(self, outputs: Sequence[str | None]) -> tuple[Floats, Floats] | None:
        found = self._models["perplexity"]
        if found is None:
            return None
        nats, tokens = Surprise(found.folder).nats([output or "" for output in outputs])
        gone = np.array([output is None for output in outputs])
        return np.where(gone, np.nan, nats), np.where(gone, np.nan, tokens)
