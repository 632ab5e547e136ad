"""The report's browser of examples: every text before and after, worst first, to sort and to search.

Texts are hostile: each is escaped, and none reaches a script or an attribute unescaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from unbarb.evaluate.results import Example

FIRST = ("joint", "calibrated", "wrong", "toxicity", "meaning", "fluency")
"""Scores in this order; others follow in theirs. The first that is there says what is worst."""
HIGH_IS_WORSE = frozenset({"toxicity", "wrong"})


def browser(examples: Sequence[Example]) -> str:
    """A section with one table of all `examples`."""
    names = _names(examples)
    systems = list(dict.fromkeys(example.system for example in examples))
    ordered = sorted(examples, key=lambda example: _badness(example, names))
    options = "".join(f"<option>{escape(system)}</option>" for system in systems)
    head = "".join(
        f'<th class="text" aria-sort="none">{name}</th>'
        for name in ("system", "before", "after", "a human's")
    ) + "".join(f'<th aria-sort="none">{escape(name)}</th>' for name in names)
    rows = "".join(_row(example, names) for example in ordered)
    return (
        f'<section><h3>Examples: {len(examples):,}, worst first</h3><div class="controls">'
        f'<label>system <select><option value="">all</option>{options}</select></label>'
        '<label>words <input type="search"></label></div>'
        f'<div class="wide browser"><table class="sortable"><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _names(examples: Sequence[Example]) -> list[str]:
    there = dict.fromkeys(name for example in examples for name in example.scores)
    return [name for name in FIRST if name in there] + [name for name in there if name not in FIRST]


def _badness(example: Example, names: Sequence[str]) -> float:
    """Low is worst; what has no score at all comes last."""
    name = next(iter(names), "")
    if name not in example.scores:
        return float("inf")
    return -example.scores[name] if name in HIGH_IS_WORSE else example.scores[name]


def _row(example: Example, names: Sequence[str]) -> str:
    nothing = '<span class="soft">nothing may leave</span>'
    output = nothing if example.output is None else escape(example.output)
    texts = (escape(example.source), output, escape(example.reference))
    cells = "".join(f'<td class="text">{text}</td>' for text in texts)
    numbers = "".join(_number(example.scores.get(name)) for name in names)
    system = escape(example.system)
    return f'<tr data-system="{system}"><td class="text">{system}</td>{cells}{numbers}</tr>'


def _number(value: float | None) -> str:
    return '<td data-value=""></td>' if value is None else f'<td data-value="{value:.6g}">{value:.2f}</td>'
