"""Guardrails AI's own Guard with the validator in it; test_guardrails runs this elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from guardrails import AsyncGuard
from guardrails import Guard as Guardrails
from guardrails.errors import ValidationError
from guardrails.validator_base import validators_registry
from integration_pages import blocks

from unbarb.errors import ConfigError
from unbarb.guard import Guard
from unbarb.integrations.guardrails import Civil

RUDE = "You are an idiot."
CALM = "You are naive."
THREAT = "I will kill you tonight."
TOLD = "This message was withheld because of what it says."


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(threads=1)


def test_a_fix_is_the_verified_rewrite(guard: Guard) -> None:
    outcome = Guardrails().use(Civil(guard, on_fail="fix")).validate(RUDE)
    assert outcome.validation_passed
    assert outcome.validated_output == CALM


def test_what_is_clean_passes_as_it_is(guard: Guard) -> None:
    outcome = Guardrails().use(Civil(guard, on_fail="exception")).validate("See you at 5. 🌍")
    assert outcome.validated_output == "See you at 5. 🌍"


def test_a_threat_fixed_is_the_policys_words(guard: Guard) -> None:
    outcome = Guardrails().use(Civil(guard, on_fail="fix")).validate(THREAT)
    assert outcome.validated_output == TOLD


def test_an_exception_says_why_and_not_what(guard: Guard) -> None:
    with pytest.raises(ValidationError, match="insult") as caught:
        Guardrails().use(Civil(guard, on_fail="exception")).validate(RUDE)
    assert "idiot" not in str(caught.value)


def test_spans_are_code_points_of_the_text(guard: Guard) -> None:
    text = f"🌍 {RUDE}"
    result = Civil(guard).validate(text, {})
    assert "idiot" in "".join(text[span.start : span.end] for span in result.error_spans)
    assert {span.reason for span in result.error_spans} <= set(guard.panel.labels)
    assert result.metadata["action"] == "rewrite"


def test_a_stream_is_fixed_sentence_by_sentence(guard: Guard) -> None:
    def model(*given: Any, **options: Any) -> Iterator[str]:
        yield from ["Good day. You are", " an idiot", ". See you", " at 5. Bye."]

    chunks = Guardrails().use(Civil(guard, on_fail="fix"))(
        model, stream=True, messages=[{"role": "user", "content": "Hi."}]
    )
    said = "".join(chunk.validated_output or "" for chunk in chunks)
    assert "idiot" not in said
    assert "See you at 5." in said


def test_asynchronously_too(guard: Guard) -> None:
    async def validated() -> Any:
        return await AsyncGuard().use(Civil(guard, on_fail="fix")).validate(RUDE)

    assert asyncio.run(validated()).validated_output == CALM


def test_it_is_registered_and_decisions_are_recorded(guard: Guard, tmp_path: Path) -> None:
    assert validators_registry["unbarb/civil"] is Civil
    events: list[Any] = []

    class Record:
        append = staticmethod(events.extend)
        spill = None

    Guardrails().use(Civil(guard, direction="input", audit=Record(), on_fail="noop")).validate(RUDE)
    assert [(one.surface, one.verdict.direction, one.verdict.action) for one in events] == [
        ("guardrails", "input", "rewrite")
    ]


def test_a_guard_that_only_checks_is_refused(guard: Guard) -> None:
    with pytest.raises(ConfigError, match="only checks"):
        Civil(Guard(guard.policy, detectors=guard.panel.members, rewriter=None))


def test_the_code_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("guardrails", "python")
    exec(code, {})
    assert capsys.readouterr().out == "You are wrong. See you at 5.\n"
