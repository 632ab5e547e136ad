"""A set is pushed over HTTP, by the hub's own client, to what plays the hub here."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from unbarb.data.prepared import Prepared, write_prepared
from unbarb.data.publish import card, reach
from unbarb.errors import ConfigError, InputError

pytest.importorskip("huggingface_hub")

TOKEN = "hf_" + "x" * 34
ROWS = {"train": [{"id": "a-1", "source": "what crap", "target": "a pity", "corpus": "a"}]}
ABOUT = {
    "sources": [{"name": "a", "rows": 1, "licence": "CC0 1.0", "url": "https://a.org"}],
    "drops": {"empty": 2},
}


class FakeHub(ThreadingHTTPServer):
    """Answers what a push asks, and keeps what was committed: path → bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.committed: dict[str, bytes] = {}
        self.created: list[dict] = []
        self.full = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: FakeHub

    def do_GET(self) -> None:
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            self.say({"error": "Invalid token"}, 401)
        else:
            self.say({"name": "me", "type": "user", "orgs": [{"name": "team", "roleInOrg": "write"}]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/repos/create"):
            self.server.created.append(json.loads(body))
            self.say({"url": f"{self.server.address}/datasets/team/pairs", "id": "1"})
        elif "/preupload/" in self.path:
            files = [{"path": file["path"], "uploadMode": "regular"} for file in json.loads(body)["files"]]
            self.say({"files": [{**file, "shouldIgnore": False} for file in files]})
        elif "/commit/" in self.path and self.server.full:
            self.say({"error": "no space left"}, 507)
        elif "/commit/" in self.path:
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.server.committed[entry["value"]["path"]] = base64.b64decode(
                        entry["value"]["content"]
                    )
            self.say({"commitUrl": f"{self.server.address}/c/1", "commitOid": "1" * 40, "success": True})
        else:
            self.say({"errors": [], "warnings": []})

    def say(self, answer: dict, status: int = 200) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    server = FakeHub()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def prepared(tmp_path: Path) -> Prepared:
    return write_prepared(tmp_path / "set", "pairs", ROWS, ABOUT)


def test_all_files_and_a_card_go_in_one_commit(hub: FakeHub, prepared: Prepared) -> None:
    address = reach("team/pairs").push(prepared, "team/pairs")
    assert address == f"{hub.address}/datasets/team/pairs"
    assert set(hub.committed) == {"train.jsonl", "dev.jsonl", "test.jsonl", "manifest.json", "README.md"}
    assert hub.committed["train.jsonl"] == (prepared.folder / "train.jsonl").read_bytes()
    assert hub.created[0]["type"] == "dataset"
    made = hub.created[0]  # how it is said differs between versions of the client
    assert made.get("visibility") == "private" or made.get("private") is True


def test_the_card_is_read_by_load_dataset_and_names_licences(prepared: Prepared) -> None:
    _, head, page = card(prepared, "team/pairs").split("---\n", 2)
    (configuration,) = yaml.safe_load(head)["configs"]
    assert configuration["data_files"] == [{"split": "train", "path": "train.jsonl"}]
    assert "a: 1 rows, CC0 1.0, https://a.org" in page
    assert prepared.digest in page
    assert "2 empty" in page


def test_a_token_that_is_refused_or_of_others_stops_before_any_work(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="the token is of me and may write to me, team"):
        reach("others/pairs")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(ConfigError, match="refused the token; make one that may write"):
        reach("team/pairs")
    assert hub.created == []


def test_no_token_says_how_to_get_one(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=r"no token for .* run `hf auth login`, or set HF_TOKEN"):
        reach("team/pairs")


def test_a_hub_that_does_not_answer_stops_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(InputError, match=r"cannot be reached .* push later"):
        reach("team/pairs")


def test_a_hub_that_refuses_the_files_is_told(hub: FakeHub, prepared: Prepared) -> None:
    hub.full = True
    with pytest.raises(InputError, match=f"{hub.address} did not take team/pairs: .*507"):
        reach("team/pairs").push(prepared, "team/pairs")


@pytest.mark.parametrize("name", ["pairs", "team/", "a/b/c", "https://hub/a/b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="a repository is org/name"):
        reach(name)
