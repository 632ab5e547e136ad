"""What a request of Perspective's must be, and the words in which the API says that it is not.

Source: "Limits and errors" of Perspective's documentation: the texts, and the types in an error's details.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unbarb.serve.dialects.perspective_shapes import (
    AttributeParameters,
    AttributeScores,
    Context,
    TextEntry,
)
from unbarb.serve.errors import Invalid

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

_PROBABILITY = (None, "PROBABILITY", "SCORE_TYPE_UNSPECIFIED")
_PLAIN = (None, "PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED")


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
