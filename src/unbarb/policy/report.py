"""A policy in plain words, for people who answer for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from unbarb.policy.audit import AuditRules
from unbarb.policy.rules import Rule
from unbarb.text import Action

if TYPE_CHECKING:
    from unbarb.policy.decide import Policy

_DONE: dict[Action, str] = {
    "allow": "is let through",
    "flag": "is flagged and let through",
    "rewrite": "is rewritten",
    "mask": "has what was found masked",
    "block": "is blocked",
    "route": "is withheld and goes to a person",
}


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """Every rule as a sentence, and the labels that nothing loaded can score."""

    name: str
    digest: str
    description: str
    sentences: tuple[str, ...]
    unscored: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        head = f"{self.name} ({self.digest})"
        about = [self.description] if self.description else []
        return "\n".join([head, *about, *(f"- {sentence}" for sentence in self.sentences)])


def report(policy: Policy, labels: Collection[str]) -> PolicyReport:
    """Tell a policy in sentences; `labels` are those that the loaded detectors can score."""
    unscored = policy.unscored(labels)
    lines = (
        *_rule_lines(policy, unscored),
        *_event_lines(policy),
        *_other_lines(policy),
        *_audit_lines(policy.audit),
        *_unscored_lines(unscored),
    )
    return PolicyReport(policy.name, policy.digest, policy.description, lines, unscored)


def _rule_lines(policy: Policy, unscored: Collection[str]) -> Iterator[str]:
    for rule in policy.rules().values():
        yield _sentence(rule, "A text", unscored)
    for direction, word in (("input", "An input"), ("output", "An output")):
        for rule in policy.tables[direction].values():
            if rule.key.startswith("directions."):
                yield _sentence(rule, word, unscored)


def _sentence(rule: Rule, subject: str, unscored: Collection[str]) -> str:
    line = f"{subject} with {rule.label} of {rule.threshold:g} or more {_DONE[rule.action]}"
    if rule.action in ("rewrite", "mask"):
        line += f"; what leaves must score below {rule.ceiling:g}"
    if rule.message:
        line += f"; the user may be told: “{rule.message}”"
    if rule.key.startswith("built_in."):
        line += " (built in: the policy does not say otherwise)"
    return line + ("; but nothing loaded scores it." if rule.label in unscored else ".")


def _event_lines(policy: Policy) -> Iterator[str]:
    yield f"A text for which no rewrite passes the check {_DONE[policy.on_rewrite_failure]}."
    languages = ", ".join(policy.languages)
    yield f"A text in another language than {languages} {_DONE[policy.on_unsupported_language]}."
    yield f"A text on which a detector fails {_DONE[policy.on_detector_error]}."


def _other_lines(policy: Policy) -> Iterator[str]:
    yield f"When several rules fire, the first of these is done: {', '.join(policy.content['precedence'])}."
    if policy.content["allow"]:
        yield f"Nothing is found in: {', '.join(policy.content['allow'])}."
    if policy.message:
        yield f"When a text is blocked or routed, the user may be told: “{policy.message}”"
    yield f"It is meant for the detectors {', '.join(map(str, policy.detectors))}."
    yield f"Rewrites are proposed by {policy.rewriter}, and each is checked before it leaves."
    if not policy.gate:
        yield "The gate is off: every text is read by the encoder."
    if policy.shadow:
        yield "Shadow mode: decisions are recorded and nothing is changed or withheld."


def _audit_lines(rules: AuditRules) -> Iterator[str]:
    if rules.text == "none":
        yield "Where decisions are recorded, the texts themselves are not kept, only keyed hashes of them."
    else:
        days = "1 day" if rules.retention_days == 1 else f"{rules.retention_days} days"
        yield f"Where decisions are recorded, the texts are kept encrypted for {days}."
    if rules.on_failure == "fail":
        yield "A request whose decision cannot be recorded fails."
    else:
        yield "A decision that cannot be recorded is spilled to disk and recorded later."


def _unscored_lines(unscored: Collection[str]) -> Iterator[str]:
    if unscored:
        yield f"Unscored, so never found: {', '.join(unscored)}."
