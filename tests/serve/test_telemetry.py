"""Figures and traces: what is told of a request, and that no text, user or key is."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.testclient import TestClient

from serving import Kept
from unbarb import Guard
from unbarb.serve.errors import Overloaded
from unbarb.serve.keys import Key, made, write
from unbarb.serve.metrics import Meters
from unbarb.serve.streams import MeasuredStream
from unbarb.serve.telemetry import Names, Tracing
from unbarb.stream import Piece, judge

SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
SECRET = "you are an idiot, Marvin Quuxley"


def figures(page: str) -> dict[str, float]:
    """``name{labels}`` → value; the labels in the page's order."""
    return {
        f"{name}{{{labels}}}" if labels else name: float(value)
        for name, labels, value in SAMPLE.findall(page)
    }


def test_figures_tell_what_was_done_and_nothing_of_the_texts(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key, token = made(Key(id="0123456789ab", name="marvin", scopes=("rewrite", "check")))
    write(path, [key])
    client: TestClient = serve(keys=path, open_metrics=True)
    headers = {"authorization": f"Bearer {token}"}
    client.post("/v1/rewrite", json={"text": SECRET}, headers=headers)
    client.post("/v1/rewrite/stream", json={"text": "We met. " + SECRET + ". Bye."}, headers=headers)
    client.post("/v1/check", json={"texts": [SECRET, "hello"], "direction": "input"}, headers=headers)
    client.post("/v1/check", json={"text": 7}, headers=headers)
    page = client.get("/metrics").text
    found = figures(page)
    assert found['unbarb_verdicts_total{action="rewrite",direction="input",surface="native"}'] == 1.0
    assert found['unbarb_verdicts_total{action="allow",direction="input",surface="native"}'] == 1.0
    assert found['unbarb_labels_total{label="insult",surface="native"}'] >= 1.0
    assert found['unbarb_request_seconds_count{status="200",surface="native"}'] == 3.0
    assert found['unbarb_request_seconds_count{status="422",surface="native"}'] == 1.0
    for name in ("detect", "rewrite", "verify", "hold_back"):
        assert found[f"unbarb_{name}_seconds_count"] >= 1.0
        assert found[f"unbarb_{name}_seconds_sum"] > 0.0
    assert found['unbarb_queue_seconds_count{lane="check"}'] == 1.0
    assert found['unbarb_queue_depth{lane="check"}'] == 0.0
    assert found["unbarb_requests_in_flight"] == 1.0, "the one that asks"
    for secret in ("marvin", "idiot", "Quuxley", token, key.id):
        assert secret not in page


def test_logs_hold_no_text(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    client: TestClient = serve(kept)

    def fails(guard: Any, items: Any, direction: Any) -> Any:
        raise RuntimeError(SECRET)

    client.app.state.service.lanes["check"]._work = fails  # type: ignore[attr-defined]
    with caplog.at_level("DEBUG"):
        assert client.post("/v1/check", json={"text": SECRET}).status_code == 503
    assert SECRET not in caplog.text
    page = client.get("/metrics").text
    assert 'unbarb_failures_total{code="detector_failed",surface="native"} 1.0' in page


def test_a_detector_that_fails_blocks_and_is_counted(tmp_path: Path) -> None:
    class Broken:
        name, labels, digest = "broken", frozenset({"toxicity"}), "sha256:0"

        def detect(self, texts: Any, *, context: Any = None) -> Any:
            raise RuntimeError("cannot")

    guard = Guard(detectors=[Broken()], rewriter=None)
    verdicts = guard.check_batch(["hello"])
    meters = Meters()
    meters.decided("native", verdicts, guard.policy)
    page = meters.page().decode()
    assert verdicts[0].action == "block"
    assert "unbarb_detector_failures_total 1.0" in page


def test_a_stream_tells_what_it_held_back(tiny_guard: Guard) -> None:
    meters = Meters()

    async def judged(pieces: Any) -> list[Any]:
        given: list[Piece] = list(pieces)
        return judge(tiny_guard, given)

    async def streamed() -> str:
        stream = MeasuredStream(judged, meters, id="s")
        left = [await stream.feed(chunk) for chunk in ("One. ", "Two", ". And", " three")]
        return "".join([*left, await stream.close()])

    assert asyncio.run(streamed()) == "One. Two. And three"
    found = figures(meters.page().decode())
    pieces = found["unbarb_hold_back_seconds_count"]
    assert pieces >= 1
    assert found["unbarb_hold_back_characters_sum"] == len("One. Two. And three")


def test_a_span_tells_the_decision_and_not_the_text() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracing = Tracing(provider.get_tracer("test"))
    guard = Guard(rewriter=None)
    with tracing.guarding("native", "r1") as span:
        span.decided([guard.check("hello"), guard.check(SECRET)])
    with pytest.raises(Overloaded), tracing.guarding("native", "r2"):
        raise Overloaded(SECRET)
    good, failed = kept.get_finished_spans()
    assert good.attributes[Names.ACTION] == "rewrite"
    assert good.attributes[Names.POLICY] == "default"
    assert good.attributes[Names.REQUEST] == "r1"
    scores = {
        event.attributes[Names.EVALUATION_NAME]: event.attributes[Names.SCORE] for event in good.events
    }
    assert {event.name for event in good.events} == {"gen_ai.evaluation.result"}
    assert scores["insult"] > 0.5
    assert failed.attributes[Names.ERROR] == "Overloaded"
    for one in (good, failed):
        assert "idiot" not in one.to_json()


def test_without_a_tracer_nothing_is_traced() -> None:
    with Tracing().guarding("native", "r") as span:
        span.decided([Guard(rewriter=None).check("hello")])


def test_names_of_conventions_stand_in_one_place_only() -> None:
    import unbarb.serve

    folder = Path(unbarb.serve.__file__).parent
    holders = [path.name for path in folder.rglob("*.py") if "gen_ai" in path.read_text("utf-8")]
    assert holders == ["telemetry.py"]
