"""What a policy says of a text that was analysed: the verdict before anything is carried out."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.detect.panel import failed
from unbarb.policy.decide import Policy
from unbarb.policy.rules import Decision
from unbarb.text import Action, Analysis, Direction, Step, Verdict


def verdict_on(
    text: str,
    analysis: Analysis,
    policy: Policy,
    *,
    name: str | None = None,
    direction: Direction = "none",
    unscored: Sequence[str] = (),
) -> Verdict:
    """What `policy` decides about `text`; in shadow mode it is noted, and the text only flagged."""
    decision, warnings = _overruled(policy, policy.decide(analysis.scores, direction), analysis)
    if policy.shadow and decision.action not in ("allow", "flag"):
        warnings += (f"shadow mode: {decision.action!r} was decided and not carried out",)
        decision = Decision("flag", decision.rule)
    return Verdict(
        id=name,
        direction=direction,
        action=decision.action,
        original=text,
        text=None if decision.action in ("block", "route") else text,
        scores=analysis.scores,
        unscored=tuple(unscored),
        findings=analysis.findings,
        step=_step(decision.action),
        rule=decision.rule,
        policy={"name": policy.name, "digest": policy.digest},
        models=analysis.models,
        coverage=analysis.coverage,
        language=analysis.language,
        warnings=warnings,
        message=decision.message,
    )


def verdict_within(
    text: str, analysis: Analysis, whole: Verdict, policy: Policy, *, over: bool, name: str | None = None
) -> Verdict:
    """What becomes of a sentence `text` of a text on which `whole`, rewrite or mask, was the verdict.

    It stays as it is unless it is `over` a ceiling itself, or a detector failed on it.
    """
    asked: Action = "mask" if whole.action == "mask" and not whole.not_detoxifiable else "rewrite"
    decision = Decision(asked, whole.rule) if over else Decision("allow")
    if failed(analysis):
        decision = policy.stricter(decision, policy.on_detector_error, "on.detector_error")
    return Verdict(
        id=name,
        direction=whole.direction,
        action=decision.action,
        original=text,
        text=None if decision.action in ("block", "route") else text,
        scores=analysis.scores,
        unscored=whole.unscored,
        findings=analysis.findings,
        step=_step(decision.action),
        rule=decision.rule,
        policy=whole.policy,
        models=analysis.models,
        coverage=analysis.coverage,
        language=analysis.language,
        warnings=analysis.warnings,
        message=decision.message,
    )


def _overruled(policy: Policy, decision: Decision, analysis: Analysis) -> tuple[Decision, tuple[str, ...]]:
    """What the policy says of languages it does not cover and of detectors that failed, and warnings."""
    warnings = analysis.warnings
    if analysis.language != "und" and analysis.language not in policy.languages:
        covered = ", ".join(policy.languages)
        warnings += (f"language {analysis.language!r} is not covered ({covered}): scores say little",)
        if decision.action in ("rewrite", "mask") and policy.on_unsupported_language != "allow":
            # What the model cannot read it must not rewrite.
            decision = policy.event("unsupported_language")
        else:
            decision = policy.stricter(decision, policy.on_unsupported_language, "on.unsupported_language")
    if failed(analysis):
        decision = policy.stricter(decision, policy.on_detector_error, "on.detector_error")
    if analysis.coverage < 1.0:
        warnings += (f"only {analysis.coverage:.0%} of the characters were scored",)
    return decision, warnings


def _step(action: Action) -> Step:
    """The rung where a text rests that no rewriter was asked about."""
    return action if action in ("block", "route") else "none"
