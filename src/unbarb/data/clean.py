"""Keep or drop examples, with the reason counted: no text disappears in silence.

How the text of a row is cleaned is in `unbarb.data.tidy`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from unbarb.data.examples import Labelled

Reason = str
Rule = Callable[[Labelled], Reason | None]


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What stayed, in order, and how many went for which reason."""

    kept: tuple[Labelled, ...]
    dropped: Counter[Reason]


def empty(example: Labelled) -> Reason | None:
    """Nothing but space."""
    return None if example.text.strip() else "empty"


def unlabelled(example: Labelled) -> Reason | None:
    """Neither a label nor a span: nothing to learn or measure."""
    return None if example.labels or example.spans is not None else "unlabelled"


def unseen() -> Rule:
    """The same source and source text as an example before; a fresh rule for each run.

    The same text in two corpora stays: each may know other labels of it.
    """
    seen: set[tuple[str, str]] = set()

    def rule(example: Labelled) -> Reason | None:
        key = (example.source, example.text.strip())
        if key in seen:
            return "duplicate"
        seen.add(key)
        return None

    return rule


def clean(examples: Iterable[Labelled], rules: Iterable[Rule] | None = None) -> Cleaned:
    """Apply `rules` in order, the first that objects drops; default: empty, unlabelled, duplicate."""
    applied = (empty, unlabelled, unseen()) if rules is None else tuple(rules)
    kept: list[Labelled] = []
    dropped: Counter[Reason] = Counter()
    for example in examples:
        reason = next((found for rule in applied if (found := rule(example))), None)
        if reason is None:
            kept.append(example)
        else:
            dropped[reason] += 1
    return Cleaned(tuple(kept), dropped)
