"""The dialects of others keep to what our description says of them, whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from serving import listening
from unbarb.serve.app import routed
from unbarb.serve.settings import Settings

schemathesis = pytest.importorskip("schemathesis", reason="needs the extra 'dev'")
OTHERS = Settings(dialects=("perspective", "moderations", "fms", "kserve"), audit=None)
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

REFUSALS = checks.positive_data_acceptance
"""Each of these APIs refuses some requests in words of its own that a schema does not."""

schema = schemathesis.openapi.from_dict(routed(OTHERS).openapi())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(OTHERS) as found:
        yield found


@schema.parametrize()
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case, address: str) -> None:
    case.call_and_validate(base_url=address, excluded_checks=[REFUSALS])
