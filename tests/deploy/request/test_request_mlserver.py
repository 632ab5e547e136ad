"""The client and MLServer, in an environment of its own (`make mlserver`)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from runtimes import free_port, running

from environments import program
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.client import Client
from unbarb.deploy.request.dialects import dialect
from unbarb.deploy.request.http import Http

MODEL = Path(__file__).with_name("mlserver_model.py")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mlserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Http]:
    folder = tmp_path_factory.mktemp("mlserver")
    shutil.copy(MODEL, folder)
    port = free_port()
    model = {
        "name": "toy",
        "implementation": "mlserver_model.Toy",
        "inputs": [{"name": "words", "datatype": "BYTES", "shape": [-1]}],
    }
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = {"host": "127.0.0.1", "parallel_workers": 0, "gzip_enabled": False, **ports}
    (folder / "model-settings.json").write_text(json.dumps(model))
    (folder / "settings.json").write_text(json.dumps(settings))
    command = [program("mlserver", "mlserver"), "start", "."]
    with running(command, folder, port, lambda http: http.ask("/v2/models/toy", None, 5.0)) as http:
        yield http


def test_tensors(mlserver: Http) -> None:
    client = Client(dialect("kserve", model="toy"), mlserver)
    client.prepare()
    answer = client.ask("schön 🌍 und weiter").answer
    assert (answer.text, answer.scores) == ("schön 🌍 und weiter", {"length": 18.0})


def test_a_stream_of_tensors(mlserver: Http) -> None:
    told: list[str] = []
    client = Client(dialect("kserve", model="toy", input="words"), mlserver, stream=True)
    assert client.ask("schön 🌍 und weiter", told.append).answer.text == "schön 🌍 und weiter"
    assert told == ["schön ", "🌍 ", "und ", "weiter "]


def test_a_model_that_is_not_there(mlserver: Http) -> None:
    with pytest.raises(Failure, match="404: Model nope not found") as caught:
        Client(dialect("kserve", model="nope"), mlserver).prepare()
    assert caught.value.scope == "setup"
