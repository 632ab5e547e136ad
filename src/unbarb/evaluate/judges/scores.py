"""What the judges say of a set of rewrites, sentence by sentence."""

from __future__ import annotations

from dataclasses import dataclass

from unbarb.metrics import bootstrap
from unbarb.metrics.joint import METRIC as JOINT
from unbarb.metrics.joint_calibrated import joint_calibrated
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import Floats


@dataclass(frozen=True, slots=True, eq=False)
class RewriteScores:
    """One number a sentence, NaN where there was no output; all shape (n,).

    `toxicity` and `fluency` (intact) are probabilities, `to_source` and `to_reference` cosines, `joint`
    is J.
    """

    toxicity: Floats
    to_source: Floats
    to_reference: Floats
    fluency: Floats
    joint: Floats

    @property
    def calibrated(self) -> Floats:
        """J with content calibrated by people: fair to free rewrites, which a cosine underrates."""
        return joint_calibrated(self.toxicity, self.to_source, self.to_reference, self.fluency)

    def figures(self) -> dict[str, Measured]:
        """non_toxic (share under .5), meaning (cosine to source), fluency, joint, each with interval."""
        clean = [None if t != t else float(t < 0.5) for t in self.toxicity.tolist()]
        return {
            "non_toxic": share("non_toxic_share/1", clean),
            "meaning": measure("cosine_to_source/1", bootstrap.mean, self.to_source),
            "to_reference": measure("cosine_to_reference/1", bootstrap.mean, self.to_reference),
            "fluency": measure("intact_probability/1", bootstrap.mean, self.fluency),
            "joint": measure(JOINT, bootstrap.mean, self.joint),
        }
