"""OpenAI's moderation endpoint, ``POST /v1/moderations``.

Source: OpenAI's API reference, https://platform.openai.com/docs/api-reference/moderations. All thirteen
categories are answered; one that nothing here scores is false and 0, has no applied input types, and is
named in ``unscored_categories``, a field of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

from unbarb.policy import Policy
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect
from unbarb.serve.dialects.openai_error import OpenaiError, envelope
from unbarb.serve.dialects.seen import in_short, reached, scores_of, withheld
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


def _only_text(kind: Any) -> Any:
    if kind != "text":
        raise PydanticCustomError("only_text", "only text is judged here; leave out images and the like")
    return kind


class Part(BaseModel):
    """A part of one input."""

    model_config = ConfigDict(extra="allow", strict=True)
    type: Annotated[Literal["text"], BeforeValidator(_only_text)]
    text: str


def _form(given: Any) -> str:
    """Which form an input has, so that its problems are told in the words of that one."""
    if isinstance(given, list):
        return "parts" if given and isinstance(given[0], dict | Part) else "texts"
    return "text"


Input = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[list[str], Tag("texts"), Field(min_length=1)]
    | Annotated[list[Part], Tag("parts"), Field(min_length=1)],
    Discriminator(_form),
]


class ModerationRequest(BaseModel):
    """What is to be judged."""

    model_config = ConfigDict(extra="allow", strict=True)
    input: Annotated[
        Input, Field(description="A text, several texts, or the parts of one; only text is taken.")
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
    """The texts to judge; the parts of one stand a line each."""
    if isinstance(given, str):
        return [given]
    parts = [one.text for one in given if isinstance(one, Part)]
    return ["\n".join(parts)] if parts else [one for one in given if isinstance(one, str)]


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
