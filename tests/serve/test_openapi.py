"""The service keeps to its own description, whatever is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from starlette.testclient import TestClient

import unbarb
from serving import listening
from unbarb.serve.app import routed
from unbarb.serve.settings import Settings

NATIVE = Settings(dialects=("native",), audit=None)
schema = schemathesis.openapi.from_dict(routed(NATIVE).openapi())


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with listening(NATIVE) as found:
        yield found


@schema.parametrize()
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case, address: str) -> None:
    case.call_and_validate(base_url=address)


def test_the_verdict_described_is_the_one_published(service: TestClient) -> None:
    published = Path(unbarb.__file__).parent / "models" / "verdict.schema.json"
    expected = json.loads(published.read_text("utf-8"))
    described = service.get("/openapi.json").json()["components"]["schemas"]
    assert described["Verdict"]["properties"].keys() == expected["properties"].keys()
    finding = json.dumps(expected["$defs"]["finding"]).replace("#/$defs/l", "#/components/schemas/VerdictL")
    assert described["VerdictFinding"] == json.loads(finding)
    references = {part.split('"')[0] for part in json.dumps(described).split("#/components/schemas/")[1:]}
    assert references <= set(described)


def test_the_page_loads_nothing_from_elsewhere(service: TestClient) -> None:
    answer = service.get("/docs")
    assert answer.status_code == 200
    assert "//" not in answer.text.replace("<!doctype html>", "")
    assert "connect-src 'self'" in answer.headers["content-security-policy"]
