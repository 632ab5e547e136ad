"""What a policy says of a text that was analysed: the verdict before anything is carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from unbarb.detect.panel import failed
from unbarb.policy.decide import Policy
from unbarb.policy.rules import Decision
from unbarb.text import Action, Analysis, Direction, Verdict
from unbarb.verify.ladder import over


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
    return replace(
        _verdict(text, analysis, decision, policy, name),
        direction=direction,
        unscored=tuple(unscored),
        warnings=warnings,
    )


def verdict_within(
    text: str, analysis: Analysis, whole: Verdict, policy: Policy, *, name: str | None = None
) -> Verdict:
    """What becomes of a sentence `text` of a text on which `whole`, rewrite or mask, was the verdict.

    It stays as it is unless it is over a ceiling itself, or a detector failed on it.
    """
    asked: Action = "mask" if whole.action == "mask" and not whole.not_detoxifiable else "rewrite"
    guilty = over(analysis.scores, policy.ceilings(whole.direction))
    decision = Decision(asked, whole.rule) if guilty else Decision("allow")
    if failed(analysis):
        decision = policy.stricter(decision, policy.on_detector_error, "on.detector_error")
    return replace(
        _verdict(text, analysis, decision, policy, name),
        direction=whole.direction,
        unscored=whole.unscored,
        policy=whole.policy,
    )


def _verdict(
    text: str, analysis: Analysis, decision: Decision, policy: Policy, name: str | None
) -> Verdict:
    """`decision` about `text`, with nothing carried out yet but what withholds it."""
    action = decision.action
    return Verdict(
        id=name,
        action=action,
        original=text,
        text=None if action in ("block", "route") else text,
        scores=analysis.scores,
        findings=analysis.findings,
        step=action if action in ("block", "route") else "none",
        rule=decision.rule,
        policy={"name": policy.name, "digest": policy.digest},
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
