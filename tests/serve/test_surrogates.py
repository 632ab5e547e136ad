"""Half characters are refused at the door, in whatever field they stand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from unbarb.serve.surrogates import lone

ANY = st.text(st.characters(codec=None) | st.sampled_from("\ud83d\ude00\\ud"))


@given(st.dictionaries(ANY, ANY, max_size=4), st.booleans())
def test_half_characters_are_found_where_text_cannot_be_encoded(
    content: dict[str, str], ascii: bool
) -> None:
    try:
        body = json.dumps(content, ensure_ascii=ascii).encode()
    except UnicodeEncodeError:
        return  # not a body that anyone can send
    read = json.loads(body)
    halves = [one for text in [*read, *read.values()] for one in text if 0xD800 <= ord(one) < 0xE000]

    assert (lone(body) is not None) == bool(halves)


@pytest.mark.parametrize(
    ("body", "at"),
    [
        (rb'"\ud83d"', 1),
        (rb'"\ude00\ud83d"', 1),
        (rb'"\ud83d\ud83d\ude00"', 1),
        (rb'"ab\uD83D\u0041"', 3),
        (rb'"\\\ud83d"', 3),
        (rb'"\ud83d\ude00"', None),
        (rb'"\uD83D\uDE00 \u0041"', None),
        (rb'"\\ud83d"', None),
        (b'"\\', None),
        (b"", None),
        (b'"\xed\xa0\xbd"', 1),
        (b'"\xed\xb8\x80 \\ud83d"', 1),
        ('"\ud7ff\ue000😀"'.encode(), None),
    ],
)
def test_where_the_half_stands(body: bytes, at: int | None) -> None:
    assert lone(body) == at


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/check", rb'{"text": "hello", "id": "\ud83d"}'),
        ("/v1/check", b'{"text": "hello", "id": "\xed\xa0\xbd"}'),
        ("/v1alpha1/comments:analyze", rb'{"comment": {"text": "hello"}, "clientToken": "\ud83d"}'),
        ("/v1/moderations", rb'{"input": "\ud83d"}'),
        ("/api/v1/text/chat", rb'{"messages": [{"role": "\ud83d", "content": "hello"}]}'),
        ("/v1/models/default:predict", rb'{"instances": [{"text": "hello", "id": "\ud83d"}]}'),
    ],
)
def test_no_field_of_any_dialect_takes_half_a_character(
    service: TestClient, path: str, body: bytes
) -> None:
    answer = service.post(path, content=body, headers={"content-type": "application/json"})

    assert answer.status_code in (400, 422)
    assert f"half of a surrogate pair stands at byte {lone(body)}" in answer.text


def test_whole_characters_that_are_escaped_are_taken(service: TestClient) -> None:
    body = rb'{"comment": {"text": "hello \ud83d\ude00"}, "requestedAttributes": {"TOXICITY": {}}}'

    answer = service.post(
        "/v1alpha1/comments:analyze", content=body, headers={"content-type": "application/json"}
    )

    assert answer.json()["attributeScores"]["TOXICITY"]["spanScores"][0]["end"] == 8


def test_json_in_another_encoding_hides_no_half_character(service: TestClient) -> None:
    body = r'{"text": "hello", "id": "\ud83d"}'.encode("utf-16")

    answer = service.post("/v1/check", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 400
    assert "UTF-8" in answer.json()["detail"]
