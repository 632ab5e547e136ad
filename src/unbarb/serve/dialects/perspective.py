"""Perspective's API: ``comments:analyze``, ``comments:suggestscore`` and the discovery document.

Source: the discovery document of commentanalyzer v1alpha1, and "Limits and errors" of its documentation,
whose error texts and error types clients go by. The scores are those of our labels, not Perspective's: see
docs/dialects.md for how to move a threshold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from unbarb.segment import language
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect, bearer
from unbarb.serve.dialects.perspective_discovery import VERSION, document
from unbarb.serve.dialects.perspective_shapes import (
    AnalyzeCommentRequest,
    AnalyzeCommentResponse,
    AttributeParameters,
    AttributeScores,
    Context,
    GoogleError,
    Score,
    SpanScore,
    SuggestCommentScoreRequest,
    SuggestCommentScoreResponse,
    TextEntry,
)
from unbarb.serve.dialects.seen import evidence, places, scores_of
from unbarb.serve.errors import Invalid, ServiceError
from unbarb.serve.settings import Settings
from unbarb.text import Verdict

LABEL_OF = {
    "TOXICITY": "toxicity",
    "SEVERE_TOXICITY": "severe_toxicity",
    "IDENTITY_ATTACK": "identity_attack",
    "INSULT": "insult",
    "PROFANITY": "obscene",
    "THREAT": "threat",
}
"""Attribute → label: Perspective's production attributes in English, and what scores them here."""

_EXPERIMENTAL = """
    TOXICITY SEVERE_TOXICITY IDENTITY_ATTACK INSULT PROFANITY THREAT
    AFFINITY COMPASSION CONSTRUCTIVE CURIOSITY NUANCE PERSONAL_STORY REASONING RESPECT
    ALIENATION FEARMONGERING GENERALIZATION MORAL_OUTRAGE POWER_APPEAL SCAPEGOATING
"""
_OTHERS = """
    SEXUALLY_EXPLICIT FLIRTATION ATTACK_ON_AUTHOR ATTACK_ON_COMMENTER ATTACK_ON_PUBLISHER INCOHERENT
    INFLAMMATORY LIKELY_TO_REJECT OBSCENE OFF_TOPIC SPAM UNSUBSTANTIAL
"""
UNSUPPORTED = frozenset(_OTHERS.split()) | {f"{name}_EXPERIMENTAL" for name in _EXPERIMENTAL.split()}
"""Attributes of Perspective's that nothing here scores; asking for one is an error that says so."""

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
_PROBABILITY = (None, "PROBABILITY", "SCORE_TYPE_UNSPECIFIED")
_PLAIN = (None, "PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED")


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


def comment(entry: TextEntry | None) -> str:
    """The text of a comment or of a part of its context.

    Raises:
        Invalid: there is none, or it is not plain text.
    """
    if entry is None or not (entry.text or "").strip():
        raise Invalid("Comment must be non-empty.", code="COMMENT_EMPTY")
    return plain(entry)


def plain(entry: TextEntry) -> str:
    """The text of an entry.

    Raises:
        Invalid: it is not plain text.
    """
    if entry.type == "HTML":
        raise Invalid("Currently, only 'PLAIN_TEXT' comments are supported")
    if entry.type not in _PLAIN:
        raise Invalid("Unknown text type")
    return entry.text or ""


def context(given: Context | None) -> str | None:
    """What the comment answers to, oldest first, as one text.

    Raises:
        Invalid: it is given in both ways, or is not plain text.
    """
    if given is None:
        return None
    around, entries = given.article_and_parent_comment, given.entries or []
    if around is not None:
        if entries:
            raise Invalid(
                "Context can have either entries or article_and_parent_comment,"
                " but both fields were populated."
            )
        entries = [entry for entry in (around.article, around.parent_comment) if entry is not None]
    return "\n\n".join(filter(None, map(plain, entries))) or None


def requested(given: Mapping[str, AttributeParameters] | None) -> Mapping[str, AttributeParameters]:
    """The attributes asked for.

    Raises:
        Invalid: none, one that is not scored here, or a score that is no probability.
    """
    if not given:
        raise Invalid("Missing requested_attributes", code="NO_REQUESTED_ATTRIBUTES")
    for name, parameters in given.items():
        known(name)
        if parameters.score_type not in _PROBABILITY:
            raise Invalid(
                f"Requested score type {parameters.score_type} is not supported by attribute {name}"
            )
    return given


def known(attribute: str) -> None:
    """Say whether an attribute is scored here.

    Raises:
        Invalid: it is not Perspective's, or is and nothing here scores it.
    """
    if attribute in UNSUPPORTED:
        scored = ", ".join(LABEL_OF)
        raise Invalid(f"Attribute {attribute} is not scored by this server; it scores {scored}")
    if attribute not in LABEL_OF:
        raise Invalid(f"Unknown requested attribute: {attribute}")


def known_language(
    text: str, attribute: str, given: Sequence[str], detected: str, covered: Sequence[str]
) -> None:
    """Say whether the comment's language is covered: those given, or else the one detected.

    A text with letters whose language cannot be said (slang, a single word) is scored all the same.

    Raises:
        Invalid: it is not, or nothing in the text tells.
    """
    if not given and detected == "und":
        if not any(map(str.isalpha, text)):
            raise Invalid("Unable to detect language", code="LANGUAGE_DETECTION_FAILED")
        return
    foreign = [code for code in given or [detected] if code.lower().partition("-")[0] not in covered]
    if foreign:
        detail = {"requestedLanguages": list(given)} if given else {"detectedLanguages": [detected]}
        raise Invalid(
            f"Attribute {attribute} does not support request languages: {', '.join(foreign)}",
            code="LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
            problems=[{"attribute": attribute, **detail}],
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
    scores, text = scores_of(verdict), verdict.original
    found: dict[str, AttributeScores] = {}
    for name, parameters in asked.items():
        label = LABEL_OF[name]
        if label not in scores:
            raise Invalid(f"Attribute {name} is not scored by the policy {verdict.policy['name']!r}")
        score = Score(value=scores[label], type="PROBABILITY")
        if parameters.score_threshold is not None and scores[label] < parameters.score_threshold:
            continue
        parts = places(evidence(verdict, label) if spans else (), text)
        units = Utf16(text)
        found[name] = AttributeScores(
            span_scores=[
                SpanScore(begin=units.of(part.start), end=units.of(part.end), score=score) for part in parts
            ],
            summary_score=score,
        )
    return found


def suggested(given: Mapping[str, AttributeScores] | None) -> dict[str, float]:
    """Attribute → the score that a person suggests for the whole comment, or the highest of its spans.

    Raises:
        Invalid: there is none, or one that is no probability.
    """
    if not given:
        raise Invalid("Missing attribute_scores")
    found: dict[str, float] = {}
    for name, scores in given.items():
        known(name)
        parts = [part.score for part in scores.span_scores or ()]
        given_scores = [scores.summary_score] if scores.summary_score else parts
        values = [score.value for score in given_scores if score is not None and score.value is not None]
        if not values:
            raise Invalid(f"Attribute {name} is given without a score")
        if wrong := [value for value in values if not 0 <= value <= 1]:
            raise Invalid(f"Attribute {name}: {wrong[0]:g} is not a probability from 0 to 1")
        found[name] = max(values)
    return found


class Utf16:
    """Places of a text counted in UTF-16 code units, as Perspective counts; ours are code points."""

    def __init__(self, text: str) -> None:
        self._astral = [at for at, character in enumerate(text) if ord(character) > 0xFFFF]

    def of(self, at: int) -> int:
        """Code units before the code point `at`."""
        return at + bisect_left(self._astral, at)


DIALECT = Dialect("perspective", router, envelope, key, frozenset(DISCOVERY))
