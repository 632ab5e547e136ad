"""The manifests' own commands, run: the record is migrated, the service starts, every probe is answered."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from small_kubelet import Pod, Running

from postgres import Postgres
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.deploy.manifests.references import at
from unbarb.deploy.manifests.wanted import Wanted
from unbarb.deploy.manifests.written import Written, written
from unbarb.serve.keys import Key, made, new_id, write

IMAGE = "registry.example/unbarb:0.1.0"
RUDE = "you are an idiot"
SOONER = {"--drain-delay=5": "--drain-delay=0"}
"""So that no test waits while endpoints would forget its pod."""
ENDED = (0, -signal.SIGTERM)
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

Secrets = dict[tuple[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture
def token_and_keys(tmp_path: Path) -> tuple[str, str]:
    """A key, and the file that knows it."""
    key, token = made(Key(id=new_id(), name="test", scopes=("check", "rewrite", "proxy")))
    write(tmp_path / "keys.json", [key])
    return token, (tmp_path / "keys.json").read_text()


def of_kind(found: Written, kind: str) -> dict[str, Any]:
    [document] = [one for one in found.documents if one.kind == kind]
    return dict(document.content)


def objects(found: Written, **secrets: dict[str, str]) -> Secrets:
    """The ConfigMaps that are written, and Secrets as they are made by hand."""
    maps = {
        ("ConfigMap", one.name): dict(one.content["data"])
        for one in found.documents
        if one.kind == "ConfigMap"
    }
    return maps | {("Secret", name.replace("_", "-")): content for name, content in secrets.items()}


def answers(running: Running, token: str, path: str, body: dict[str, Any]) -> Any:
    running.wait()
    assert {probe: running.probe(probe) for probe in PROBES} == dict.fromkeys(PROBES, 200)
    assert httpx2.post(f"{running.address}{path}", json=body).status_code == 401, "a key is asked for"
    reply = httpx2.post(f"{running.address}{path}", json=body, headers={"authorization": f"Bearer {token}"})
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_the_service_starts_as_its_deployment_says(
    tmp_path: Path, postgres: Postgres, token_and_keys: tuple[str, str]
) -> None:
    token, keys = token_and_keys
    found = written(Wanted(kind="service", name="clean", image=IMAGE))
    spec = at(of_kind(found, "Deployment"), ("spec", "template", "spec"))
    Keyring.create(tmp_path / "audit-keys.json")
    (tmp_path / "pod").mkdir()
    url = postgres.database()
    pod = Pod(
        spec,
        tmp_path / "pod",
        objects(
            found,
            clean_keys={"keys.json": keys},
            clean_audit={"audit-keys.json": (tmp_path / "audit-keys.json").read_text()},
            clean_database={"password": "not asked for here"},
        ),
        SOONER | {"postgresql://unbarb@clean-postgresql:5432/unbarb": url},
    )
    [migrate], [container] = spec["initContainers"], spec["containers"]
    done = [pod.run(migrate) for _ in range(2)]
    assert [one.returncode for one in done] == [0, 0], done[-1].stderr
    assert "at migration" in done[0].stdout
    running = pod.start(container)
    try:
        verdict = answers(running, token, "/v1/rewrite", {"text": RUDE})
        assert (verdict["action"], verdict["policy"]["name"]) == ("rewrite", "clean")
    finally:
        assert running.stop() in ENDED
    with AuditLog.open(url, keys=tmp_path / "audit-keys.json", create=False) as record:
        assert record.checkpoint().sequence >= 1


def test_the_predictor_answers_to_the_name_of_its_service(
    tmp_path: Path, token_and_keys: tuple[str, str]
) -> None:
    token, keys = token_and_keys
    found = written(Wanted(kind="unbarb", name="polite", image=IMAGE, policy="strict"))
    spec = of_kind(found, "ServingRuntime")["spec"]
    (tmp_path / "pod").mkdir()
    pod = Pod(spec, tmp_path / "pod", objects(found, polite_keys={"keys.json": keys}), SOONER)
    running = pod.start(spec["containers"][0])
    try:
        said = answers(running, token, "/v1/models/polite:predict", {"instances": [RUDE]})
        assert said["predictions"][0]["action"] == "rewrite"
        body = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [RUDE]}]}
        said = answers(running, token, "/v2/models/polite/infer", body)
        assert said["model_name"] == "polite"
    finally:
        assert running.stop() in ENDED


def test_the_transformer_starts_with_the_arguments_that_kserve_adds(
    tmp_path: Path, token_and_keys: tuple[str, str]
) -> None:
    token, keys = token_and_keys
    asked = Wanted(kind="transformer", name="chat", model="s3://models/base", unbarb_image=IMAGE)
    found = written(asked)
    spec = of_kind(found, "InferenceService")["spec"]["transformer"]
    (tmp_path / "pod").mkdir()
    nowhere = SOONER | {"http://chat-predictor/v1": "http://127.0.0.1:9/v1"}
    pod = Pod(spec, tmp_path / "pod", objects(found, chat_keys={"keys.json": keys}), nowhere)
    [container] = spec["containers"]
    added = ["--model_name", "chat", "--predictor_host", "chat-predictor.trust", "--http_port", "8080"]
    running = pod.start(container, added)
    try:
        said = answers(running, token, "/v1/models/chat:predict", {"instances": [RUDE]})
        assert said["predictions"][0]["text"] != RUDE
        # Chats go to the predictor, and nobody is there: that is told, and nothing passes unguarded.
        chat = {"model": "chat", "messages": [{"role": "user", "content": "hello"}]}
        reply = httpx2.post(
            f"{running.address}/v1/chat/completions", json=chat,
            headers={"authorization": f"Bearer {token}"}, timeout=60,
        )  # fmt: skip
        assert (reply.status_code, reply.json()["error"]["code"]) == (502, "upstream_unreachable")
    finally:
        assert running.stop() in ENDED
