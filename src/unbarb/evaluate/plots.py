"""The report's plots as inline SVG: one idea a plot, the same colour for the same system everywhere."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unbarb.evaluate.results import Curve, Row, Table
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


def roc(curves: Sequence[Curve]) -> str:
    """Share found against share of clean texts flagged, the rare end stretched out."""
    figure, axes = _canvas(5.2, 3.6)
    for i, curve in enumerate(c for c in curves if c.kind == "roc"):
        x = [max(value, LEAST_ALARMS) for value in curve.x]
        axes.plot(x, curve.y, color=COLOURS[i % len(COLOURS)], label=curve.system, linewidth=1.6)
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
            curve.x, curve.y, "o-", color=COLOURS[i % len(COLOURS)], label=curve.system, markersize=3.5
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
    if table.suite == "detection" and table.curves:
        return [roc(table.curves), calibration(table.curves)]
    if table.suite == "rewriting":
        return [ranges(table.rows, "joint", "J, by the independent judges")]
    if table.suite == "behaviours" and table.rows:
        return [behaviours(table.rows[0])]
    return []


def _dots(named: Sequence[tuple[str, Measured]], label: str) -> str:
    there = [(name, figure) for name, figure in named if figure.value is not None][::-1]
    figure, axes = _canvas(6.4, 0.6 + 0.27 * max(len(there), 2))
    for at, (_, measured) in enumerate(there):
        value = measured.value or 0.0
        low = value if measured.low is None else measured.low
        high = value if measured.high is None else measured.high
        axes.plot([low, high], [at, at], color="#9fc5b5", linewidth=4, solid_capstyle="round")
        axes.plot([value], [at], "o", color=COLOURS[0], markersize=5)
    axes.set_yticks(range(len(there)), [name for name, _ in there])
    axes.set_ylim(-0.7, len(there) - 0.3)
    axes.set_xlim(0, 1)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel(label)
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
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
