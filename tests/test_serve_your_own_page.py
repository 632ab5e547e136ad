"""docs/serve-your-own.md names every option of the plug-ins that run a model of one's own."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import pytest

from unbarb import plugins
from unbarb.policy import Policy

PAGE = (Path(__file__).parent.parent / "docs" / "serve-your-own.md").read_text("utf-8")
PLUGINS = (
    ("unbarb.rewriters", "seq2seq"),
    ("unbarb.rewriters", "causal"),
    ("unbarb.rewriters", "remote"),
    ("unbarb.detectors", "transformers"),
    ("unbarb.detectors", "generative"),
)


@pytest.mark.parametrize(("group", "name"), PLUGINS)
def test_every_option_is_on_the_page(group: str, name: str) -> None:
    if name == "generative":
        pytest.importorskip("peft", reason="needs the extra 'train'")
    options = list(signature(plugins.load(group, name)).parameters)
    assert len(options) >= 7
    assert [option for option in options if f"`{option}`" not in PAGE] == []


def test_its_policy_is_valid_and_names_them() -> None:
    policy = Policy.parse(re.findall(r"```yaml\n(schema: 1.*?)```", PAGE, re.DOTALL)[0])
    assert policy.rewriter.name == "seq2seq"
    assert [one.name for one in policy.detectors] == ["embedded", "lexicon", "transformers"]
