"""The proxy without an upstream and the guardrail for LiteLLM answer whatever comes as described."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from serving import listening
from unbarb.serve.app import routed
from unbarb.serve.settings import Settings

schemathesis = pytest.importorskip("schemathesis", reason="needs the extra 'dev'")
OURS = Settings(dialects=("chat", "litellm"), audit=None)
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

REFUSALS = checks.positive_data_acceptance
"""Without an upstream a chat is a 404, whatever it says."""

schema = schemathesis.openapi.from_dict(routed(OURS).openapi())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(OURS) as found:
        yield found


@schema.parametrize()
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case, address: str) -> None:
    case.call_and_validate(base_url=address, excluded_checks=[REFUSALS])
