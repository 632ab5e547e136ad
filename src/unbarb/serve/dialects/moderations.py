"""OpenAI's moderation endpoint, ``POST /v1/moderations``.

Source: OpenAI's API reference, https://platform.openai.com/docs/api-reference/moderations. All thirteen
categories are answered; one that nothing here scores is false and 0, has no applied input types, and is
named in ``unscored_categories``, a field of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from unbarb.policy import Policy
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect
from unbarb.serve.dialects.openai_error import envelope
from unbarb.serve.dialects.seen import in_short, reached, scores_of, withheld
from unbarb.serve.errors import Invalid
from unbarb.serve.settings import Settings
from unbarb.text import Verdict

CATEGORIES = (
    "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent",
    "self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "sexual/minors",
    "violence", "violence/graphic",
)  # fmt: skip
"""The thirteen categories, in OpenAI's order."""

ANY_OF: Mapping[str, tuple[str, ...]] = {
    "harassment": ("insult", "toxicity", "severe_toxicity"),
    "harassment/threatening": ("threat",),
    "hate": ("identity_attack",),
    "self-harm": ("self_harm",),
    "sexual/minors": ("sexual_minors",),
    "violence": ("threat",),
}
"""Category → the labels that stand for it: its score is their highest, it is true when one is reached."""

ALL_OF: Mapping[str, tuple[str, ...]] = {"hate/threatening": ("identity_attack", "threat")}
"""Category → labels that stand for it only together: its score is their lowest."""

OPENAIS = ("omni-moderation", "text-moderation")
"""How OpenAI's own model names begin; they stand for the caller's usual policy."""


class Part(BaseModel):
    """A part of an input that is made of text and images."""

    model_config = ConfigDict(extra="allow")
    type: str
    text: str | None = None


class ModerationRequest(BaseModel):
    """What is to be judged."""

    model_config = ConfigDict(extra="allow")
    input: Annotated[
        str | list[str] | list[Part],
        Field(
            description="A text, several texts, or the parts of one; parts that are no text are refused."
        ),
    ]
    model: Annotated[
        str | None, Field(description="The name of a policy; OpenAI's names stand for the usual one.")
    ] = None


class ModerationResult(BaseModel):
    """What was found in one text. `flagged`: a category is true, or the policy withholds the text."""

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text"]]]
    unscored_categories: Annotated[list[str], Field(description="False and 0 because nothing scores them.")]
    unbarb: Annotated[dict[str, Any], Field(description="What was decided, by which rule, and our scores.")]


class ModerationResponse(BaseModel):
    """One result for each text, in order; `model` is the policy."""

    id: str
    model: str
    results: list[ModerationResult]


class OpenaiErrorDetails(BaseModel):
    """What went wrong, in words and for programs."""

    message: str
    type: str
    param: str | None
    code: str


class OpenaiError(BaseModel):
    """What went wrong."""

    error: OpenaiErrorDetails


def router(settings: Settings) -> APIRouter:
    """Its one route."""
    api = APIRouter(responses={"default": {"model": OpenaiError, "description": "What went wrong"}})
    api.add_api_route("/v1/moderations", moderate, methods=["POST"])
    return api


async def moderate(
    body: ModerationRequest, call: Annotated[Call, Depends(call_of("moderations"))]
) -> ModerationResponse:
    """Say which categories a text, or each of several, falls in."""
    given = texts(body.input)
    if body.model and not body.model.startswith(OPENAIS):
        call.use_policy(body.model)
    verdicts = await call.check(given)
    return ModerationResponse(
        id=f"modr-{call.request_id}",
        model=call.policy.name,
        results=[result(verdict, call.policy) for verdict in verdicts],
    )


def texts(given: str | Sequence[str] | Sequence[Part]) -> list[str]:
    """The texts to judge; parts are one text, a line each.

    Raises:
        Invalid: there is none, or a part is not text.
    """
    if isinstance(given, str):
        return [given]
    if not given:
        raise Invalid("'input' is empty; give a string, a list of strings, or a list of text parts")
    lines = [one for one in given if isinstance(one, str)]
    if lines:
        return lines
    parts = [one for one in given if isinstance(one, Part)]
    for number, part in enumerate(parts):
        if part.type != "text" or part.text is None:
            raise Invalid(f"input[{number}] is of type {part.type!r}; only text is judged here")
    return ["\n".join(part.text or "" for part in parts)]


def result(verdict: Verdict, policy: Policy) -> ModerationResult:
    """A verdict in OpenAI's categories.

    Raises:
        DetectorFailed: a detector failed, or none gave a score.
    """
    scores, over = scores_of(verdict), reached(verdict, policy)
    found: dict[str, float] = {}
    true = set()
    for category, labels in ANY_OF.items():
        if known := [scores[label] for label in labels if label in scores]:
            found[category] = max(known)
            true |= {category} if any(label in over for label in labels) else set()
    for category, labels in ALL_OF.items():
        if all(label in scores for label in labels):
            found[category] = min(scores[label] for label in labels)
            true |= {category} if all(label in over for label in labels) else set()
    return ModerationResult(
        flagged=bool(true) or withheld(verdict),
        categories={category: category in true for category in CATEGORIES},
        category_scores={category: found.get(category, 0.0) for category in CATEGORIES},
        category_applied_input_types={
            category: ["text"] if category in found else [] for category in CATEGORIES
        },
        unscored_categories=[category for category in CATEGORIES if category not in found],
        unbarb=in_short(verdict),
    )


DIALECT = Dialect("moderations", router, envelope)
