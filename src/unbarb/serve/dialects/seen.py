"""What a verdict shows to clients that know labels and places, but no policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unbarb.detect.panel import Panel
from unbarb.policy import Policy
from unbarb.serve.errors import DetectorFailed
from unbarb.text import Finding, Span, Verdict


def reached(verdict: Verdict, policy: Policy) -> dict[str, float]:
    """Label → score of those labels whose rule in `policy` fired; rules that allow count as none."""
    return {
        label: verdict.scores[label]
        for label, rule in policy.rules(verdict.direction).items()
        if rule.action != "allow" and verdict.scores.get(label, 0.0) >= rule.threshold
    }


def withheld(verdict: Verdict) -> bool:
    """Whether nothing of the text may leave."""
    return verdict.text is None


UMBRELLAS = ("toxicity", "severe_toxicity")
"""Labels of whole sentences: whatever was found in a text speaks for them."""


def evidence(verdict: Verdict, label: str) -> list[Finding]:
    """The findings that speak for `label`."""
    return [finding for finding in verdict.findings if finding.label == label or label in UMBRELLAS]


def places(findings: Iterable[Finding], text: str) -> list[tuple[Span, list[Finding]]]:
    """Where the findings stand, in order, each place with its own; those that overlap are one place.

    Where there are none it is the whole text.
    """
    joined: list[tuple[Span, list[Finding]]] = []
    for finding in sorted(findings, key=lambda one: one.span):
        span, there = joined[-1] if joined else (Span(0, 0), [])
        if finding.start < span.end:
            there.append(finding)
            joined[-1] = Span(span.start, max(span.end, finding.end)), there
        else:
            joined.append((finding.span, [finding]))
    return joined or [(Span(0, len(text)), [])]


def scores_of(verdict: Verdict) -> dict[str, float]:
    """The scores: a client that reads numbers must not take a failure for low ones.

    Raises:
        DetectorFailed: a detector failed, or none gave a score.
    """
    if not verdict.scores or any(one.startswith(Panel.FAILED) for one in verdict.warnings):
        raise DetectorFailed("a detector failed on the text, so there are no scores to go by; try again")
    return dict(verdict.scores)


def in_short(verdict: Verdict) -> dict[str, Any]:
    """What was decided, for dialects that can carry a few words more than their own."""
    return {
        "action": verdict.action,
        "rule": verdict.rule,
        "policy": verdict.policy["name"],
        "scores": dict(verdict.scores),
        "warnings": list(verdict.warnings),
    }
