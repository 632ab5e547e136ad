"""The policy: scores in, a decision out. It is data and decides by itself: no model, no file, no clock."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

from unbarb.errors import DetectionError
from unbarb.plugins import Plugin
from unbarb.policy.audit import AuditRules
from unbarb.policy.checks import merged
from unbarb.policy.file import locate, parse, read
from unbarb.policy.layout import AUDIT, EVENTS, POLICY, PRECEDENCE
from unbarb.policy.plugin import plugin
from unbarb.policy.report import PolicyReport, report
from unbarb.policy.rules import Decision, Rule
from unbarb.text import Action, Direction, Span

_NOTHING = Decision("allow")

_EVENT_WORDS = {
    "rewrite_failure": "no rewrite passed the check",
    "unsupported_language": "language not supported",
    "detector_error": "a detector failed",
}


@dataclass(frozen=True)
class Policy:
    """Rules as data: what happens to a text with these scores.

    Made by :meth:`load` or :meth:`parse`, never by hand; `content` is the file's content with all
    defaults filled in, `tables` the rules of each direction, built-in ones and overrides worked in.
    """

    content: Mapping[str, Any]
    tables: Mapping[str, Mapping[str, Rule]] = field(repr=False, compare=False)

    @classmethod
    def load(cls, source: str | Path | Policy) -> Policy:
        """The policy of a preset (see `PRESETS`) or of a YAML file; a policy is given back as it is.

        Raises:
            ConfigError: there is no such policy, or it is not valid; the message lists every problem.
        """
        return source if isinstance(source, Policy) else cls._of(read(locate(source)))

    @classmethod
    def parse(cls, text: str, file: str = "policy") -> Policy:
        """The policy written in `text` as YAML.

        Raises:
            ConfigError: it is not valid; the message lists every problem.
        """
        return cls._of(parse(text, file))

    @classmethod
    def _of(cls, raw: Mapping[str, Any]) -> Policy:
        content = {name: raw.get(name, key.default) for name, key in POLICY.keys.items()}
        content["on"] = {event: usual for event, (usual, _) in EVENTS.items()} | raw.get("on", {})
        if "audit" in raw:
            content["audit"] = {
                name: raw["audit"].get(name, key.default) for name, key in AUDIT.keys.items()
            }
        content = {name: value for name, value in content.items() if value is not None}
        tables = {
            direction: MappingProxyType(
                {label: _rule(label, direction, rule, raw) for label, rule in rules.items()}
            )
            for direction, rules in merged(raw).items()
        }
        return cls(MappingProxyType(content), MappingProxyType(tables))

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def name(self) -> str:
        return str(self.content["name"])

    @property
    def description(self) -> str:
        return str(self.content.get("description", ""))

    @cached_property
    def digest(self) -> str:
        """``sha256:…`` of the content with defaults filled in; comments and order do not count."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return "sha256:" + sha256(canonical.encode()).hexdigest()

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.content["languages"])

    @property
    def detectors(self) -> tuple[Plugin, ...]:
        """The detectors it is meant for, each with its options."""
        return tuple(map(plugin, self.content["detectors"]))

    @property
    def rewriter(self) -> Plugin:
        """What proposes rewrites, with its options."""
        return plugin(self.content["rewriter"])

    @property
    def gate(self) -> bool:
        return bool(self.content["gate"])

    @property
    def shadow(self) -> bool:
        """Whether decisions are only recorded; `decide` still gives them in full."""
        return bool(self.content["shadow"])

    @property
    def message(self) -> str | None:
        return self.content.get("message")

    @property
    def on_rewrite_failure(self) -> Action:
        return self._on("rewrite_failure")

    @property
    def on_unsupported_language(self) -> Action:
        return self._on("unsupported_language")

    @property
    def on_detector_error(self) -> Action:
        return self._on("detector_error")

    @property
    def audit(self) -> AuditRules:
        """How its decisions are recorded, where there is a record."""
        return AuditRules(**self.content.get("audit", {}))

    def _on(self, event: str) -> Action:
        action: Action = self.content["on"][event]
        return action

    def rules(self, direction: Direction = "none") -> Mapping[str, Rule]:
        """Label → rule for texts of one direction, built-in rules included."""
        return self.tables[direction]

    def decide(self, scores: Mapping[str, float], direction: Direction = "none") -> Decision:
        """What happens to a text with these scores; labels without a rule are passed over.

        Of several rules that fire, `precedence` picks the action and the highest score the rule.

        Raises:
            DetectionError: a score is not a number from 0 to 1.
        """
        fired: list[tuple[int, float, Rule]] = []
        for label, rule in self.tables[direction].items():
            score = scores.get(label)
            if score is None:
                continue
            if not 0.0 <= score <= 1.0:
                raise DetectionError(f"score of {label}: {score!r} is not from 0 to 1; mend its detector")
            if score >= rule.threshold:
                fired.append((self._rank[rule.action], -score, rule))
        if not fired:
            return _NOTHING
        rule = min(fired, key=lambda one: one[:2])[2]
        told = self._message(rule.action, rule.message)
        return Decision(rule.action, str(rule), told, rule.label, rule.threshold)

    def event(self, name: str) -> Decision:
        """The decision for one of `EVENTS`: rewrite_failure, unsupported_language, detector_error."""
        return self._event(self._on(name), f"on.{name}")

    def _event(self, action: Action, key: str) -> Decision:
        words = _EVENT_WORDS.get(key.removeprefix("on."))
        rule = f"{key}: {words} → {action}" if words else f"{key} → {action}"
        return Decision(action, rule, self._message(action, None))

    def stricter(self, decision: Decision, action: Action, key: str) -> Decision:
        """`decision`, or `action` under the rule `key` (``on.detector_error``) where that does more.

        More is what stands earlier in block, route, mask, rewrite, flag, allow, whatever the policy's own
        precedence. Where no rule had fired `action` decides, so that the verdict names its rule.
        """
        more = PRECEDENCE.index(action) < PRECEDENCE.index(decision.action)
        return self._event(action, key) if more or decision.rule == "none" else decision

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {action: rank for rank, action in enumerate(self.content["precedence"])}

    def _message(self, action: Action, own: str | None) -> str | None:
        return own or (self.message if action in ("block", "route") else None)

    def ceilings(self, direction: Direction = "none") -> Mapping[str, float]:
        """Label → threshold − margin, which a rewrite must stay strictly below; flags ask nothing."""
        return {label: rule.ceiling for label, rule in self.tables[direction].items() if rule.acts}

    def allowed_spans(self, text: str) -> list[Span]:
        """Where phrases of the allow-list stand, in order; those that overlap are joined."""
        spans: list[Span] = []
        if self._allowed is None:
            return spans
        for found in self._allowed.finditer(text):
            start, end = found.span(1)
            if spans and start < spans[-1].end:
                spans[-1] = Span(spans[-1].start, max(end, spans[-1].end))
            else:
                spans.append(Span(start, end))
        return spans

    @cached_property
    def _allowed(self) -> re.Pattern[str] | None:
        # A look-ahead, so that a phrase that begins inside another is found too; longest first.
        phrases = sorted(self.content["allow"], key=len, reverse=True)
        parts = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in phrases)
        return re.compile(rf"(?<!\w)(?=((?:{parts})(?!\w)))", re.IGNORECASE) if parts else None

    def unscored(self, labels: Collection[str]) -> tuple[str, ...]:
        """Labels with a rule that are not among `labels`, those that something loaded can score."""
        ruled = {label for rules in self.tables.values() for label in rules}
        return tuple(sorted(ruled.difference(labels)))

    def report(self, labels: Collection[str]) -> PolicyReport:
        """Every rule as a sentence; `labels` are those that something loaded can score."""
        return report(self, labels)

    def to_dict(self) -> dict[str, Any]:
        """The content as plain types, defaults filled in: written as YAML it is the same policy."""
        plain: dict[str, Any] = json.loads(json.dumps(dict(self.content)))
        return plain


def _rule(label: str, direction: str, merged_rule: Mapping[str, Any], raw: Mapping[str, Any]) -> Rule:
    """A rule with the key it is known by: where in the file it was said last, or that it is built in."""
    if label in raw.get("directions", {}).get(direction, {}).get("labels", {}):
        key = f"directions.{direction}.labels.{label}"
    else:
        key = f"labels.{label}" if label in raw["labels"] else f"built_in.{label}"
    return Rule(
        label,
        merged_rule["threshold"],
        merged_rule["action"],
        merged_rule.get("margin", 0.0),
        merged_rule.get("message"),
        key,
    )
