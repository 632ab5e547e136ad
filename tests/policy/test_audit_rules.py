"""The policy's `audit` section: read, told in words, and not in the digest where it is left out."""

from __future__ import annotations

import json

import jsonschema
import pytest

from unbarb.errors import ConfigError
from unbarb.policy import PRESETS, AuditRules, Policy, policy_schema

HEAD = "schema: 1\nname: example\nlabels: {insult: {threshold: 0.5, action: flag}}\n"


def told(policy: Policy) -> str:
    return "\n".join(policy.report(["insult"]).sentences)


@pytest.mark.parametrize("name", PRESETS)
def test_nothing_is_kept_and_nothing_leaves_unrecorded_unless_a_policy_says_so(name: str) -> None:
    policy = Policy.load(name)
    assert policy.audit == AuditRules("none", 30, "fail")
    assert "audit" not in policy.to_dict()
    assert "the texts themselves are not kept" in told(policy)
    assert "A request whose decision cannot be recorded fails." in told(policy)


def test_what_it_says_is_taken_and_told() -> None:
    policy = Policy.parse(HEAD + "audit: {text: encrypted, retention_days: 7, on_failure: spill}\n")
    assert policy.audit == AuditRules("encrypted", 7, "spill")
    assert "the texts are kept encrypted for 7 days." in told(policy)
    assert "spilled to disk and recorded later" in told(policy)
    assert Policy.parse(json.dumps(policy.to_dict())).digest == policy.digest
    jsonschema.Draft202012Validator(policy_schema()).validate(policy.to_dict())


def test_defaults_are_filled_in_so_that_the_same_rules_have_the_same_digest() -> None:
    short = Policy.parse(HEAD + "audit: {text: encrypted}\n")
    long = Policy.parse(HEAD + "audit: {on_failure: fail, text: encrypted, retention_days: 30}\n")
    assert short.digest == long.digest
    assert short.digest != Policy.parse(HEAD).digest
    assert "for 30 days." in told(short)
    assert "for 1 day." in told(Policy.parse(HEAD + "audit: {text: encrypted, retention_days: 1}\n"))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{text: plain}", "audit.text: 'plain' is none of none, encrypted"),
        ("{text: encryptd}", "did you mean 'encrypted'?"),
        ("{retention_days: 0}", "'0' is not a whole number from 1 to 36500"),
        ("{retention_days: 1.5}", "'1.5' is not a whole number"),
        ("{retention_days: 0x1F}", "'0x1F' is not a whole number"),
        ("{retention_days: forever}", "'forever' is not a whole number"),
        ("{on_failure: ignore}", "audit.on_failure: 'ignore' is none of fail, spill"),
        ("{keep: all}", "unknown key 'keep' in audit"),
        ("yes", "audit: 'yes' is not a mapping"),
    ],
)
def test_what_is_wrong_is_told_at_its_line(section: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.parse(HEAD + f"audit: {section}\n", "p.yaml")
    assert str(caught.value).startswith("p.yaml:4: ")
    assert said in str(caught.value)
