"""The pages of the integrations are true: their code runs, and their tables name what is there.

The code of the pages on LiteLLM and Guardrails runs where those packages are: see `elsewhere`.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
from integration_pages import PAGES, blocks
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from starlette.testclient import TestClient

from unbarb.integrations.asgi import GuardMiddleware


def test_every_integration_has_its_page() -> None:
    assert {page.stem for page in PAGES.iterdir()} == {"asgi", "langchain", "litellm", "guardrails"}


def test_the_asgi_page_names_every_argument() -> None:
    names = set(re.findall(r"^\| `(\w+)` \|", (PAGES / "asgi.md").read_text("utf-8"), re.MULTILINE))
    assert names == set(inspect.signature(GuardMiddleware).parameters) - {"app"}


def test_the_code_on_the_asgi_page_runs() -> None:
    names: dict[str, Any] = {}
    (code,) = blocks("asgi", "python")
    exec(code, names)
    client = TestClient(names["app"])

    answer = client.post("/posts", json={"title": "You are an idiot.", "comments": [{"text": "Fine."}]})
    assert answer.json() == {"answer": "Posted: You are naive."}
    refused = client.post("/posts", json={"title": "Hi.", "comments": [{"text": "I will kill you."}]})
    assert refused.status_code == 422


def test_the_code_on_the_langchain_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"model": FakeListChatModel(responses=["At 5, you idiot."])}
    code = blocks("langchain", "python")
    assert len(code) == 3
    for block in code:
        exec(block, names)
    said = capsys.readouterr().out
    assert "idiot" not in said
    assert said.count("At 5") == 2
    assert said.endswith("Let us talk about something else.\n")
