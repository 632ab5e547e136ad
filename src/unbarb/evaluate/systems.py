"""What an evaluation is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from unbarb.detect.protocol import Detector
from unbarb.evaluate.subjects import AlwaysClean, Subject
from unbarb.evaluate.suites.rewriting import Flags, Rewrite
from unbarb.evaluate.suites.verification import Accepts


@dataclass(frozen=True, slots=True)
class Systems:
    """What is evaluated; a suite whose system is missing is not run.

    `subjects` are compared as detectors, *always clean* among them; `rewriters` by name; `recheck` is the
    policy's own check of outputs; `gated` is one detector with and without its gate; `accepts` is verify.
    """

    subjects: Sequence[Subject] = (AlwaysClean(),)
    rewriters: Mapping[str, Rewrite] = field(default_factory=dict)
    recheck: Flags | None = None
    accepts: Accepts | None = None
    gated: tuple[Detector, Detector] | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
