"""KServe's protocols, v2 held to the OpenAPI that KServe publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from made_verdicts import verdict
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.serve.dialects.kserve import flat, in_order, outputs, texts
from unbarb.serve.dialects.kserve_binary import plain, strings
from unbarb.serve.dialects.kserve_shapes import Tensor
from unbarb.serve.errors import Invalid
from unbarb.serve.keys import Key, made, new_id, write
from unbarb.text import LABELS

SPECIFICATION = yaml.safe_load(
    (Path(__file__).parent.parent / "fixtures" / "kserve_rest_predict_v2.yaml").read_text("utf-8")
)
SCHEMAS = SPECIFICATION["components"]["schemas"]
INFER, PREDICT = "/v2/models/default/infer", "/v1/models/default:predict"
RUDE, THREAT, CLEAN = "😀 You are an idiot.", "I will kill you.", "Thank you for the talk."


def held(name: str, body: Any) -> Any:
    """`body`, when it is what the specification calls `name`."""
    reference = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    Draft202012Validator(reference).validate(body)
    return body


def tensor(*data: Any, **other: Any) -> dict[str, Any]:
    return {"name": "text", "shape": [len(data)], "datatype": "BYTES", "data": list(data), **other}


def inferred(service: TestClient, *data: str, **more: Any) -> dict[str, Any]:
    body = held("inference_request", {"id": "42", "inputs": [tensor(*data)], **more})
    answer = service.post(INFER, json=body)
    assert answer.status_code == 200, answer.text
    found = held("inference_response", answer.json())
    return {one["name"]: one for one in found["outputs"]}


def test_the_specification_is_read_and_can_refuse() -> None:
    assert len(SCHEMAS) == 13
    with pytest.raises(Exception, match="'model_name' is a required property"):
        held("inference_response", {"outputs": []})


def test_every_path_of_the_specification_is_served(service: TestClient) -> None:
    seen = 0
    for path, operations in SPECIFICATION["paths"].items():
        path = path.replace("${MODEL_NAME}", "default").replace("${MODEL_VERSION}", "1")
        for method in operations:
            if method != "parameters":
                seen += 1
                body = {"inputs": [tensor(CLEAN)]} if method == "post" else None
                assert service.request(method, path, json=body).status_code == 200, (method, path)
    assert seen == 6


# v2


def test_tensors_have_a_value_for_each_text(service: TestClient) -> None:
    found = inferred(service, RUDE, THREAT, CLEAN)

    assert list(found) == [*LABELS, "action", "text", "verdict"]
    assert {one["datatype"] for name, one in found.items() if name in LABELS} == {"FP32"}
    assert all(one["shape"] == [3] == [len(one["data"])] for one in found.values())
    assert found["toxicity"]["data"][0] > 0.5 > found["toxicity"]["data"][2]
    assert found["action"]["data"] == ["rewrite", "block", "allow"]
    rewritten, withheld, clean = found["text"]["data"]
    assert "idiot" not in rewritten
    assert (withheld, clean) == ("", CLEAN)


def test_the_verdict_is_whole(service: TestClient) -> None:
    found = inferred(service, RUDE)

    told = json.loads(found["verdict"]["data"][0])
    assert told["original"] == RUDE
    assert told["text"] == found["text"]["data"][0]
    assert told["scores"]["insult"] == found["insult"]["data"][0]


def test_only_the_outputs_that_are_wanted_come_in_their_order(service: TestClient) -> None:
    found = inferred(service, RUDE, outputs=[{"name": "action"}, {"name": "insult"}])

    assert list(found) == ["action", "insult"]


def test_an_answer_says_what_it_answers(service: TestClient) -> None:
    body = {"id": "42", "inputs": [tensor(CLEAN)]}

    answer = service.post("/v2/models/strict/versions/1/infer", json=body).json()

    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("42", "strict", "1")


def test_the_direction_is_a_parameter(service: TestClient, events: list[Event]) -> None:
    inferred(service, CLEAN, parameters={"direction": "output", "other": 1})

    assert [event.verdict and event.verdict.direction for event in events] == ["output"]


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ([], "0 inputs; give one BYTES tensor"),
        ([tensor(RUDE), tensor(RUDE)], "2 inputs; give one BYTES tensor"),
        ([tensor(1.5, datatype="FP32")], "input 'text' is FP32"),
        ([tensor(RUDE, 1)], "holds values that are no strings"),
        ([tensor(RUDE, shape=[2])], r"holds 1 texts, and its shape is \[2\]"),
        ([tensor(RUDE, shape=[-1])], r"holds 1 texts, and its shape is \[-1\]"),
    ],
)
def test_a_tensor_that_holds_no_texts_is_refused(inputs: list[dict[str, Any]], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        texts([Tensor(**one) for one in inputs])


@pytest.mark.parametrize(
    ("data", "shape"), [(["a", "b"], [2]), ([["a"], ["b"]], [2, 1]), ([["a", "b"]], [1, 2]), ([], [0])]
)
def test_data_may_be_nested_as_the_shape_says(data: list[Any], shape: list[int]) -> None:
    assert texts([Tensor(**tensor(shape=shape) | {"data": data})]) == list(flat(data))


def test_nesting_has_no_depth_that_breaks() -> None:
    deep: list[Any] = ["a"]
    for _ in range(100_000):
        deep = [deep]

    assert list(flat(deep)) == ["a"]


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        (INFER, {"inputs": []}, 400, "0 inputs"),
        (INFER, {}, 400, "inputs"),
        (INFER, {"inputs": [tensor(RUDE)], "outputs": [{"name": "rudeness"}]}, 400, "no output 'rudeness'"),
        ("/v2/models/none/infer", {"inputs": [tensor(RUDE)]}, 404, "no policy named 'none'"),
        (
            "/v2/models/default/versions/2/infer",
            {"inputs": [tensor(RUDE)]},
            404,
            "Model default has no version 2; there is 1.",
        ),
        ("/v1/models/none:predict", {"instances": [RUDE]}, 404, "no policy named 'none'"),
        (PREDICT, {"instances": RUDE}, 400, "instances"),
    ],
)
def test_errors_have_kserves_envelope(
    service: TestClient, path: str, body: dict[str, Any], status: int, told: str
) -> None:
    answer = service.post(path, json=body)

    assert answer.status_code == status
    assert told in held("inference_error_response", answer.json())["error"]


# v2 with binary tensors


def binary(*texts: str | bytes, size: int | None = None, **more: Any) -> tuple[bytes, str]:
    """A request whose texts stand behind its JSON, and the length of that."""
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    data = b"".join(len(one).to_bytes(4, "little") + one for one in raw)
    given = {"binary_data_size": len(data) if size is None else size}
    head = tensor(shape=[len(texts)], parameters=given)
    del head["data"]
    front = json.dumps({"inputs": [head], **more}).encode()
    return front + data, str(len(front))


def test_texts_may_stand_behind_the_json(service: TestClient) -> None:
    body, length = binary(RUDE, CLEAN, outputs=[{"name": "action"}])
    headers = {"inference-header-content-length": length, "content-type": "application/octet-stream"}

    answer = service.post(INFER, content=body, headers=headers)

    assert answer.json()["outputs"][0]["data"] == ["rewrite", "allow"]
    assert service.get("/v2").json()["extensions"] == ["binary_tensor_data"]


@given(st.lists(st.text()))
def test_binary_texts_are_the_texts(texts: list[str]) -> None:
    assert plain(*binary(*texts))["inputs"][0]["data"] == texts


@pytest.mark.parametrize(
    ("body", "length", "told"),
    [
        (b"{}", "x", "inference-header-content-length is 'x'"),
        (b"{}", "3", "at most 2"),
        (b"{}", "2", "the first 2 bytes are no inference request"),
        (b"[1] ", "3", "the first 3 bytes are no inference request"),
        (*binary(RUDE, size=1000), "binary_data_size is 1000"),
        (*binary(RUDE, size=True), "binary_data_size is True"),
        (*binary(RUDE, size=0), "bytes belong to no tensor"),
        (*binary(b"\xff"), "the string at byte 0 is not UTF-8"),
        (*binary(RUDE, id="\ud83d"), "half of a surrogate pair"),
    ],
)
def test_bytes_that_are_not_as_the_extension_says_are_refused(body: bytes, length: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        plain(body, length)


def test_a_string_that_goes_over_the_end_is_refused() -> None:
    with pytest.raises(Invalid, match="a string of 9 bytes at byte 5 goes over the end"):
        list(strings(b"\1\0\0\0a" + b"\x09\0\0\0ab"))


def test_metadata_is_what_comes(service: TestClient) -> None:
    assert held("metadata_server_response", service.get("/v2").json())["extensions"] == [
        "binary_tensor_data"
    ]
    model = held("metadata_model_response", service.get("/v2/models/default").json())

    found = inferred(service, CLEAN)
    assert [(one["name"], one["datatype"]) for one in model["outputs"]] == [
        (name, one["datatype"]) for name, one in found.items()
    ]
    assert model["versions"] == ["1"]


def test_a_server_that_drains_is_alive_and_not_ready(service: TestClient) -> None:
    ours = service.app.state.service  # type: ignore[attr-defined]
    assert service.get("/v2/health/ready").json() == {"ready": True}
    ours.draining = True
    try:
        assert service.get("/v2/health/live").json() == {"live": True}
        answer = service.get("/v2/health/ready")
    finally:
        ours.draining = False

    assert answer.status_code == 503
    assert "draining" in answer.json()["error"]


# v1


def test_predictions_are_verdicts_in_order(service: TestClient, events: list[Event]) -> None:
    instances = [RUDE, {"text": CLEAN, "id": "mine", "context": "before"}]

    found = service.post(PREDICT, json={"instances": instances}).json()["predictions"]

    assert [one["action"] for one in found] == ["rewrite", "allow"]
    assert [one["id"] for one in found] == [None, "mine"]
    assert [event.surface for event in events] == ["kserve", "kserve"]


def test_models_are_policies(service: TestClient) -> None:
    names = service.get("/v2/models").json()["models"]

    assert {"default", "strict", "lenient", "moderation"} <= set(names)
    assert service.get("/v1/models/strict").json() == {"name": "strict", "ready": True}
    assert service.get("/v1/models/none").status_code == 404


def test_a_key_sees_and_uses_its_own_policies_alone(serve: Any, tmp_path: Path) -> None:
    key, token = made(Key(id=new_id(), name="a gateway", policies=("strict",)))
    write(tmp_path / "keys.json", [key])
    client = serve(dialects=("kserve",), policy="strict", keys=tmp_path / "keys.json")
    client.headers["authorization"] = f"Bearer {token}"

    assert client.get("/v2/models").json() == {"models": ["strict"]}
    refused = client.post(INFER, json={"inputs": [tensor(CLEAN)]})
    assert refused.status_code == 403
    assert "may not use the policy 'default'" in refused.json()["error"]


def test_probes_need_no_key(serve: Any, tmp_path: Path) -> None:
    write(tmp_path / "keys.json", [])
    client = serve(dialects=("kserve",), keys=tmp_path / "keys.json")

    answers = [client.get(path) for path in ("/", "/v2/health/live", "/v2/health/ready")]
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert client.get("/v2/models").status_code == 401


# Translation


def test_a_label_that_one_text_has_no_score_for_is_no_tensor() -> None:
    both = [verdict(scores={"self_harm": 0.2}), verdict()]

    assert "self_harm" not in [one.name for one in outputs(both, None)]
    assert "self_harm" in [one.name for one in outputs(both[:1], None)]


def test_labels_come_in_an_order_that_does_not_change() -> None:
    assert in_order({"zeal", "threat", "doxxing", "toxicity"}) == ("toxicity", "threat", "doxxing", "zeal")
