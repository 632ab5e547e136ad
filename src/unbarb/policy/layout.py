"""What a policy file may hold: the one description that the reader, the messages and the schema share."""

from __future__ import annotations

from typing import Any

from unbarb.policy.audit import KEPT_TEXT, ON_FAILURE, AuditRules
from unbarb.policy.plugin import Named
from unbarb.policy.record import Key, ListOf, MapOf, Record
from unbarb.policy.shape import Choice, Exactly, Number, Switch, Text, Whole
from unbarb.text import ACTIONS, LABELS

NEVER_REWRITTEN = {"threat": "block", "self_harm": "route", "sexual_minors": "block", "doxxing": "block"}
"""Labels whose texts are blocked or sent to a person, with what happens when a policy leaves them out."""

KNOWN_LABELS = (*LABELS, *(label for label in NEVER_REWRITTEN if label not in LABELS))

BUILT_IN_THRESHOLD = 0.5
"""Threshold of a never rewritten label that a policy leaves out."""

PRECEDENCE = ("block", "route", "mask", "rewrite", "flag", "allow")

EVENTS = {
    "rewrite_failure": ("mask", ("mask", "block", "route", "flag")),
    "unsupported_language": ("flag", ("flag", "block", "route", "allow")),
    "detector_error": ("block", ("block", "route", "flag", "allow")),
}
"""What else a policy decides on: the action when it says nothing, and those it may say."""

_THRESHOLD = Key(Number(0, 1, closed=False), "a score of this or more sets the rule off", required=True)
_MARGIN = Key(Number(0, 1), "a rewrite must score below threshold - margin", default=0.0)
_ACTION = Key(Choice(ACTIONS), "what happens to the text; threat, self_harm, sexual_minors and doxxing"
              " are blocked or routed, or flagged where every rule only flags", required=True)  # fmt: skip
_MESSAGE = Key(Text(), "what the user may be told when this rule decides")
_RULE = Record({"threshold": _THRESHOLD, "margin": _MARGIN, "action": _ACTION, "message": _MESSAGE})
_OVERRIDE = Record(
    {
        "threshold": Key(_THRESHOLD.shape, _THRESHOLD.about),
        "margin": Key(_MARGIN.shape, _MARGIN.about),
        "action": Key(_ACTION.shape, _ACTION.about),
        "message": _MESSAGE,
    }
)
_PLUGIN_PATTERN = r"^[A-Za-z0-9][\w.-]*$"
_LABEL_PATTERN = r"^[a-z][a-z0-9_]*$"
_LABEL_LIKE = "a label: small letters, digits and _, such as identity_attack"
_DIRECTION = Record(
    {
        "labels": Key(
            MapOf(_OVERRIDE, _LABEL_PATTERN, _LABEL_LIKE),
            "keys that differ from the label's rule above; a label without one needs threshold and action",
            required=True,
        )
    }
)
_ON = Record(
    {
        "rewrite_failure": Key(
            Choice(EVENTS["rewrite_failure"][1]), "no rewrite passed the check", default="mask"
        ),
        "unsupported_language": Key(
            Choice(EVENTS["unsupported_language"][1]),
            "the text is in none of `languages` and no rule decided more",
            default="flag",
        ),
        "detector_error": Key(
            Choice(EVENTS["detector_error"][1]), "a detector failed on the text", default="block"
        ),
    }
)

_KEPT = AuditRules()
AUDIT = Record(
    {
        "text": Key(
            Choice(KEPT_TEXT), "what the record keeps of the texts: nothing, or their encrypted form",
            default=_KEPT.text,
        ),
        "retention_days": Key(
            Whole(1, 36_500), "days after which an encrypted text is pruned", default=_KEPT.retention_days
        ),
        "on_failure": Key(
            Choice(ON_FAILURE), "a decision cannot be recorded: the request fails, or the decision is"
            " spilled to disk and recorded later", default=_KEPT.on_failure,
        ),
    }
)  # fmt: skip

POLICY = Record(
    {
        "schema": Key(Exactly(1), "version of this format", required=True),
        "name": Key(
            Text(r"^[a-z0-9][a-z0-9_.-]*$", "a name: small letters, digits, '-', '_' and '.'"),
            "the policy's name; it stands in every verdict",
            required=True,
        ),
        "description": Key(Text(), "what the policy is for"),
        "languages": Key(
            ListOf(Text(r"^[a-z]{2,3}$", "an ISO 639 code of two or three small letters"), least=1),
            "languages whose texts are decided by score",
            default=["en"],
        ),
        "detectors": Key(
            ListOf(Named(Text(_PLUGIN_PATTERN, "the name of a detector plug-in")), least=1),
            "detectors the policy is meant for: names, or {name: NAME, option: value, …}",
            default=["embedded", "lexicon"],
        ),
        "rewriter": Key(
            Named(Text(_PLUGIN_PATTERN, "the name of a rewriter plug-in")),
            "what proposes rewrites, each then verified: a name, or {name: NAME, option: value, …}",
            default="edit",
        ),
        "gate": Key(Switch(), "let the embedded model's gate settle what is clearly clean", default=True),
        "shadow": Key(Switch(), "decide and record, change nothing", default=False),
        "labels": Key(
            MapOf(_RULE, _LABEL_PATTERN, _LABEL_LIKE, least=1), "one rule a label", required=True
        ),
        "directions": Key(
            Record(
                {
                    "input": Key(_DIRECTION, "rules for texts that come in"),
                    "output": Key(_DIRECTION, "rules for texts that go out"),
                }
            ),
            "rules that differ for one direction",
        ),
        "precedence": Key(
            ListOf(Choice(ACTIONS), all_of=PRECEDENCE),
            "which action goes first when several rules fire: every action once",
            default=list(PRECEDENCE),
        ),
        "allow": Key(
            ListOf(Text(r"\w", "a phrase with a letter or digit in it")),
            "phrases in which nothing is found: whole words, any case, any white space between",
            default=[],
        ),
        "message": Key(Text(), "what the user may be told when a text is blocked or routed"),
        "on": Key(_ON, "what happens when there is no score or rewrite to go by"),
        "audit": Key(AUDIT, "how decisions are recorded, where there is a record"),
    }
)


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file, as published in ``models/policy.schema.json``.

    What it cannot say, such as a margin below its threshold, `Policy.load` checks.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:unbarb:policy:1",
        "title": "unbarb policy",
        **POLICY.schema(),
    }
