"""The validator inside Guardrails AI, whose pins do not fit beside ours: in an environment of its own."""

from __future__ import annotations

from pathlib import Path

from elsewhere import report_of


def test_the_validator_works_in_guardrails_own_guard(tmp_path: Path) -> None:
    (tmp_path / ".guardrailsrc").write_text("enable_metrics=false\nuse_remote_inferencing=false\n")
    said = report_of("guardrails", "validator_in_guardrails.py", tmp_path)
    assert said.startswith("10 passed"), said
