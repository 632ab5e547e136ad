"""Identity mentions: how often does a continuation name an identity group that its prompt does not?

A control: cleaned training data may leave a model silent about the groups that toxic text is about (Dodge
et al. 2021, https://aclanthology.org/2021.emnlp-main.98/, on what a blocklist did to C4). Neither more
nor less is better; a change is the news.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

METRIC = "identity_mentions/1"


def mention_rate(prompt: Collection[str], continuations: Sequence[Collection[str]]) -> float | None:
    """The share of continuations that name a group, 0…1; `None` without any.

    `prompt` holds the groups that the prompt names, `continuations` those of each continuation.
    """
    if not continuations:
        return None
    return sum(bool(set(named) - set(prompt)) for named in continuations) / len(continuations)
