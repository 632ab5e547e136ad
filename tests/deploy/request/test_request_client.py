"""The client and a server on this machine: what is sent, what is taken, and all that goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import pytest

from model_endpoint import Endpoint, Reply, bytewise, says, streams
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.client import Client
from unbarb.prompt import built_in

Make = Callable[..., Client]
SAID = 'schön 🌍, "wörtlich"\nund weiter'


def at_random(data: bytes) -> Iterable[bytes]:
    random, at = Random(7), 0
    while at < len(data):
        end = at + random.randint(1, 23)
        yield data[at:end]
        at = end


def parts(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


def chat(text: str = SAID) -> list[Any]:
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": None}]}
        for part in parts(text)
    ]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return [*chunks, end, {"choices": [], "usage": {"total_tokens": 9}}, b"data: [DONE]\n\n"]


def caikit(text: str = SAID) -> list[Any]:
    going = {"finish_reason": "NOT_FINISHED", "generated_tokens": 1}
    chunks = [{"generated_text": part, "tokens": [], "details": going} for part in parts(text)]
    return [b": ping\r\n\r\n", *chunks, {"generated_text": "", "details": {"finish_reason": "EOS_TOKEN"}}]


def kserve(text: str = SAID) -> list[Any]:
    chunks = [{"text_output": part, "model_name": "toy", "done": False} for part in parts(text)]
    return [*chunks, {"text_output": "", "model_name": "toy", "done": True}]


def triton(text: str = SAID) -> list[Any]:
    return [{"text_output": part, "model_name": "toy", "model_version": "1"} for part in parts(text)]


STREAMS = {"openai": chat, "caikit": caikit, "kserve": kserve, "triton": triton}


def streaming(client: Make, kind: str, **more: Any) -> Client:
    name = {"triton": "kserve"}.get(kind, kind)
    return client(name, stream=True, task="generate" if name == "kserve" else None, **more)


def test_what_is_sent_and_what_is_taken(endpoint: Endpoint, client: Make) -> None:
    endpoint.then(says({"generated_text": " fine. ### And more", "finish_reason": "EOS_TOKEN"}))
    asked = client(key="sesame", template=built_in("detoxify")).ask("hello")
    assert (asked.answer.text, asked.answer.finish, asked.tries) == ("fine.", "stop", 1)
    (seen,) = endpoint.seen
    assert (seen.method, seen.path) == ("POST", "/api/v1/task/text-generation")
    assert seen.headers["authorization"] == "Bearer sesame"
    assert seen.body == {"model_id": "toy", "inputs": "### Detoxify:\nhello\n\n### detoxified:\n"}


@pytest.mark.parametrize("cut", [bytewise, at_random], ids=["bytewise", "at_random"])
@pytest.mark.parametrize("kind", STREAMS)
def test_a_stream_says_the_same_wherever_its_bytes_are_cut(
    endpoint: Endpoint, client: Make, kind: str, cut: Callable[[bytes], Iterable[bytes]]
) -> None:
    endpoint.then(streams(STREAMS[kind](), cut))
    told: list[str] = []
    asked = streaming(client, kind).ask("hello", told.append)
    assert asked.answer.text == "".join(told) == SAID
    assert asked.answer.finish == (None if kind in ("kserve", "triton") else "stop")
    assert asked.first is not None
    assert asked.first <= asked.seconds


def test_a_character_cut_in_two_events_is_whole_again(endpoint: Endpoint, client: Make) -> None:
    halves = [
        rb'data: {"text_output": "a \ud83c"}' + b"\n\n",
        rb'data: {"text_output": "\udf0d"}' + b"\n\n",
    ]
    endpoint.then(streams([*halves, rb'data: {"text_output": "\ud83c"}' + b"\n\n"]))
    told: list[str] = []
    assert streaming(client, "triton").ask("hello", told.append).answer.text == "a 🌍\ufffd"
    assert "".join(told) == "a 🌍"


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("drops", [True, False], ids=["drops", "just ends"])
def test_a_stream_that_breaks_off_is_asked_for_again_until_it_has_been_told(
    endpoint: Endpoint, client: Make, kind: str, drops: bool
) -> None:
    if kind == "triton" and not drops:
        pytest.skip("Triton's streams have no other end than this")
    whole = STREAMS[kind]()
    half = streams(whole[: len(whole) // 2], drops=drops)
    endpoint.then(half, half, streams(whole))
    asked = streaming(client, kind).ask("hello")
    assert (asked.answer.text, asked.tries) == (SAID, 3)
    endpoint.then(half, streams(whole))
    told: list[str] = []
    with pytest.raises(Failure, match=r"broke off|no answer \(RemoteProtocolError"):
        streaming(client, kind).ask("hello", told.append)
    assert len(endpoint.seen) == 1
    assert SAID.startswith("".join(told))


@pytest.mark.parametrize(
    ("event", "tries", "scope"),
    [
        ({"details": "ValueError('too long')", "code": 400, "id": "1"}, 1, "text"),
        ({"details": "busy", "code": 503, "id": "1"}, 3, "endpoint"),
    ],
)
def test_an_error_inside_a_stream(
    endpoint: Endpoint, client: Make, event: dict[str, Any], tries: int, scope: str
) -> None:
    endpoint.then(streams([*caikit()[:3], b"event: error\n", event]))
    with pytest.raises(Failure, match="ended in an error: ") as caught:
        streaming(client, "caikit").ask("hello")
    assert caught.value.scope == scope
    assert len(endpoint.seen) == tries


@pytest.mark.parametrize(
    "busy", [says(b"", 503), says(b"", 429), says({"details": "no"}, 500), Reply([b"{"], drops=True)]
)
def test_a_busy_endpoint_is_asked_again(endpoint: Endpoint, client: Make, busy: Reply) -> None:
    endpoint.then(busy, busy, says({"generated_text": "fine"}))
    asked = client().ask("hello")
    assert (asked.answer.text, asked.tries) == ("fine", 3)


class Pauses(threading.Event):
    """Counts the seconds that are waited for, and waits none."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return self.is_set()


def test_pauses_are_those_that_are_asked_for_or_grow(
    endpoint: Endpoint, client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = client(retries=4, timeout=100.0)
    monkeypatch.setattr("unbarb.deploy.request.client.FIRST_PAUSE", 1.0)
    monkeypatch.setattr(made, "_stopped", pauses := Pauses())
    busy = says(b"", 503)
    endpoint.then(busy, says(b"", 429, retry_after="7"), busy, busy, says({"generated_text": "fine"}))
    assert made.ask("hello").tries == 5
    first, asked_for, third, fourth = pauses.seconds
    assert 0.5 <= first <= 1.0
    assert asked_for == 7
    assert 2.0 <= third <= 4.0
    assert 4.0 <= fourth <= 8.0


def test_what_would_take_longer_than_there_is_time_is_not_waited_for(
    endpoint: Endpoint, client: Make
) -> None:
    endpoint.then(says({"error": "later"}, 503, retry_after="3600"))
    with pytest.raises(Failure, match="status 503: later; it asks to be left alone for 3600 s") as caught:
        client("kserve", timeout=5.0).ask("hello")
    assert caught.value.scope == "endpoint"
    assert len(endpoint.seen) == 1


def test_a_client_that_is_stopped_tries_nothing_again(endpoint: Endpoint, client: Make) -> None:
    endpoint.then(says(b"", 503, retry_after="3"))
    made = client()
    made.stop()
    with pytest.raises(Failure, match="status 503"):
        made.ask("hello")
    assert len(endpoint.seen) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (says(b"<html>"), "cannot be read: Expecting value"),
        (says(b""), "cannot be read"),
        (says(b"[]"), "JSON list, not an object"),
        (says(b'{"generated_text": "a", "generated_text": "b"}'), "given twice"),
        (says(b"\xff\xfe"), "cannot be read"),
        (says(b'{"generated_text": 7}'), "no generated_text"),
        (says({"text": "x"}), "not an answer of this dialect: no generated_text"),
        (Reply([b"not packed at all"], headers={"content-encoding": "gzip"}), "cannot be unpacked"),
    ],
)
def test_what_is_no_answer_is_not_asked_for_again(
    endpoint: Endpoint, client: Make, reply: Reply, said: str
) -> None:
    endpoint.then(reply)
    with pytest.raises(Failure, match=said) as caught:
        client().ask("hello")
    assert caught.value.scope == "endpoint"
    assert len(endpoint.seen) == 1


def test_an_endpoint_that_does_not_stream_says_so(endpoint: Endpoint, client: Make) -> None:
    endpoint.then(says({"generated_text": "x"}))
    with pytest.raises(Failure, match="application/json, not a stream of events") as caught:
        streaming(client, "caikit").ask("hello")
    assert caught.value.scope == "setup"


@pytest.mark.parametrize(
    ("name", "path", "listed"),
    [
        ("openai", "/models", {"data": [{"id": "one"}, {"id": "two"}]}),
        ("caikit", "/info/models", {"models": [{"name": "one"}, {"name": "two"}]}),
        ("kserve", "/v2/models", {"models": ["one", "two"]}),
    ],
)
def test_a_wrong_model_is_told_with_those_there_are(
    endpoint: Endpoint, client: Make, name: str, path: str, listed: dict[str, Any]
) -> None:
    endpoint.answer = lambda seen, _: says(listed) if seen.path == path else says({"error": "no such"}, 404)
    with pytest.raises(Failure, match="404: no such; it has the models one, two") as caught:
        client(name, model="nope").ask("hello")
    assert caught.value.scope == "setup"


@pytest.mark.parametrize(
    ("status", "scope"), [(401, "setup"), (403, "setup"), (400, "text"), (422, "text")]
)
def test_what_a_refusal_means_for_the_next_text(
    endpoint: Endpoint, client: Make, status: int, scope: str
) -> None:
    endpoint.then(says({"details": "no"}, status))
    with pytest.raises(Failure, match=f"status {status}: no") as caught:
        client().ask("hello")
    assert caught.value.scope == scope
    assert len(endpoint.seen) == 1


def test_a_redirect_gets_no_key(endpoint: Endpoint, client: Make) -> None:
    endpoint.then(says(b"", 307, location=f"{endpoint.url}/elsewhere"))
    with pytest.raises(Failure, match="status 307"):
        client(key="sesame").ask("hello")
    assert [seen.path for seen in endpoint.seen] == ["/api/v1/task/text-generation"]


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_that_never_ends_is_left_in_time(endpoint: Endpoint, client: Make, stream: bool) -> None:
    begun = streams(caikit()[:4], stays=True) if stream else Reply([b'{"generated_text"'], stays=True)
    endpoint.then(begun)
    with pytest.raises(Failure, match="no answer in time") as caught:
        client(stream=stream, timeout=0.3, retries=0).ask("hello")
    assert caught.value.scope == "endpoint"


def test_an_answer_without_measure_is_refused(
    endpoint: Endpoint, client: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unbarb.deploy.request.http.LARGEST", 1000)
    endpoint.then(says({"generated_text": "x" * 1000}))
    with pytest.raises(Failure, match="more than 1,000 bytes") as caught:
        client().ask("hello")
    assert caught.value.scope == "text"


def test_nobody_there(client: Make) -> None:
    with pytest.raises(Failure, match=r"no answer \(ConnectError: .*; tried 2 times") as caught:
        client(url="http://127.0.0.1:9", retries=1).ask("hello")
    assert caught.value.scope == "endpoint"


def test_a_model_of_tensors_is_asked_what_its_input_is_called(endpoint: Endpoint, client: Make) -> None:
    told = {"name": "toy", "inputs": [{"name": "words", "datatype": "BYTES", "shape": [-1]}]}
    answer = {"outputs": [{"name": "said", "datatype": "BYTES", "shape": [1], "data": ["fine"]}]}
    endpoint.then(says({"error": "not ready"}, 503), says(told), says(answer))
    made = client("kserve")
    made.prepare()
    assert made.ask("hello").answer.text == "fine"
    assert [seen.method for seen in endpoint.seen] == ["GET", "GET", "POST"]
    assert endpoint.seen[2].body["inputs"][0]["name"] == "words"
    endpoint.then(says({"detail": "Not Found"}, 404))
    with pytest.raises(Failure, match=r"404: Not Found; .* name the input \(--input-tensor\)"):
        client("kserve").prepare()


def test_a_score_that_is_no_number_is_no_answer(endpoint: Endpoint, client: Make) -> None:
    endpoint.then(says(b'{"results": [{"label": "insult", "score": NaN}]}'))
    with pytest.raises(Failure, match="a score that is no number"):
        client(task="classify").ask("hello")
