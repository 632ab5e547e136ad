"""Policies: which score leads to which action. See docs/policy.md."""

from __future__ import annotations

from unbarb.policy.audit import AuditRules
from unbarb.policy.decide import Policy
from unbarb.policy.file import PRESETS, write_thresholds
from unbarb.policy.layout import NEVER_REWRITTEN, policy_schema
from unbarb.policy.report import PolicyReport
from unbarb.policy.rules import Decision, Rule
from unbarb.policy.verdicts import verdict_on, verdict_within

__all__ = [
    "NEVER_REWRITTEN",
    "PRESETS",
    "AuditRules",
    "Decision",
    "Policy",
    "PolicyReport",
    "Rule",
    "policy_schema",
    "verdict_on",
    "verdict_within",
    "write_thresholds",
]
