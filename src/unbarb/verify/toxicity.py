"""Is it below its ceilings by the detector, and by opinions that err otherwise?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unbarb.detect.protocol import Detector
from unbarb.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Opinion:
    """A second detector, and the score that none of its labels may reach, 0…1."""

    detector: Detector
    ceiling: float


def over(scores: Mapping[str, float], ceilings: Mapping[str, float], headroom: float) -> list[str]:
    """Labels whose score is not below its ceiling less the share `headroom` of it, in words."""
    return [
        f"toxicity: {label} {scores[label]:.2f}, allowed below {ceiling * (1 - headroom):.2f}"
        for label, ceiling in ceilings.items()
        if label in scores and scores[label] >= ceiling * (1 - headroom)
    ]


def objections(opinions: Sequence[Opinion], texts: Sequence[str]) -> list[list[str]]:
    """For each text, which opinions find it too toxic, and how much."""
    found: list[list[str]] = [[] for _ in texts]
    for opinion in opinions:
        for reasons, analysis in zip(found, opinion.detector.detect(texts), strict=True):
            worst = max(analysis.scores, key=lambda label: analysis.scores[label], default=None)
            if worst is not None and analysis.scores[worst] >= opinion.ceiling:
                reasons.append(
                    f"toxicity: {opinion.detector.name} finds {worst} {analysis.scores[worst]:.2f},"
                    f" allowed below {opinion.ceiling:.2f}"
                )
    return found


def checked_share(name: str, value: float) -> float:
    """`value`, which must be 0…1.

    Raises:
        ConfigError: it is not.
    """
    if not 0 <= value <= 1:
        raise ConfigError(f"{name} is {value}; it must be a number from 0 to 1")
    return value
