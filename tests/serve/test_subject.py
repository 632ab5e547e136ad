"""Whom texts are of is said in a header and reaches the record, on every surface."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from unbarb.audit import Event

TEXT = "you are an idiot"
REQUESTS = {
    "native": ("/v1/check", {"text": TEXT}),
    "stream": ("/v1/rewrite/stream", {"chunks": [TEXT + ". ", "See you."]}),
    "moderations": ("/v1/moderations", {"input": TEXT}),
    "perspective": (
        "/v1alpha1/comments:analyze",
        {"comment": {"text": TEXT}, "requestedAttributes": {"TOXICITY": {}}, "languages": ["en"]},
    ),
    "fms": ("/api/v1/text/contents", {"contents": [TEXT], "detector_params": {}}),
}


@pytest.mark.parametrize("surface", REQUESTS)
def test_the_subject_of_the_header_is_the_events(
    service: TestClient, events: list[Event], surface: str
) -> None:
    path, body = REQUESTS[surface]
    for subject in ("4711", None):
        events.clear()
        headers = {} if subject is None else {"unbarb-subject": subject}
        answer = service.post(path, json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        assert events
        assert {event.subject for event in events if event.kind == "decision"} == {subject}
