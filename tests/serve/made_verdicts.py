"""Verdicts whose every number is known, for translating into a dialect."""

from __future__ import annotations

from typing import Any

from unbarb.policy import Policy
from unbarb.text import LABELS, Finding, Verdict

POLICY = Policy.parse(
    """
schema: 1
name: known
languages: [en, de]
labels:
  toxicity: {threshold: 0.5, action: rewrite}
  severe_toxicity: {threshold: 0.5, action: rewrite}
  obscene: {threshold: 0.5, action: allow}
  insult: {threshold: 0.6, action: flag}
  identity_attack: {threshold: 0.5, action: flag}
  threat: {threshold: 0.5, action: block}
  self_harm: {threshold: 0.5, action: route}
"""
)


def verdict(original: str = "you idiot", findings: tuple[Finding, ...] = (), **given: Any) -> Verdict:
    """A verdict of `POLICY`; scores not given are 0.1 for the six labels, and none for others."""
    scores = dict.fromkeys(LABELS, 0.1) | given.pop("scores", {})
    usual: dict[str, Any] = {
        "action": "flag",
        "text": original,
        "rule": "labels.insult: insult ≥ 0.6 → flag",
    }
    policy = {"name": POLICY.name, "digest": POLICY.digest}
    return Verdict(
        original=original, scores=scores, findings=findings, policy=policy, language="en", **usual | given
    )


def finding(start: int, end: int, label: str = "insult", score: float = 0.4) -> Finding:
    return Finding(label, start, end, score, "lexicon", f"entry for {label}")
