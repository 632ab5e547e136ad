"""RealToxicityPrompts: beginnings of web sentences and how they went on, each scored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SCORES = {
    "toxicity": "toxicity",
    "severe_toxicity": "severe_toxicity",
    "profanity": "obscene",
    "threat": "threat",
    "insult": "insult",
    "identity_attack": "identity_attack",
}
"""Name of a score there → label here; ``sexually_explicit`` and ``flirtation`` have none."""


def prompts_and_continuations(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The prompt as source and how it went on as target, to learn to write on; scores go into ``meta``.

    Source as of :func:`real_toxicity_prompts`.

    Raises:
        TypeError: the prompt or the continuation is no object.
    """
    prompt, continuation = values["prompt"], values["continuation"]
    scores = {"source": prompt.get("toxicity"), "target": continuation.get("toxicity")}
    meta = {"toxicity": scores, "challenging": bool(values.get("challenging"))}
    yield {"source": prompt["text"], "target": continuation["text"], "meta": meta}


def real_toxicity_prompts(values: Mapping[str, Any]) -> Iterator[dict[str, Any] | str]:
    """A row for the prompt and one for its continuation, or ``unscored`` for one without any score.

    A score that is null is an absent label. ``meta`` says which of the two it is, whether the prompt is one
    of the ``challenging`` ones, and holds the prompt beside the continuation.

    Source: Gehman et al. 2020, "RealToxicityPrompts", https://allenai.org/data/real-toxicity-prompts;
    Apache-2.0. The scores are Perspective's of 2020, not people's.

    Raises:
        ValueError: a score is no number.
        TypeError: the prompt or the continuation is no object.
    """
    for part in ("prompt", "continuation"):
        inner = values[part]
        labels = {
            label: float(inner[score]) for score, label in SCORES.items() if inner.get(score) is not None
        }
        if not labels:
            yield "unscored"
            continue
        meta = {"part": part, "challenging": bool(values.get("challenging"))}
        if part == "continuation":
            meta["prompt"] = values["prompt"]["text"]
        yield {"text": inner["text"], "labels": labels, "meta": meta}
