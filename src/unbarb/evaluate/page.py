"""A report as one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib import resources

from unbarb.evaluate.browser import browser
from unbarb.evaluate.plots import for_table
from unbarb.evaluate.results import WHOLE_FILE, Matrix, Report, Row, Table
from unbarb.metrics.measured import Measured

TITLES = {
    "detection": "Detection",
    "labels": "Six labels",
    "spans": "Toxic spans",
    "behaviours": "Behaviours",
    "obfuscation": "Obfuscation",
    "rewriting": "Rewriting",
    "verify": "Verification",
    "gate": "The gate",
    "comparison": "Rewriters side by side",
    "significance": "Could it be chance?",
    "classifiers": "Classifiers side by side",
    "identity": "False alarms by identity group",
    "runs": "What training cost",
    "agreement": "Agreement with people",
    "lm": "What the models go on with",
    "lm-data": "What the models learnt from",
    "lm-differences": "Do they differ?",
    "lm-perplexity": "Perplexity on clean texts",
    "lm-contexts": "By the context of the prompt",
    "lm-seeds": "Each run alone",
}
NOT_MEASURED = (
    "Agreement of the judges with people: not measured here (`unbarb evaluate judge RATINGS` does)."
)

WIDEST = 7
"""A table of more figures has them as rows: side by side they would be cut off."""


def page(report: Report) -> str:
    """The whole document."""
    suites = list(dict.fromkeys(table.suite for table in report.tables))
    links = "".join(
        f'<a href="#{escape(suite)}">{escape(TITLES.get(suite, suite))}</a>' for suite in suites
    )
    parts = [_section(suite, [t for t in report.tables if t.suite == suite]) for suite in suites]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>unbarb: {escape(report.title)}</title><style>{_file('report.css')}</style></head><body>"
        f"<h1>unbarb: {escape(report.title)}</h1>"
        f"<p>{_texts(report)} Small figures are 95 % intervals and the number of texts."
        " Examples contain rude language.</p>"
        f"<nav>{links}</nav>{''.join(parts)}{_about(report)}"
        f"<footer>{escape(report.agreement or NOT_MEASURED)}</footer>"
        f"<script>{_file('report.js')}</script></body></html>\n"
    )


def _texts(report: Report) -> str:
    if report.split == WHOLE_FILE:
        return f"Texts of a <b>whole file</b>; resampled with seed {report.seed}."
    return f"Texts of the <b>{escape(report.split)}</b> side of the split by source, seed {report.seed}."


def _file(name: str) -> str:
    return resources.files("unbarb.evaluate").joinpath(name).read_text(encoding="utf-8")


def _section(suite: str, tables: list[Table]) -> str:
    title = escape(TITLES.get(suite, suite))
    body = "".join(_table(table) for table in tables)
    return f'<h2 id="{escape(suite)}">{title}</h2><p class="soft">{escape(tables[0].note)}</p>{body}'


def _table(table: Table) -> str:
    down = len(table.columns) > WIDEST
    grid = _turned(table) if down else _plain(table)
    plots = "".join(for_table(table))
    matrices = "".join(map(_matrix, table.matrices))
    examples = browser(table.examples) if table.examples else ""
    return (
        f'<h3>{escape(table.name)}</h3>{grid}<div class="plots">{plots}</div>'
        f'<div class="matrices">{matrices}</div>{examples}'
    )


def _plain(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        f"<tr><th>{escape(row.system)}</th>{''.join(_cell(row, c) for c in table.columns)}</tr>"
        for row in table.rows
    )
    return _grid(f"<th></th>{head}", rows)


def _turned(table: Table) -> str:
    head = "".join(f"<th>{escape(row.system)}</th>" for row in table.rows)
    rows = "".join(
        f"<tr><th>{escape(column)}</th>{''.join(_cell(row, column) for row in table.rows)}</tr>"
        for column in table.columns
    )
    return _grid(f"<th></th>{head}", rows)


def _grid(head: str, rows: str) -> str:
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(row: Row, column: str) -> str:
    figure = row.figures.get(column)
    if figure is None:
        return "<td></td>"
    return f'<td title="{escape(figure.metric)}">{number(figure)}<small>{_sure(figure)}</small></td>'


def number(figure: Measured) -> str:
    """The value as it is read: .972, 54.0, or *unscored*."""
    if figure.value is None:
        return '<span class="soft">unscored</span>'
    return _short(figure.value)


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) > 1.5:
        return f"{value:.1f}"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1).replace("-", "−") if abs(value) < 1 else text


def _sure(figure: Measured) -> str:
    parts = []
    if figure.low is not None and figure.high is not None:
        parts.append(f"{_short(figure.low)} … {_short(figure.high)}")
    if figure.n or figure.value is None:
        parts.append(f"n {figure.n:,}")
    if figure.unscored:
        parts.append(f"{figure.unscored:,} unscored")
    return " · ".join(parts)


def _matrix(matrix: Matrix) -> str:
    """Rows are what is true, columns what was said; darker is a larger share of its row."""
    head = "".join(f"<th>{escape(name)}</th>" for name in matrix.classes)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>{_shaded(counts)}</tr>"
        for name, counts in zip(matrix.classes, matrix.counts, strict=True)
    )
    caption = f"{escape(matrix.system)}: {escape(matrix.name)} (rows are true)"
    return (
        f"<figure><figcaption>{caption}</figcaption><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></figure>"
    )


def _shaded(counts: Sequence[int]) -> str:
    whole = max(sum(counts), 1)
    return "".join(
        f'<td style="background:rgba(var(--cell),{0.6 * count / whole:.2f})">{count:,}</td>'
        for count in counts
    )


def _about(report: Report) -> str:
    entries = [*_named("model", report.models), *_named("policy", report.policy)]
    entries += _named("version", report.versions)
    for name, figure in report.judges.get("quality", {}).items():
        entries.append((f"judge: {escape(name)}, AUC", f"{number(figure)} ({_sure(figure)})"))
    for part, judge in report.judges.get("parts", {}).items():
        entries.append((escape(part), escape(judge)))
    if "digest" in report.judges:
        entries.append(("judges", escape(str(report.judges["digest"]))))
    entries += [(f"data: {escape(t.suite)}, {escape(t.name)}", escape(t.data)) for t in report.tables]
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries)
    return f"<h2>What was measured</h2><dl>{body}</dl>"


def _named(kind: str, values: object) -> list[tuple[str, str]]:
    items = values.items() if isinstance(values, dict) else ()
    return [(f"{kind}: {escape(str(name))}", escape(str(value))) for name, value in items]
