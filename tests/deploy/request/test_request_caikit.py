"""The client and Caikit's own runtime, in an environment of its own (`make caikit`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from runtimes import free_port, running

from environments import program
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.client import Client
from unbarb.deploy.request.dialects import dialect
from unbarb.deploy.request.http import Http

RUNTIME = Path(__file__).with_name("caikit_runtime.py")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def caikit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    folder, port = tmp_path_factory.mktemp("caikit"), free_port()
    command = [program("caikit", "python"), str(RUNTIME), str(folder), str(port)]
    with running(command, folder, port, lambda http: http.ask("/info/models", None, 5.0)) as http:
        yield http


def test_generation(caikit: Http) -> None:
    asked = Client(dialect("caikit", model="toy"), caikit).ask("one two three")
    assert (asked.answer.text, asked.answer.finish) == ("one two three", "stop")
    asked = Client(dialect("caikit", model="toy", max_tokens=2), caikit).ask("one two three")
    assert (asked.answer.text, asked.answer.finish) == ("one two", "length")


def test_a_stream(caikit: Http) -> None:
    told: list[str] = []
    client = Client(dialect("caikit", model="toy", max_tokens=50, stop=["###"]), caikit, stream=True)
    asked = client.ask("schön 🌍 und weiter", told.append)
    assert told == ["schön ", "🌍 ", "und ", "weiter"]
    assert (asked.answer.text, asked.answer.finish) == ("schön 🌍 und weiter", "stop")


def test_a_classification(caikit: Http) -> None:
    asked = Client(dialect("caikit", model="labels", task="classify"), caikit).ask("x" * 50)
    assert asked.answer.scores == {"insult": 0.5}


def test_what_goes_wrong(caikit: Http) -> None:
    with pytest.raises(Failure, match="'nope' not loaded; it has the models labels, toy") as caught:
        Client(dialect("caikit", model="nope"), caikit).ask("hello")
    assert caught.value.scope == "setup"
    with pytest.raises(Failure, match="the model broke") as caught:
        Client(dialect("caikit", model="toy"), caikit, stream=True).ask("one break two")
    assert caught.value.scope == "text"
    unknown = dialect("caikit", model="toy", parameters={"max_new_tokens": "many"})
    with pytest.raises(Failure, match="status 422") as caught:
        Client(unknown, caikit).ask("hello")
    assert caught.value.scope == "text"
