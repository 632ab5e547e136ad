"""What must hold between the keys of a policy, beyond the shape of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unbarb.policy.layout import BUILT_IN_THRESHOLD, KNOWN_LABELS, NEVER_REWRITTEN
from unbarb.policy.reading import Path, Reading, did_you_mean, dotted

Raw = Mapping[str, Any]

NEAR = 0.8
"""Similarity (difflib) above which an unknown label is taken for a misspelt known one."""


def merged(raw: Raw) -> dict[str, dict[str, dict[str, Any]]]:
    """Direction ('none', 'input', 'output') → label → rule, overrides and built-in rules worked in."""
    base = {label: dict(rule) for label, rule in raw.get("labels", {}).items()}
    overrides = {
        direction: raw.get("directions", {}).get(direction, {}).get("labels", {})
        for direction in ("input", "output")
    }
    flags = only_flags(rule for rules in (base, *overrides.values()) for rule in rules.values())
    for label, action in NEVER_REWRITTEN.items():
        built_in = {"threshold": BUILT_IN_THRESHOLD, "action": "flag" if flags else action}
        base.setdefault(label, built_in)
    tables = {"none": base}
    for direction, changed in overrides.items():
        tables[direction] = {
            label: base.get(label, {}) | dict(changed.get(label, {})) for label in (base | changed)
        }
    return tables


def only_flags(rules: Iterator[Raw]) -> bool:
    """Whether a policy only watches: no rule does more than flag."""
    return all(rule.get("action", "flag") in ("flag", "allow") for rule in rules)


def check(raw: Raw, reading: Reading) -> None:
    """Record every broken relation in `reading`; keys whose shape was wrong are absent and passed over."""
    tables = merged(raw)
    flags = only_flags(rule for rules in tables.values() for rule in rules.values())
    for direction, rules in tables.items():
        for label, rule in rules.items():
            path = ("labels", label) if direction == "none" else ("directions", direction, "labels", label)
            if path in reading.lines:
                _check_rule(path, rule, flags, reading)
    _check_precedence(raw, flags, reading)


def _check_rule(path: Path, rule: Raw, flags: bool, reading: Reading) -> None:
    label, where = path[-1], dotted(path)
    if label not in KNOWN_LABELS and (hint := did_you_mean(label, KNOWN_LABELS, NEAR)):
        reading.wrong(path, f"{where}: unknown label {label!r}{hint} A plug-in's own label may have any"
                            " name that is not this close to a known one")  # fmt: skip
    has_base = path[0] == "labels" or label in NEVER_REWRITTEN or ("labels", label) in reading.lines
    for key in ("threshold", "action"):
        if not has_base and (*path, key) not in reading.lines:
            reading.wrong(path, f"{where}: the key {key!r} is missing, and there is no labels.{label} to"
                                " take it from")  # fmt: skip
    threshold, margin, action = rule.get("threshold"), rule.get("margin", 0.0), rule.get("action")
    if threshold is not None and margin >= threshold:
        at = (*path, "margin") if (*path, "margin") in reading.lines else (*path, "threshold")
        reading.wrong(at, f"{where}: the margin {margin:g} is not below the threshold {threshold:g}; no"
                          " rewrite could score below their difference")  # fmt: skip
    allowed = ("block", "route", "flag") if flags else ("block", "route")
    if label in NEVER_REWRITTEN and action is not None and action not in allowed:
        reading.wrong((*path, "action"), f"{where}.action: {action!r} is not possible: such a text is never"
                      " rewritten or let through, only blocked or routed to a person (flag only in a policy"
                      " where every rule only flags)")  # fmt: skip


def _check_precedence(raw: Raw, flags: bool, reading: Reading) -> None:
    """Block and route lead, or a threat that is also an insult would be rewritten."""
    order = raw.get("precedence")
    if order and not flags and set(order[:2]) != {"block", "route"}:
        reading.wrong(("precedence",), f"precedence: block and route must be the first two, not {order[0]}"
                      f" and {order[1]}: what must be blocked is never rewritten")  # fmt: skip
