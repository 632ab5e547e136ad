"""The dialects of others keep to what our description says of them, whatever is sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from serving import listening
from unbarb.serve.app import routed
from unbarb.serve.dialects import DIALECTS
from unbarb.serve.settings import Settings

OTHERS = Settings(dialects=tuple(name for name in DIALECTS if name != "native"), audit=None)

REFUSALS = positive_data_acceptance
"""Each of these APIs refuses some requests in words of its own that a schema does not; and without an
upstream a chat is a 404, whatever it says."""

schema = schemathesis.openapi.from_dict(routed(OTHERS).openapi())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(OTHERS) as found:
        yield found


@schema.parametrize()
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case, address: str) -> None:
    case.call_and_validate(base_url=address, excluded_checks=[REFUSALS])
