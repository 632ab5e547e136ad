"""The messages of Perspective's API, as its discovery document gives them.

Source: the service's own discovery document, commentanalyzer v1alpha1. As everywhere in Google's JSON,
names are camelCase, their snake_case spelling and null are taken too, unknown names are refused, and
empty fields are left out of answers.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat
from pydantic.alias_generators import to_camel


class Message(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, extra="forbid"
    )


class TextEntry(Message):
    """A body of text."""

    text: str | None = None
    type: Annotated[str | None, Field(description="PLAIN_TEXT, the only one, or nothing.")] = None


class ArticleAndParentComment(Message):
    """What a comment on a message board answers to."""

    article: TextEntry | None = None
    parent_comment: TextEntry | None = None


class Context(Message):
    """What a comment answers to: either `entries` or `articleAndParentComment`."""

    entries: list[TextEntry] | None = None
    article_and_parent_comment: ArticleAndParentComment | None = None


class AttributeParameters(Message):
    """How an attribute is to be scored."""

    score_type: Annotated[str | None, Field(description="PROBABILITY, the only one, or nothing.")] = None
    score_threshold: Annotated[
        FiniteFloat | None,
        Field(description="Leave the attribute out when its score is lower. Unset: never."),
    ] = None


class Score(Message):
    """A score and its type."""

    value: FiniteFloat | None = None
    type: str | None = None


class SpanScore(Message):
    """The score of a span: UTF-16 code units of the comment, `end` exclusive; both unset: all of it."""

    begin: int | None = None
    end: int | None = None
    score: Score | None = None


class AttributeScores(Message):
    """The scores of one attribute."""

    span_scores: list[SpanScore] | None = None
    summary_score: Annotated[Score | None, Field(description="That of the whole comment.")] = None


Languages = Annotated[
    list[str] | None, Field(description="ISO 639 or BCP 47 codes. None: the language is detected.")
]
Token = Annotated[str | None, Field(description="Comes back in the answer.")]
Unused = Annotated[str | None, Field(description="Taken and not used.")]


class AnalyzeCommentRequest(Message):
    """A comment to be scored."""

    comment: TextEntry | None = None
    context: Context | None = None
    languages: Languages = None
    requested_attributes: Annotated[
        dict[str, AttributeParameters] | None, Field(description="Name of an attribute → how to score it.")
    ] = None
    span_annotations: Annotated[bool | None, Field(description="Say where in the comment, too.")] = None
    do_not_store: Annotated[bool | None, Field(description="Keep no text in the record.")] = None
    client_token: Token = None
    session_id: Unused = None
    community_id: Unused = None


class AnalyzeCommentResponse(Message):
    """The scores of a comment."""

    attribute_scores: dict[str, AttributeScores] | None = None
    languages: Annotated[list[str] | None, Field(description="Those of the request.")] = None
    detected_languages: list[str] | None = None
    client_token: str | None = None


class Status(BaseModel):
    """An error as Google's services say it; source: google.rpc.Status."""

    code: int
    message: str
    status: str
    details: list[dict[str, Any]] = []


class GoogleError(BaseModel):
    """What went wrong."""

    error: Status


class SuggestCommentScoreRequest(Message):
    """What a person says the scores of a comment should be."""

    comment: TextEntry | None = None
    context: Context | None = None
    attribute_scores: dict[str, AttributeScores] | None = None
    languages: Languages = None
    client_token: Token = None
    session_id: Unused = None
    community_id: Unused = None


class SuggestCommentScoreResponse(Message):
    """The suggestion was taken down."""

    requested_languages: list[str] | None = None
    detected_languages: list[str] | None = None
    client_token: str | None = None
