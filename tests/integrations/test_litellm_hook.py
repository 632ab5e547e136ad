"""The hook inside LiteLLM's own proxy, whose pins do not fit beside ours: in an environment of its own."""

from __future__ import annotations

from pathlib import Path

from elsewhere import report_of


def test_the_hook_works_in_litellms_own_proxy(tmp_path: Path) -> None:
    said = report_of("litellm", "hook_in_litellm.py", tmp_path)
    assert said.startswith("14 passed"), said
