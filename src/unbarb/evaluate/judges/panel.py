"""The three judges together, trained once on the user's machine and kept in a run folder.

They never ship: CoLA is for research use. They are not the models that rewrite or verify: another depth,
other pooling, other seeds, and none of the evaluation sentences.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unbarb.errors import InputError, ModelError
from unbarb.evaluate.judges import fluency, kept, toxicity
from unbarb.evaluate.judges.corpora import JudgeCorpora, JudgeTexts
from unbarb.evaluate.judges.dress import looped, undressed
from unbarb.evaluate.judges.encoder import SentenceJudge, probabilities
from unbarb.evaluate.judges.meaning import Meaning
from unbarb.evaluate.judges.scores import RewriteScores
from unbarb.evaluate.judges.training import Graded, Progress, Training, silent
from unbarb.metrics.joint import joint
from unbarb.metrics.measured import Measured, measure
from unbarb.metrics.roc_auc import METRIC, roc_auc
from unbarb.metrics.scored import Floats

CARD = "judges.json"


@dataclass(frozen=True, slots=True)
class Plans:
    """How the two trained judges are trained."""

    toxicity: Training = toxicity.PLAN
    fluency: Training = fluency.PLAN


class Judges:
    """Toxicity, meaning and fluency of rewrites, by models that took no part in making them.

    `digest` names both trained judges, `quality` holds each judge's own AUC on its held-out texts.
    """

    def __init__(
        self, toxic: SentenceJudge, fluent: SentenceJudge, digest: str, quality: dict[str, Measured]
    ) -> None:
        self._toxic, self._fluent, self._meaning = toxic, fluent, Meaning()
        self.digest, self.quality = digest, quality

    @classmethod
    def load_or_train(
        cls,
        folder: Path,
        corpora: JudgeCorpora,
        threads: int = 1,
        plans: Plans | None = None,
        progress: Progress = silent,
    ) -> Judges:
        """The judges of `corpora` in `folder`, those trained first that are not there.

        About twelve minutes on one thread, once. The held-out figures are taken once too.
        """
        plans = plans or Plans()
        toxic, toxic_digest = kept.load_or_train(
            folder, "toxicity", plans.toxicity, toxicity.examples(corpora.train), threads, progress
        )
        fluent, fluent_digest = kept.load_or_train(
            folder, "fluency", plans.fluency, fluency.examples(corpora.train), threads, progress
        )
        digests = {"toxicity": toxic_digest, "fluency": fluent_digest}
        card = _card(folder)
        if card is None or card["digests"] != digests:
            progress("judges: held-out quality")
            fresh = cls(toxic, fluent, _joined(digests), {})
            card = {
                "digests": digests,
                "layers": {"toxicity": plans.toxicity.layers, "fluency": plans.fluency.layers},
                "plans": asdict(plans),
                "quality": {name: asdict(figure) for name, figure in fresh._held_out(corpora.held).items()},
            }
            (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        return cls(toxic, fluent, _joined(digests), _quality(card))

    @classmethod
    def load(cls, folder: Path) -> Judges:
        """The judges last trained in `folder`.

        Raises:
            ModelError: there are none.
        """
        card = _card(folder)
        if card is None:
            raise ModelError(f"{folder} holds no judges (no {CARD}); `unbarb evaluate` trains them")
        models = [
            kept.load(kept.weights_file(folder, name, card["digests"][name]), card["layers"][name])
            for name in ("toxicity", "fluency")
        ]
        return cls(models[0], models[1], _joined(card["digests"]), _quality(card))

    def toxicity(self, texts: Sequence[str]) -> Floats:
        """P(toxic), shape (n,)."""
        return probabilities(self._toxic, texts)

    def fluency(self, texts: Sequence[str]) -> Floats:
        """P(intact), shape (n,)."""
        return probabilities(self._fluent, texts)

    def similarity(self, first: Sequence[str], second: Sequence[str]) -> Floats:
        """Cosine of each pair, shape (n,)."""
        return self._meaning.similarity(first, second)

    def score(
        self, sources: Sequence[str], outputs: Sequence[str | None], references: Sequence[str]
    ) -> RewriteScores:
        """Judge every output; one that is `None` is unscored.

        Quotes round the whole, Markdown and pictographs are not read; words said again in a loop cost
        their share of fluency; an output without a letter or digit keeps no meaning and is not fluent.

        Raises:
            InputError: the three differ in length.
        """
        if not len(sources) == len(outputs) == len(references):
            raise InputError(
                f"{len(sources)} sources, {len(outputs)} outputs, {len(references)} references; one each"
            )
        there = [i for i, output in enumerate(outputs) if output is not None]
        said = [undressed(output) for output in outputs if output is not None]
        sources, references = [undressed(s) for s in sources], [undressed(r) for r in references]
        toxic, to_source, to_reference, fluent = (np.full(len(outputs), np.nan) for _ in range(4))
        if there:
            toxic[there] = self.toxicity(said)
            to_source[there] = self.similarity([sources[i] for i in there], said)
            to_reference[there] = self.similarity([references[i] for i in there], said)
            fluent[there] = self.fluency(said) * [1 - looped(text) for text in said]
        # Encoders embed even nothing; what says nothing keeps no meaning and is no sentence.
        silent = [i for i in there if not any(map(str.isalnum, outputs[i] or ""))]
        to_source[silent] = to_reference[silent] = fluent[silent] = 0.0
        return RewriteScores(
            toxic, to_source, to_reference, fluent, joint(toxic, to_source, to_reference, fluent)
        )

    def _held_out(self, held: JudgeTexts) -> dict[str, Measured]:
        """Each judge's AUC on texts it never saw: does it tell apart what people told apart?"""
        pairs = held.pairs
        toxic = toxicity.examples(JudgeTexts(posts=held.posts))
        rewritten = toxicity.examples(JudgeTexts(pairs=pairs))
        broken = fluency.examples(JudgeTexts(pairs=pairs), seed=fluency.PLAN.seed + 1)
        linguists = held.acceptability
        return {
            "toxicity, posts": _auc(self.toxicity(_texts(toxic)), toxic),
            "toxicity, sentences against their rewrites": _auc(self.toxicity(_texts(rewritten)), rewritten),
            "fluency, whole against damaged": _auc(self.fluency(_texts(broken)), broken),
            "fluency, accepted by linguists": _auc(self.fluency(_texts(linguists)), linguists),
            "meaning, own against another's rewrite": self._closeness(held),
        }

    def _closeness(self, held: JudgeTexts) -> Measured:
        sources = [pair.toxic for pair in held.pairs]
        own = [pair.neutral[0] for pair in held.pairs]
        cosine = self.similarity(sources + sources, own + own[1:] + own[:1])
        return measure(METRIC, roc_auc, cosine, [1] * len(own) + [0] * len(own), rounds=200)


def _card(folder: Path) -> dict[str, Any] | None:
    path = folder / CARD
    if not path.is_file():
        return None
    card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return card


def _joined(digests: dict[str, str]) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()}"


def _quality(card: dict[str, Any]) -> dict[str, Measured]:
    return {name: Measured(**figure) for name, figure in card["quality"].items()}


def _texts(graded: Sequence[Graded]) -> list[str]:
    return [example.text for example in graded]


def _auc(scores: Floats, graded: Sequence[Graded]) -> Measured:
    return measure(METRIC, roc_auc, scores, [example.target > 0.5 for example in graded], rounds=200)
