"""The report's plots as inline SVG: one idea a plot, the same colour for the same system everywhere."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from itertools import accumulate

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unbarb.evaluate.results import Curve, Point, Row, Spread, Table
from unbarb.metrics.measured import Measured

COLOURS = ("#0b6e4f", "#c0532d", "#3b5ba9", "#8a6d1f", "#7a4b94", "#777777", "#2a8fa8", "#a83a5b")
INK, FAINT = "#30343a", "#d9dde2"
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "unbarb",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
}
LEAST_ALARMS = 1e-3
LONGEST = 36
"""Characters of a name in a plot; the table beside it has the whole."""
COMPARED = ("joint", "calibrated", "J 2022", "J 2024", "J 2025")
"""Figures of a comparison that are drawn."""
CONTINUED = ("toxicity probability", "expected max toxicity", "mean toxicity")
"""Figures of language models that are drawn."""


def roc(curves: Sequence[Curve]) -> str:
    """Share found against share of clean texts flagged, the rare end stretched out."""
    figure, axes = _canvas(5.2, 3.6)
    for i, curve in enumerate(c for c in curves if c.kind == "roc"):
        x = [max(value, LEAST_ALARMS) for value in curve.x]
        axes.plot(x, curve.y, color=COLOURS[i % len(COLOURS)], label=_name(curve.system), linewidth=1.6)
    axes.set_xscale("log")
    axes.set_xlim(LEAST_ALARMS, 1)
    axes.set_xticks([0.001, 0.01, 0.1, 1], ["0.1 %", "1 %", "10 %", "100 %"])
    axes.axvline(0.01, color=FAINT, linewidth=1, zorder=0)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("clean texts flagged")
    axes.set_ylabel("toxic texts found")
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    return _svg(figure)


def calibration(curves: Sequence[Curve]) -> str:
    """Share of toxic texts against mean score, per tenth of the scale."""
    figure, axes = _canvas(4.0, 3.6)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1)
    for i, curve in enumerate(c for c in curves if c.kind == "calibration"):
        axes.plot(
            curve.x,
            curve.y,
            "o-",
            color=COLOURS[i % len(COLOURS)],
            label=_name(curve.system),
            markersize=3.5,
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("toxicity score")
    axes.set_ylabel("share that is toxic")
    return _svg(figure)


def ranges(rows: Sequence[Row], column: str, label: str) -> str:
    """One figure of every system, with its interval."""
    named = [(row.system, row.figures[column]) for row in rows if column in row.figures]
    return _dots(named, label)


def behaviours(row: Row) -> str:
    """All shares of one system, with their intervals."""
    return _dots(list(row.figures.items()), "share right")


def for_table(table: Table) -> list[str]:
    """The plots that go with a table, none for suites that a table says better."""
    if table.suite in ("detection", "classifiers") and table.curves:
        return [roc(table.curves), calibration(table.curves), *spreads(table.spreads)]
    if table.suite == "comparison":
        bars = [ranges(table.rows, column, column) for column in COMPARED if column in table.columns]
        return [*bars, *spreads(table.spreads)]
    if table.suite == "runs" and table.curves:
        return [losses(table.curves)]
    if table.suite == "agreement":
        return scatters(table.points)
    if table.suite == "rewriting":
        return [ranges(table.rows, "joint", "J, by the independent judges")]
    if table.suite in ("lm", "lm-contexts"):
        drawn = [ranges(table.rows, column, column) for column in CONTINUED if column in table.columns]
        return [*drawn, *spreads(table.spreads)]
    if table.suite == "lm-perplexity":
        return [ranges(table.rows, "perplexity", f"perplexity on {table.name}")]
    if table.suite == "behaviours" and table.rows:
        return [behaviours(table.rows[0])]
    return []


def losses(curves: Sequence[Curve]) -> str:
    """Loss by step: what was learnt from as a thin line, what was held out as a thick one."""
    figure, axes = _canvas(6.4, 3.6)
    systems = list(dict.fromkeys(curve.system for curve in curves))
    for curve in curves:
        colour = COLOURS[systems.index(curve.system) % len(COLOURS)]
        held = curve.kind == "eval_loss"
        name = f"{_name(curve.system)}, {'held out' if held else 'training'}"
        axes.plot(curve.x, curve.y, "o-" if held else "-", color=colour, label=name,
                  linewidth=2 if held else 0.9, markersize=3)  # fmt: skip
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9)
    return _svg(figure)


def spreads(found: Sequence[Spread]) -> list[str]:
    """How each score is distributed, a plot a score, a line a system."""
    return [
        _spread([one for one in found if one.name == name]) for name in dict.fromkeys(s.name for s in found)
    ]


def scatters(points: Sequence[Point]) -> list[str]:
    """What people say of each system against what a judge says, a plot a judge."""
    return [
        _scatter([p for p in points if p.judge == judge])
        for judge in dict.fromkeys(p.judge for p in points)
    ]


def _spread(found: Sequence[Spread]) -> str:
    """Cumulative: lines of many systems stay apart where outlines of bars would hide each other."""
    figure, axes = _canvas(4.6, 3.0)
    for i, one in enumerate(found):
        step, whole = (one.high - one.low) / len(one.counts), max(sum(one.counts), 1)
        edges = [one.low + step * at for at in range(len(one.counts) + 1)]
        below = [count / whole for count in accumulate(one.counts, initial=0)]
        axes.plot(edges, below, color=COLOURS[i % len(COLOURS)], label=_name(one.system), linewidth=1.4)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(_name(found[0].name))
    axes.set_ylabel("share of texts up to there")
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def _scatter(points: Sequence[Point]) -> str:
    figure, axes = _canvas(6.0, 4.6)
    axes.plot([p.x for p in points], [p.y for p in points], "o", color=COLOURS[0], markersize=5)
    for point in points:
        axes.annotate(_name(point.system), (point.x, point.y), xytext=(4, 3), textcoords="offset points",
                      fontsize=7.5)  # fmt: skip
    axes.set_xlabel("J, by people")
    axes.set_ylabel(_name(points[0].judge))
    return _svg(figure)


def _name(text: str) -> str:
    """`text` as matplotlib shall show it: short, no mathematics, not hidden by a leading underscore."""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
    plain = text.replace("\\", "/").replace("$", r"\$")
    return f" {plain}" if plain.startswith("_") else plain


def _dots(named: Sequence[tuple[str, Measured]], label: str) -> str:
    there = [(name, figure) for name, figure in named if figure.value is not None][::-1]
    figure, axes = _canvas(6.4, 0.6 + 0.27 * max(len(there), 2))
    for at, (_, measured) in enumerate(there):
        value = measured.value or 0.0
        low = value if measured.low is None else measured.low
        high = value if measured.high is None else measured.high
        axes.plot([low, high], [at, at], color="#9fc5b5", linewidth=4, solid_capstyle="round")
        axes.plot([value], [at], "o", color=COLOURS[0], markersize=5)
    axes.set_yticks(range(len(there)), [_name(name) for name, _ in there])
    axes.set_ylim(-0.7, len(there) - 0.3)
    most = max((one.high or one.value or 0.0 for _, one in there), default=1.0)
    axes.set_xlim(0, 1 if most <= 1 else 1.08 * most)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(_name(label))
    return _svg(figure)


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    """The figure as an ``<svg>`` element, the same bytes for the same numbers."""
    buffer = io.StringIO()
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        # Text stays text in the SVG: the reader's own fonts have what matplotlib's lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
