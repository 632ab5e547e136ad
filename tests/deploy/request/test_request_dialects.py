"""Each dialect as its specification has it: what is asked, and what is read of answers and events."""

from __future__ import annotations

from typing import Any

import pytest

from unbarb.deploy.request.answer import Answer, Piece
from unbarb.deploy.request.dialects import KINDS, dialect
from unbarb.deploy.request.kserve import inputs
from unbarb.errors import ConfigError

MORE = {"parameters": {"temperature": 0.5}, "max_tokens": 9, "stop": ["###"]}


@pytest.mark.parametrize(
    ("name", "task", "stream", "path", "body"),
    [
        ("openai", "chat", True, "/chat/completions",
         {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9, "stop": ["###"],
          "stream": True, "temperature": 0.5}),
        ("openai", "completion", False, "/completions",
         {"model": "m", "prompt": "hi", "max_tokens": 9, "stop": ["###"], "temperature": 0.5}),
        ("caikit", "generate", False, "/api/v1/task/text-generation",
         {"model_id": "m", "inputs": "hi",
          "parameters": {"max_new_tokens": 9, "stop_sequences": ["###"], "temperature": 0.5}}),
        ("caikit", "generate", True, "/api/v1/task/server-streaming-text-generation",
         {"model_id": "m", "inputs": "hi",
          "parameters": {"max_new_tokens": 9, "stop_sequences": ["###"], "temperature": 0.5}}),
        ("caikit", "classify", False, "/api/v1/task/text-classification",
         {"model_id": "m", "inputs": "hi", "parameters": {"temperature": 0.5}}),
        ("kserve", "infer", False, "/v2/models/m/infer",
         {"inputs": [{"name": "input-0", "shape": [1], "datatype": "BYTES", "data": ["hi"]}],
          "parameters": {"temperature": 0.5}}),
        ("kserve", "generate", True, "/v2/models/m/generate_stream",
         {"text_input": "hi", "parameters": {"max_tokens": 9, "stop": ["###"], "temperature": 0.5}}),
    ],
)  # fmt: skip
def test_what_is_asked(name: str, task: str, stream: bool, path: str, body: dict[str, Any]) -> None:
    spoken = dialect(name, model="m", task=task, **MORE)
    assert spoken.path(stream=stream) == path
    assert spoken.body("hi", stream=stream) == body


def tensor(name: str, datatype: str, *data: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": list(data)}


@pytest.mark.parametrize(
    ("name", "task", "reply", "answer"),
    [
        ("openai", "chat", {"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]},
         Answer("x", "filtered")),
        ("openai", "chat", {"choices": [{"message": {"content": None}, "finish_reason": "tool_calls"}]},
         Answer("", "tool_calls")),
        ("openai", "completion", {"choices": [{"text": "x", "finish_reason": "length"}]},
         Answer("x", "length")),
        ("caikit", "generate", {"generated_text": "x", "finish_reason": "TOKEN_LIMIT"},
         Answer("x", "length")),
        ("caikit", "generate", {"generated_text": "x", "finish_reason": "EOS_TOKEN"}, Answer("x", "stop")),
        ("caikit", "classify", {"results": [{"label": "insult", "score": 0.5}]},
         Answer(None, scores={"insult": 0.5})),
        ("kserve", "generate", {"text_output": "x", "model_name": "m"}, Answer("x")),
        ("kserve", "infer", {"outputs": [tensor("text", "BYTES", "x"), tensor("action", "BYTES", "allow"),
                                         tensor("toxicity", "FP32", 0.25)]},
         Answer("x", scores={"toxicity": 0.25}, strings={"action": "allow"})),
        ("kserve", "infer", {"outputs": [tensor("said", "BYTES", "x")]}, Answer("x")),
        ("kserve", "infer", {"outputs": [tensor("logits", "FP32", [0.25, 1])]},
         Answer(None, scores={"logits[0]": 0.25, "logits[1]": 1.0})),
    ],
)  # fmt: skip
def test_what_is_read(name: str, task: str, reply: dict[str, Any], answer: Answer) -> None:
    assert dialect(name, model="m", task=task).answer(reply) == answer


def caikit(text: str | None, finish: str | None) -> dict[str, Any]:
    return {"generated_text": text, "tokens": [], "details": finish and {"finish_reason": finish}}


@pytest.mark.parametrize(
    ("name", "task", "event", "piece"),
    [
        ("openai", "chat", {"choices": [{"delta": {"role": "user"}, "finish_reason": None}]}, Piece("")),
        ("openai", "chat", {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]},
         Piece("x", "stop", True)),
        ("openai", "chat", {"choices": [], "usage": {"total_tokens": 3}}, Piece("")),
        ("openai", "completion", {"choices": [{"text": "x", "finish_reason": None}]}, Piece("x")),
        ("caikit", "generate", caikit("x", "NOT_FINISHED"), Piece("x")),
        ("caikit", "generate", caikit(None, "STOP_SEQUENCE"), Piece("", "stop", True)),
        ("caikit", "generate", caikit("x", None), Piece("x", None, True)),
        ("kserve", "infer", {"outputs": [tensor("said", "BYTES", "x")]}, Piece("x", None, True)),
        ("kserve", "generate", {"text_output": "x", "done": False}, Piece("x")),
        ("kserve", "generate", {"text_output": "x", "done": True}, Piece("x", None, True)),
        ("kserve", "generate", {"text_output": "x"}, Piece("x", None, True)),
    ],
)  # fmt: skip
def test_what_an_event_adds(name: str, task: str, event: dict[str, Any], piece: Piece) -> None:
    spoken = dialect(name, model="m", task=task)
    assert spoken.piece(event) == piece
    assert spoken.fault(event) is None


@pytest.mark.parametrize(
    ("name", "event", "fault"),
    [
        ("openai", {"error": {"message": "overloaded", "code": 503}}, ("overloaded", 503)),
        ("openai", {"error": "no"}, ("no", None)),
        ("caikit", {"details": "too long", "code": 400, "id": "1"}, ("too long", 400)),
        ("kserve", {"error": "no memory"}, ("no memory", None)),
    ],
)
def test_an_event_that_tells_of_an_error(
    name: str, event: dict[str, Any], fault: tuple[str, int | None]
) -> None:
    assert dialect(name, model="m", task=list(KINDS[name])[-1]).fault(event) == fault


@pytest.mark.parametrize(
    ("name", "task"), [(name, task) for name, tasks in KINDS.items() for task in tasks]
)
@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"choices": []},
        {"choices": [{"message": {"content": 7}}]},
        {"choices": [{"text": []}]},
        {"generated_text": 7},
        {"generated_text": "x", "finish_reason": "ERROR"},
        {"results": [{"label": "x"}]},
        {"results": 7},
        {"outputs": []},
        {"outputs": [{"name": "x"}]},
        {"outputs": [tensor("x", "BYTES", None)]},
        {"text_output": None},
    ],
)
def test_what_is_not_of_the_dialect_is_refused(name: str, task: str, reply: dict[str, Any]) -> None:
    spoken = dialect(name, model="m", task=task)
    with pytest.raises(ValueError, match=r"\w"):
        spoken.answer(reply)


def test_a_named_tensor_must_be_there() -> None:
    spoken = dialect("kserve", model="a model/1", task="infer", output="said")
    assert spoken.path(stream=False) == "/v2/models/a%20model%2F1/infer"
    with pytest.raises(ValueError, match="no BYTES output 'said'; there are text"):
        spoken.answer({"outputs": [tensor("text", "BYTES", "x")]})


def test_the_input_is_the_one_that_takes_text() -> None:
    assert inputs({"inputs": [{"name": "q", "datatype": "BYTES", "shape": [-1]}]}) == "q"
    assert inputs({"inputs": []}) == inputs({}) == "input-0"
    with pytest.raises(ConfigError, match=r"takes ids \(INT64\), mask \(INT64\)"):
        inputs({"inputs": [{"name": "ids", "datatype": "INT64"}, {"name": "mask", "datatype": "INT64"}]})


def test_wrong_names_are_told_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match="openai, caikit, kserve"):
        dialect("tgis", model="m")
    with pytest.raises(ConfigError) as caught:
        dialect("caikit", model="", task="infer", input="x")
    assert len(str(caught.value).splitlines()) == 3
    with pytest.raises(ConfigError, match="stream"):
        dialect("caikit", model="m", task="classify").path(stream=True)
