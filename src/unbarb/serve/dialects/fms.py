"""The detector API of the FMS guardrails orchestrator, which TrustyAI's detectors speak.

Source: docs/api/openapi_detector_api.yaml of https://github.com/foundation-model-stack/fms-guardrails-orchestrator.
Offsets are code points, as ours. The header ``detector-id`` is taken and not asked for, as TrustyAI does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from unbarb.policy import Policy
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect
from unbarb.serve.dialects.seen import evidence, places, reached, scores_of, withheld
from unbarb.serve.errors import ServiceError
from unbarb.serve.settings import Settings
from unbarb.text import DIRECTIONS, Direction, Finding, Verdict

HEALTH = "/health"
DETECTION_TYPE = "toxic_language"
WITHHELD = "withheld"
"""What is detected in a text that may not leave although no label is over its threshold."""

SPEAKERS: Mapping[str, Direction] = {"user": "input", "assistant": "output"}
"""Role of a message → the direction of its text; other roles have none."""


class DetectorParams(BaseModel):
    """What a caller may ask of the detector; other keys are taken and not used."""

    model_config = ConfigDict(extra="allow", strict=True)
    threshold: Annotated[
        float | None,
        Field(
            ge=0, le=1, description="Detect every label from this score on. Default: the policy's rules."
        ),
    ] = None
    policy: Annotated[str | None, Field(description="The name of a policy.")] = None


class Request(BaseModel):
    """What every request may hold besides its texts."""

    model_config = ConfigDict(extra="allow", strict=True)
    detector_params: DetectorParams | None = None

    @property
    def threshold(self) -> float | None:
        return self.detector_params.threshold if self.detector_params else None

    @property
    def policy(self) -> str | None:
        return self.detector_params.policy if self.detector_params else None


class ContentsRequest(Request):
    """Texts to analyse."""

    contents: list[str]


class GenerationRequest(Request):
    """A prompt and what a model answered; the answer is analysed."""

    prompt: str
    generated_text: str


class ChatMessage(BaseModel):
    """A message as in OpenAI's chat API; of a list of parts the texts are read."""

    model_config = ConfigDict(extra="allow", strict=True)
    role: str
    content: str | list[dict[str, Any]] | None = None


class ChatRequest(Request):
    """A conversation; every message that holds text is analysed."""

    messages: list[ChatMessage]


class Evidence(BaseModel):
    """What speaks for a detection: who found it, where and why."""

    name: str
    value: str
    score: float


class Detection(BaseModel):
    """Something detected in a text; `detection` is our label, `score` that of the whole text."""

    detection: str
    detection_type: str
    score: float
    evidence: list[Evidence]
    metadata: dict[str, Any]


class ContentDetection(Detection):
    """Something detected in a stretch of a text, ``[start, end)`` in code points."""

    start: int
    end: int
    text: str


class FmsError(BaseModel):
    """What went wrong."""

    code: int
    message: str


def envelope(error: ServiceError) -> Response:
    """The error as the specification has it; what is wrong with a request is a 422."""
    status = 422 if error.status == 400 else error.status
    return JSONResponse({"code": status, "message": error.message}, status, headers=error.headers)


def router(settings: Settings) -> APIRouter:
    """Its routes."""
    api = APIRouter(responses={"default": {"model": FmsError, "description": "What went wrong"}})
    for name, endpoint in (("contents", contents), ("generation", generation), ("chat", chat)):
        api.add_api_route(f"/api/v1/text/{name}", endpoint, methods=["POST"])
    api.add_api_route(HEALTH, health, methods=["GET"])
    return api


_Call = Annotated[Call, Depends(call_of("fms", "rewrite"))]
_DetectorId = Annotated[str | None, Header(description="Taken and not used.")]


async def contents(
    body: ContentsRequest, call: _Call, detector_id: _DetectorId = None
) -> list[list[ContentDetection]]:
    """Detect in each text; a list for each, empty where nothing is."""
    _choose(call, body)
    verdicts = await call.rewrite(body.contents)
    return [content_detections(verdict, call.policy, body.threshold) for verdict in verdicts]


async def generation(
    body: GenerationRequest, call: _Call, detector_id: _DetectorId = None
) -> list[Detection]:
    """Detect in what a model answered."""
    _choose(call, body)
    [verdict] = await call.rewrite([body.generated_text], direction="output", context=body.prompt)
    return detections(verdict, call.policy, body.threshold)


async def chat(body: ChatRequest, call: _Call, detector_id: _DetectorId = None) -> list[Detection]:
    """Detect in every message; `metadata` says in which, counted from 0."""
    _choose(call, body)
    spoken = [(number, message.role, text_of(message)) for number, message in enumerate(body.messages)]
    found: dict[int, list[Detection]] = {}
    for direction in DIRECTIONS:
        said = [one for one in spoken if one[2] and SPEAKERS.get(one[1], "none") == direction]
        verdicts = await call.rewrite([text for _, _, text in said], direction=direction)
        for (number, role, _), verdict in zip(said, verdicts, strict=True):
            where = {"message": number, "role": role}
            found[number] = detections(verdict, call.policy, body.threshold, where)
    return [one for number in sorted(found) for one in found[number]]


async def health() -> dict[str, str]:
    """Say that the service answers."""
    return {"status": "ok"}


def _choose(call: Call, body: Request) -> None:
    """Judge by the policy that the caller names."""
    if body.policy:
        call.use_policy(body.policy)


def text_of(message: ChatMessage) -> str:
    """What a message says: its content, or the texts among its parts, a line each."""
    if isinstance(message.content, str):
        return message.content
    parts = [part.get("text") for part in message.content or () if part.get("type") == "text"]
    return "\n".join(part for part in parts if isinstance(part, str))


def content_detections(verdict: Verdict, policy: Policy, threshold: float | None) -> list[ContentDetection]:
    """What was detected, where. The one with the highest score carries the rewrite.

    Raises:
        DetectorFailed: a detector failed, or none gave a score.
    """
    found = [
        ContentDetection(
            start=span.start,
            end=span.end,
            text=span.of(verdict.original),
            **_detection(label, score, findings),
        )
        for label, score in _labels(verdict, policy, threshold).items()
        for span, findings in places(evidence(verdict, label), verdict.original)
    ]
    if found:
        max(found, key=lambda one: one.score).metadata.update(rewrite(verdict))
    return sorted(found, key=lambda one: (one.start, one.end))


def detections(
    verdict: Verdict, policy: Policy, threshold: float | None, where: Mapping[str, Any] | None = None
) -> list[Detection]:
    """What was detected in the text as a whole, the highest score first; the first carries the rewrite.

    Raises:
        DetectorFailed: a detector failed, or none gave a score.
    """
    found = [
        Detection(**_detection(label, score, evidence(verdict, label)))
        for label, score in _labels(verdict, policy, threshold).items()
    ]
    found.sort(key=lambda one: -one.score)
    for rank, one in enumerate(found):
        one.metadata.update({**(where or {}), **({} if rank else rewrite(verdict))})
    return found


def rewrite(verdict: Verdict) -> dict[str, Any]:
    """What was decided and, where a rewrite passed the check, the whole text as it may leave."""
    told: dict[str, Any] = {"action": verdict.action, "rule": verdict.rule}
    if verdict.edits and verdict.text is not None:
        told |= {"rewrite": verdict.text, "similarity": verdict.meaning, "step": verdict.step}
    return told


def _labels(verdict: Verdict, policy: Policy, threshold: float | None) -> dict[str, float]:
    """The labels detected with their scores; a text that is withheld has at least one."""
    scores = scores_of(verdict)
    if threshold is not None:
        return {label: score for label, score in scores.items() if score >= threshold}
    return reached(verdict, policy) or ({WITHHELD: 1.0} if withheld(verdict) else {})


def _detection(label: str, score: float, findings: Sequence[Finding]) -> dict[str, Any]:
    told = [Evidence(name=one.source, value=one.reason, score=one.score) for one in findings]
    kind = {"detection": label, "detection_type": DETECTION_TYPE}
    return {**kind, "score": score, "evidence": told, "metadata": {}}


DIALECT = Dialect("fms", router, envelope, open=frozenset({HEALTH}))
