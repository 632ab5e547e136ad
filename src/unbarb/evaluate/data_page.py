"""Distributions of a set before and after it was prepared: plots as PNG, and one page with all of them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from unbarb.data.distributions import LENGTHS, TENTHS, Tally
from unbarb.data.prepared import Prepared
from unbarb.evaluate.plots import COLOURS, FAINT, STYLE

KINDS = {"pairs": "Pairs", "labelled": "Labelled texts", "preferences": "Preferences", "texts": "Texts"}
DOTS = 160
MOST = 12
"""Bars of a plot; the rest is one bar more."""

Bars = Mapping[str, Sequence[float]]
"""Name of a series → a share, 0…1, for every bar."""


def write_page(folder: Path, prepared: Prepared, tallies: Mapping[str, Tally]) -> list[Path]:
    """Write ``index.html`` and a PNG for every plot; give the files, the page first.

    `tallies` are drawn side by side in their order, as ``before``, ``train``, ``dev`` and ``test``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    there = {name: tally for name, tally in tallies.items() if tally.rows}
    written, sections = [], []
    for name, title, figure in _figures(there):
        path = folder / f"{name}.png"
        with mpl.rc_context(STYLE):
            figure.savefig(path, dpi=DOTS, facecolor="white", metadata={"Software": None})
        written.append(path)
        sections.append(f'<h2 id="{name}">{escape(title)}</h2><div class="plots">{_svg(figure)}</div>')
    page = folder / "index.html"
    page.write_text(_page(prepared, there, "".join(sections)), encoding="utf-8")
    return [page, *written]


def _figures(tallies: Mapping[str, Tally]) -> Iterator[tuple[str, str, Figure]]:
    """Name of the file, title, figure; only what the rows know of."""
    labels = _ordered(tally.shares() for tally in tallies.values())
    if labels:
        shares = {
            name: [tally.shares().get(label, 0.0) for label in labels] for name, tally in tallies.items()
        }
        yield "labels", "Labels: share of rows", _across(labels, shares)
    edges = [*map(str, LENGTHS)]
    for part in _ordered(tally.lengths for tally in tallies.values()):
        bins = {name: _normal(tally.lengths.get(part, ())) for name, tally in tallies.items()}
        named = f"length-{part}"
        yield (
            named,
            f"Length of the {part}, in words: share of rows",
            _upright(edges, bins, "words, from"),
        )
    for part in _ordered(tally.toxicity for tally in tallies.values()):
        bins = {name: _normal(tally.toxicity.get(part, ())) for name, tally in tallies.items()}
        tenths = [f"{at / TENTHS:.1f}".lstrip("0") or "0" for at in range(TENTHS)]
        yield (
            f"toxicity-{part}",
            f"Toxicity of the {part}: share of rows",
            _upright(tenths, bins, "score, from"),
        )
    corpora = _ordered(tally.corpora for tally in tallies.values())
    counted = {
        name: [tally.corpora[corpus] / tally.rows for corpus in corpora] for name, tally in tallies.items()
    }
    yield "sources", "Sources: share of rows", _across(corpora, counted)


def _ordered(found: Iterator[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for one in found for name in one))


def _normal(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else []


def _across(names: Sequence[str], series: Bars) -> Figure:
    """Bars that lie, a group for every name, the longest first series on top."""
    first = next(iter(series.values()))
    order = sorted(range(len(names)), key=lambda at: -first[at])[:MOST]
    width = 0.8 / len(series)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 0.8 + 0.16 * len(order) * (len(series) + 1)), layout="constrained")
        axes = figure.subplots()
        for number, (name, values) in enumerate(series.items()):
            at = [place + (number - (len(series) - 1) / 2) * width for place in range(len(order))]
            axes.barh(at, [values[index] for index in order], width, color=COLOURS[number], label=name)
        axes.set_yticks(range(len(order)), [names[index] for index in order])
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.grid(axis="x", color=FAINT, linewidth=0.6)
        _finish(axes)
    return figure


def _upright(bins: Sequence[str], series: Bars, label: str) -> Figure:
    """A line of steps for every series over the same bins."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        axes = figure.subplots()
        for number, (name, values) in enumerate(
            (name, values) for name, values in series.items() if values
        ):
            axes.step(
                range(len(bins)), values, where="mid", color=COLOURS[number], label=name, linewidth=1.6
            )
        axes.set_xticks(range(len(bins)), bins)
        axes.set_xlabel(label)
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter("{x:.0%}")
        axes.grid(axis="y", color=FAINT, linewidth=0.6)
        _finish(axes)
    return figure


def _finish(axes: mpl.axes.Axes) -> None:
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, fontsize=9)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _page(prepared: Prepared, tallies: Mapping[str, Tally], plots: str) -> str:
    manifest = prepared.manifest
    name = escape(prepared.folder.name)
    css = files("unbarb.evaluate").joinpath("report.css").read_text("utf-8")
    rows = "".join(f"<th>{escape(split)}</th>" for split in tallies)
    counts = "".join(f"<td>{tally.rows:,}</td>" for tally in tallies.values())
    drops = "".join(
        f"<tr><th>{escape(reason.replace('_', ' '))}</th><td>{count:,}</td></tr>"
        for reason, count in manifest.get("drops", {}).items()
    )
    made = "".join(
        f"<tr><th>{escape(way)}</th><td>{count:,}</td></tr>"
        for way, count in manifest.get("augmented", {}).items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>unbarb: {name}</title><style>{css}</style></head><body><h1>{name}</h1>"
        f"<p>{KINDS[prepared.kind]}, before and after they were prepared. No source is in two splits.</p>"
        + _table("", f"<tr><th></th>{rows}</tr>", f"<tr><th>rows</th>{counts}</tr>")
        + _table("Left out", "<tr><th>reason</th><th>rows</th></tr>", drops)
        + _table("Added to train", "<tr><th>way</th><th>rows</th></tr>", made)
        + plots
        + "<h2>What was drawn</h2>"
        + f"<dl><dt>digest</dt><dd>{escape(prepared.digest)}</dd>{_sources(manifest)}</dl></body></html>\n"
    )


def _table(title: str, head: str, body: str) -> str:
    heading = f"<h2>{escape(title)}</h2>" if title else ""
    grid = f'<div class="wide"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'
    return heading + grid if body else ""


def _sources(manifest: Mapping[str, object]) -> str:
    sources = manifest.get("sources")
    return "".join(
        f"<dt>{escape(source['name'])}</dt><dd>{source['rows']:,} rows,"
        f" {escape(source['licence'] or 'licence not recorded')}; {escape(', '.join(source['files']))}</dd>"
        for source in (sources if isinstance(sources, list) else ())
    )
