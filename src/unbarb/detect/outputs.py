"""What a classifier's outputs mean: which are labels of ours, and how logits become probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import exp
from typing import Any, Literal, cast

from unbarb.errors import ConfigError
from unbarb.text import LABELS

ALIASES = {
    "toxic": "toxicity",
    "severe_toxic": "severe_toxicity",
    "identity_hate": "identity_attack",
    "identity_based_attack": "identity_attack",
    "hate": "identity_attack",
    "hateful": "identity_attack",
    "hate_speech": "identity_attack",
    "offensive": "toxicity",
    "abusive": "toxicity",
    "obscenity": "obscene",
    "insults": "insult",
    "threats": "threat",
}
"""How models on the hub call our labels."""

BENIGN = frozenset(
    {
        *("clean", "neutral", "none", "normal", "ok", "safe", "no_toxicity", "non_toxic", "nontoxic"),
        *("non_hate", "non_offensive", "not_hate", "nothate", "not_offensive", "not_toxic"),
    }
)
"""How they call a text that has none."""

Activation = Literal["sigmoid", "softmax"]


@dataclass(frozen=True, slots=True)
class Outputs:
    """Which label each output stands for (None for none), and how logits become probabilities."""

    places: tuple[str | None, ...]
    activation: Activation

    @classmethod
    def of(
        cls, config: Mapping[str, Any], labels: Mapping[str, str | None] | None, activation: str | None
    ) -> Outputs:
        """Read from a model's ``config.json``, overruled by what a policy says.

        Raises:
            ConfigError: a name in `labels` is not the model's, one of the model's is not known, none of
                them is a label of ours, or the activation is unknown; all at once.
        """
        told = {int(at): str(name) for at, name in (config.get("id2label") or {}).items()}
        names = [told[at] for at in sorted(told)] or ["LABEL_0", "LABEL_1"]  # what no config says
        wrong: list[str] = []
        if activation not in (None, "sigmoid", "softmax"):
            wrong.append(f"activation: {activation!r} is neither sigmoid nor softmax")
        places = _known(names, wrong) if labels is None else _told(names, labels, wrong)
        if not wrong and not any(places):
            wrong.append(f"labels: the model's are {', '.join(names)}; say which of ours one of them is")
        if wrong:
            raise ConfigError("\n".join(wrong))
        return cls(tuple(places), cast(Activation, activation or _usual(config, len(names))))

    @property
    def labels(self) -> tuple[str, ...]:
        """Ours that it scores, in the order of the outputs."""
        return tuple(dict.fromkeys(label for label in self.places if label))

    def scores(self, logits: Sequence[float]) -> dict[str, float]:
        """Label → probability. Of several outputs for one label softmax adds, sigmoid takes the highest."""
        found = dict.fromkeys(self.labels, 0.0)
        highest = max(logits)
        powers = [exp(logit - highest) for logit in logits]
        for at, label in enumerate(self.places):
            if label is None:
                continue
            if self.activation == "softmax":
                found[label] = min(1.0, found[label] + powers[at] / sum(powers))
            else:
                found[label] = max(found[label], _sigmoid(logits[at]))
        return found


def _sigmoid(logit: float) -> float:
    return 1 / (1 + exp(-logit)) if logit >= 0 else exp(logit) / (1 + exp(logit))


def _usual(config: Mapping[str, Any], outputs: int) -> Activation:
    """As the pipelines of transformers do where a model does not say."""
    several = config.get("problem_type") == "multi_label_classification" or outputs == 1
    return "sigmoid" if several else "softmax"


def _known(names: Sequence[str], wrong: list[str]) -> list[str | None]:
    plain = [name.strip().lower().replace("-", "_").replace(" ", "_") for name in names]
    found = [one if one in LABELS else ALIASES.get(one) for one in plain]
    unknown = [
        name
        for name, one, label in zip(names, plain, found, strict=True)
        if label is None and one not in BENIGN
    ]
    if unknown:
        wrong.append(
            f"labels: the model's label{'s' * (len(unknown) > 1)} {', '.join(unknown)} say nothing here;"
            f" write labels: {{{unknown[0]}: toxicity, …}}, or null for one that is not about toxicity."
            f" All it has: {', '.join(names)}"
        )
    return found


def _told(names: Sequence[str], labels: Mapping[str, str | None], wrong: list[str]) -> list[str | None]:
    for name in labels:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            wrong.append(f"labels: the model has no label {name!r}{hint} It has {', '.join(names)}")
    return [labels.get(name) for name in names]
