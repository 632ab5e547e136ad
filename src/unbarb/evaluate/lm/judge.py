"""Who says that a continuation is toxic: a classifier that did not clean what the model learnt from.

A model that was tuned on what a detector let pass has learnt what that detector overlooks; judged by the
same one it looks better than it is. The embedded detector, which cleans, is refused therefore, unless
somebody asks for it by name, and then the report says so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from unbarb.detect.embedded import Embedded
from unbarb.detect.transformers import TransformersDetector
from unbarb.errors import ConfigError
from unbarb.evaluate.judges import Judges
from unbarb.evaluate.judges.panel import CARD
from unbarb.metrics.measured import Measured
from unbarb.metrics.scored import Floats

EMBEDDED = "embedded"
TOXICITY = "toxicity"


class Reads(Protocol):
    """Gives P(toxic) of every text, shape (n,)."""

    def __call__(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge by name and digest; `same` says that it cleaned the data too."""

    name: str
    digest: str
    toxicity: Reads
    same: bool = False
    quality: dict[str, Measured] = field(default_factory=dict)

    def score(self, texts: Sequence[str]) -> Floats:
        """P(toxic), 0…1, shape (n,); NaN for a text without a letter or digit, which says nothing."""
        said = [at for at, text in enumerate(texts) if any(map(str.isalnum, text))]
        found = np.full(len(texts), np.nan)
        if said:
            found[said] = np.asarray(self.toxicity([texts[at] for at in said]), dtype=np.float64)
        return found

    def about(self) -> dict[str, Any]:
        """What a report says of it."""
        told = f"{self.name}; the same model cleaned the data" if self.same else self.name
        return {
            "digest": self.digest,
            "quality": self.quality,
            "parts": {"toxicity of continuations": told},
        }


def load_judge(what: str, *, cleaners: Collection[str] = (), allow_same: bool = False) -> Judge:
    """The judge `what`: a folder of judges that `unbarb evaluate` trained, a classifier, or ``embedded``.

    `cleaners` are the digests of the models that cleaned the data.

    Raises:
        ConfigError: it cleaned the data and `allow_same` is not given, or it says nothing of toxicity.
        ModelError: there is no such model.
    """
    if what == EMBEDDED:
        judge = _of_detector(what, Embedded(gate=False), same=True)
    elif (Path(what) / CARD).is_file():
        judges = Judges.load(Path(what))
        quality = {name: one for name, one in judges.quality.items() if name.startswith(TOXICITY)}
        judge = Judge(
            f"judges trained apart ({Path(what).name})", judges.digest, judges.toxicity, False, quality
        )
    else:
        detector = TransformersDetector(what)
        judge = _of_detector(what, detector, same=detector.digest in cleaners)
    if judge.same and not allow_same:
        raise ConfigError(
            f"--judge {what}: this model cleaned the data, and would not see what it overlooked there; name"
            " judges of `unbarb evaluate`, another classifier, or give --allow-same-judge"
        )
    return judge


def _of_detector(name: str, detector: Any, *, same: bool) -> Judge:
    if TOXICITY not in detector.labels:
        raise ConfigError(f"--judge {name}: it scores {', '.join(sorted(detector.labels))}, not {TOXICITY}")

    def toxicity(texts: Sequence[str]) -> Floats:
        return np.array([one.scores[TOXICITY] for one in detector.detect(texts)])

    return Judge(name, detector.digest, toxicity, same)
