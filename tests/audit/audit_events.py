"""Events for tests, without a guard: verdicts as one would give them."""

from __future__ import annotations

from typing import Any

from unbarb.audit import Event
from unbarb.policy import AuditRules, Policy
from unbarb.text import Edit, Finding, Verdict

ENCRYPTED = AuditRules(text="encrypted", retention_days=30)


def verdict(original: str = "you are an idiot", **changed: Any) -> Verdict:
    values: dict[str, Any] = {
        "id": "comment-7",
        "direction": "output",
        "action": "rewrite",
        "original": original,
        "text": "you are wrong",
        "scores": {"toxicity": 0.93, "insult": 0.8},
        "scores_after": {"toxicity": 0.1, "insult": 0.05},
        "findings": (Finding("insult", 11, 16, 0.9, "lexicon", "in the list: idiot"),),
        "edits": (Edit(8, 16, "wrong"),),
        "step": "edit",
        "meaning": 0.9,
        "rule": "labels.insult: insult ≥ 0.5 → rewrite",
        "policy": {"name": "default", "digest": "sha256:ab"},
        "models": {"embedded": "sha256:cd"},
        "language": "en",
    }
    return Verdict(**{**values, **changed})


def decision(number: int = 0, **given: Any) -> Event:
    options = {"surface": "native", "request": f"request-{number}", "seconds": 0.004, **given}
    return Event.of_verdict(verdict(f"you are an idiot, number {number}"), **options)


def mixed(count: int) -> list[Event]:
    """Decisions with and without texts, failures and changes of policy."""
    policy = Policy.load("default")
    made: list[Event] = []
    for number in range(count):
        if number % 10 == 7:
            made.append(Event.failure("DetectorFailed", surface="chat", request=f"request-{number}"))
        elif number % 25 == 3:
            made.append(Event.policy_change(policy, before="sha256:00"))
        else:
            rules = ENCRYPTED if number % 3 == 0 else None
            made.append(
                decision(number, rules=rules, subject=f"person-{number % 4}", stream="s", piece=number)
            )
    return made
