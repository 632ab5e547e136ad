"""A report as one HTML file that needs nothing beside it."""

from __future__ import annotations

from html import escape

from unbarb.evaluate.plots import for_table
from unbarb.evaluate.results import Example, Report, Row, Table
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
}

JUDGED = ("toxicity", "meaning", "fluency")

CSS = """
:root { color-scheme: light; --ink: #22262b; --soft: #69707a; --line: #e3e6ea; --mark: #0b6e4f }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #fbfbfa; margin: 0 auto;
  max-width: 1120px; padding: 2.5rem 1.5rem 5rem }
h1 { font-size: 1.7rem; margin: 0 0 .3rem }
h2 { font-size: 1.25rem; margin: 3rem 0 .2rem }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem }
p { margin: .3rem 0 .8rem; max-width: 46rem }
.soft, small { color: var(--soft) }
nav a { margin-right: 1rem; color: var(--mark) }
.wide { overflow-x: auto; background: #fff; border: 1px solid var(--line); border-radius: 8px;
  margin: .6rem 0 1rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .45rem .75rem; text-align: right; vertical-align: top; border-top: 1px solid var(--line) }
thead th { border-top: 0; font-weight: 600; font-size: .85rem; vertical-align: bottom }
th:first-child, td.text { text-align: left }
tbody th { font-weight: 500 }
td small { display: block; font-size: .75rem; white-space: nowrap }
td.text { min-width: 14rem }
.plots { display: flex; flex-wrap: wrap; gap: 1rem }
.plots svg { max-width: 100%; height: auto }
.plots svg text { font-family: system-ui, sans-serif !important }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; font-size: .85rem }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
"""


def page(report: Report) -> str:
    """The whole document."""
    suites = list(dict.fromkeys(table.suite for table in report.tables))
    links = "".join(f'<a href="#{suite}">{escape(TITLES.get(suite, suite))}</a>' for suite in suites)
    parts = [_section(suite, [t for t in report.tables if t.suite == suite]) for suite in suites]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>unbarb: evaluation</title><style>{CSS}</style></head><body>"
        "<h1>unbarb: evaluation</h1>"
        f"<p>Texts of the <b>{escape(report.split)}</b> side of the split by source, seed {report.seed}."
        " Small figures are 95 % intervals and the number of texts. Examples contain rude language.</p>"
        f"<nav>{links}</nav>{''.join(parts)}{_about(report)}</body></html>\n"
    )


def _section(suite: str, tables: list[Table]) -> str:
    title = escape(TITLES.get(suite, suite))
    body = "".join(_table(table) for table in tables)
    return f'<h2 id="{escape(suite)}">{title}</h2><p class="soft">{escape(tables[0].note)}</p>{body}'


def _table(table: Table) -> str:
    down = len(table.columns) > 9  # many figures read better as rows
    grid = _turned(table) if down else _plain(table)
    plots = "".join(for_table(table))
    examples = _examples(table.examples) if table.examples else ""
    return f'<h3>{escape(table.name)}</h3>{grid}<div class="plots">{plots}</div>{examples}'


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
    if abs(value) > 1.5:
        return f"{value:.1f}"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1).replace("-", "−") if abs(value) < 1 else text


def _sure(figure: Measured) -> str:
    parts = []
    if figure.low is not None and figure.high is not None:
        parts.append(f"{_short(figure.low)} … {_short(figure.high)}")
    parts.append(f"n {figure.n:,}")
    if figure.unscored:
        parts.append(f"{figure.unscored:,} unscored")
    return " · ".join(parts)


def _examples(examples: tuple[Example, ...]) -> str:
    parts = []
    for system in dict.fromkeys(example.system for example in examples):
        rows = "".join(_example(example) for example in examples if example.system == system)
        head = "".join(f"<th>{name}</th>" for name in ("before", "after", "a human's", *JUDGED))
        parts.append(f"<h3>{escape(system)}: every so many, not picked</h3>{_grid(head, rows)}")
    return "".join(parts)


def _example(example: Example) -> str:
    nothing = '<span class="soft">nothing may leave</span>'
    output = nothing if example.output is None else escape(example.output)
    numbers = "".join(
        f"<td>{_short(example.scores[name]) if name in example.scores else ''}</td>" for name in JUDGED
    )
    texts = (escape(example.source), output, escape(example.reference))
    cells = "".join(f'<td class="text">{text}</td>' for text in texts)
    return f"<tr>{cells}{numbers}</tr>"


def _about(report: Report) -> str:
    entries = [*_named("model", report.models), *_named("policy", report.policy)]
    entries += _named("version", report.versions)
    for name, figure in report.judges.get("quality", {}).items():
        entries.append((f"judge: {name}, AUC", f"{number(figure)} ({_sure(figure)})"))
    if "digest" in report.judges:
        entries.append(("judges", escape(str(report.judges["digest"]))))
    entries += [(f"data: {escape(t.suite)}, {escape(t.name)}", escape(t.data)) for t in report.tables]
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries)
    return f"<h2>What was measured</h2><dl>{body}</dl>"


def _named(kind: str, values: object) -> list[tuple[str, str]]:
    items = values.items() if isinstance(values, dict) else ()
    return [(f"{kind}: {escape(str(name))}", escape(str(value))) for name, value in items]
