"""Perspective's API: ``comments:analyze``, ``comments:suggestscore`` and the discovery document.

Source: the discovery document of commentanalyzer v1alpha1, and the documentation of its errors, by whose
texts and types clients go. The scores are those of our labels, not Perspective's: docs/dialects.md says how
to move a threshold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from unbarb.language import language
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect, bearer
from unbarb.serve.dialects.perspective_checks import (
    LABEL_OF,
    comment,
    context,
    known_language,
    requested,
    suggested,
)
from unbarb.serve.dialects.perspective_discovery import VERSION, document
from unbarb.serve.dialects.perspective_shapes import (
    AnalyzeCommentRequest,
    AnalyzeCommentResponse,
    AttributeParameters,
    AttributeScores,
    GoogleError,
    Score,
    SpanScore,
    SuggestCommentScoreRequest,
    SuggestCommentScoreResponse,
)
from unbarb.serve.dialects.seen import evidence, places, scores_of
from unbarb.serve.errors import Invalid, ServiceError
from unbarb.serve.settings import Settings
from unbarb.text import Verdict

DISCOVERY = ("/$discovery/rest", f"/discovery/v1/apis/commentanalyzer/{VERSION}/rest")
"""Where the discovery document lies: where the API itself had it, and where Google's directory has it."""

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def envelope(error: ServiceError) -> Response:
    """The error as Google's services say it; what is wrong with a request is a 400 with an `errorType`."""
    status = 400 if error.status in (413, 422) else error.status
    content: dict[str, Any] = {
        "code": status,
        "message": "Comment text too long." if error.status == 413 else error.message,
        "status": _STATUS.get(status, "UNKNOWN"),
    }
    if status == 400:
        kind = "COMMENT_TOO_LONG" if error.status == 413 else error.code
        detail: dict[str, Any] = {
            "@type": f"type.googleapis.com/google.commentanalyzer.{VERSION}.Error",
            "errorType": kind if kind.isupper() else "INVALID_REQUEST",
        }
        if kind == "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE":
            detail["languageNotSupportedByAttributeError"] = dict(error.problems[0])
        content["details"] = [detail]
    if error.status == 422:
        fields = [{"field": one["place"], "description": one["what"]} for one in error.problems]
        bad = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": fields}
        content["details"].append(bad)
    return JSONResponse({"error": content}, status, headers=error.headers)


def key(request: HTTPConnection) -> str | None:
    """The key in ``?key=``, in Google's own header, or where others put it."""
    return request.query_params.get("key") or request.headers.get("x-goog-api-key") or bearer(request)


def router(settings: Settings) -> APIRouter:
    """Its routes; the discovery document also where Google's directory of APIs has it."""
    api = APIRouter(responses={"default": {"model": GoogleError, "description": "What went wrong"}})
    for name, endpoint in (("analyze", analyze), ("suggestscore", suggest)):
        path = f"/{VERSION}/comments:{name}"
        api.add_api_route(path, endpoint, methods=["POST"], response_model_exclude_none=True)
    for path in DISCOVERY:
        api.add_api_route(path, discovery, methods=["GET"], include_in_schema=False)
    return api


async def discovery(request: Request) -> JSONResponse:
    """The discovery document, with the address under which the caller reached us."""
    return JSONResponse(document(str(request.base_url)))


async def analyze(
    body: AnalyzeCommentRequest, call: Annotated[Call, Depends(call_of("perspective"))]
) -> AnalyzeCommentResponse:
    """Score a comment."""
    text = comment(body.comment)
    asked = requested(body.requested_attributes)
    before = context(body.context)
    detected = language(text)
    covered = (await call.prepare()).languages
    known_language(text, next(iter(asked)), body.languages or (), detected, covered)
    store = not body.do_not_store
    [verdict] = await call.check([text], context=[before], store_text=store)
    found = attribute_scores(verdict, asked, spans=bool(body.span_annotations))
    return AnalyzeCommentResponse(
        attribute_scores=found or None,
        languages=body.languages or None,
        detected_languages=[detected],
        client_token=body.client_token,
    )


async def suggest(
    body: SuggestCommentScoreRequest, call: Annotated[Call, Depends(call_of("perspective"))]
) -> SuggestCommentScoreResponse:
    """Take down what a person says the scores of a comment should be."""
    text = comment(body.comment)
    context(body.context)
    await call.check([text], details={"suggested": suggested(body.attribute_scores)})
    return SuggestCommentScoreResponse(
        requested_languages=body.languages or None,
        detected_languages=[language(text)],
        client_token=body.client_token,
    )


def attribute_scores(
    verdict: Verdict, asked: Mapping[str, AttributeParameters], *, spans: bool
) -> dict[str, AttributeScores]:
    """The scores asked for, those under their threshold left out.

    Without `spans` one span covers the whole comment. With them there is one for each place that speaks for
    the attribute; each has the comment's own score, since a word's is on another scale.

    Raises:
        Invalid: no detector of the policy scores the attribute.
        DetectorFailed: a detector failed, or none gave a score.
    """
    scores, units = scores_of(verdict), Utf16(verdict.original)
    found: dict[str, AttributeScores] = {}
    for name, parameters in asked.items():
        label = LABEL_OF[name]
        if label not in scores:
            raise Invalid(f"Attribute {name} is not scored by the policy {verdict.policy['name']!r}")
        if parameters.score_threshold is not None and scores[label] < parameters.score_threshold:
            continue
        score = Score(value=scores[label], type="PROBABILITY")
        parts = places(evidence(verdict, label) if spans else (), verdict.original)
        found[name] = AttributeScores(
            span_scores=[
                SpanScore(begin=units.of(part.start), end=units.of(part.end), score=score)
                for part, _ in parts
            ],
            summary_score=score,
        )
    return found


class Utf16:
    """Places of a text counted in UTF-16 code units, as Perspective counts; ours are code points."""

    def __init__(self, text: str) -> None:
        self._astral = [at for at, character in enumerate(text) if ord(character) > 0xFFFF]

    def of(self, at: int) -> int:
        """Code units before the code point `at`."""
        return at + bisect_left(self._astral, at)


DIALECT = Dialect("perspective", router, envelope, key, frozenset(DISCOVERY))
