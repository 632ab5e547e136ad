"""docs/serve.md names every setting, metric, scope and error there is, and its requests work."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from unbarb.serve import errors
from unbarb.serve.errors import ServiceError
from unbarb.serve.keys import SCOPES
from unbarb.serve.metrics import Meters
from unbarb.serve.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text("utf-8")
CODE = set(re.findall(r"`([^`]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))


def test_every_setting_has_its_row() -> None:
    table = PAGE[PAGE.index("## Settings") :]
    named = set(re.findall(r"`(\w+)`", table))
    assert {one.name for one in fields(Settings)} <= named


def test_every_metric_has_its_row() -> None:
    families = {family.name for family in Meters().registry.collect()}
    families = {name for name in families if not name.startswith("python")}
    told = {name.removesuffix("_total") for name in CODE if name.startswith("unbarb_")}
    assert families == told


def test_every_error_and_scope_is_named() -> None:
    codes = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, ServiceError)
    }
    assert codes <= CODE
    assert set(SCOPES) <= CODE


@pytest.mark.parametrize("block", re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
def test_the_requests_on_the_page_work(service: TestClient, block: str) -> None:
    answer = service.post("/v1/rewrite", json=json.loads(block))
    assert answer.status_code == 200, answer.text
    assert "verdicts" in answer.json() or answer.json()["action"] == "rewrite"
