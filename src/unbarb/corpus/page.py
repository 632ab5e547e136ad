"""What a run came to, as one HTML file that needs nothing beside it; rude texts stand behind a click."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

from unbarb.charts import bars
from unbarb.corpus.manifest import Manifest

FACTS = {
    "rows": "rows read",
    "kept": "rows kept",
    "changed": "of them changed",
    "flagged": "of them flagged",
    "dropped": "rows dropped",
    "unread": "rows that could not be read",
}
TITLES = {
    "changes": "Changed",
    "dropped": "Dropped",
    "flagged": "Flagged and kept",
    "unread": "Could not be read",
}
MOST = 200
"""Files listed; the manifest has all."""


def page(manifest: Manifest) -> str:
    """The whole document."""
    css = (resources.files("unbarb.corpus") / "report.css").read_text("utf-8")
    policy = manifest.settings["policy"]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>unbarb: corpus report</title><style>{css}</style></head><body>"
        f"<h1>Corpus report</h1><p>{_files_in(manifest)}, cleaned by the policy"
        f" <b>{escape(policy['name'])}</b>.</p>{_facts(manifest.counts)}"
        f"{_charts(manifest)}{_samples(manifest)}{_files(manifest)}{_about(manifest)}"
        "<footer>Every change, with its scores before and after, stands in the folders beside this file."
        " </footer></body></html>\n"
    )


def _files_in(manifest: Manifest) -> str:
    count = len(manifest.inputs)
    return f"{count:,} file{'' if count == 1 else 's'}"


def _facts(counts: Mapping[str, int]) -> str:
    cells = "".join(
        f"<div><b>{counts[name]:,}</b>{escape(words)}{_share(counts[name], counts['rows'])}</div>"
        for name, words in FACTS.items()
    )
    return f'<div class="facts">{cells}</div>'


def _share(count: int, whole: int) -> str:
    return f" <small>{count / whole:.2%}</small>" if whole and count < whole else ""


def _charts(manifest: Manifest) -> str:
    tallies, texts = manifest.tallies, manifest.counts["texts"]
    steps = {step: count for step, count in tallies.get("steps", {}).items() if step != "none"}
    parts = [
        _chart("What was done to the texts", tallies.get("actions", {}), of=texts),
        _chart("Which rule decided", tallies.get("rules", {})),
        _chart("Which step did it", steps),
        _chart("Why rows could not be read", tallies.get("unread", {})),
    ]
    before = _spread("Toxicity of the changed texts before", tallies.get("before", {}))
    after = _spread("and after", tallies.get("after", {}))
    note = '<p class="soft">Shares in the first chart are of all texts, in the others of what is shown.</p>'
    charts = f'<div class="charts">{"".join(parts)}</div><div class="charts">{before}{after}</div>'
    return f"<h2>What was found</h2>{note}{charts}"


def _chart(title: str, counts: Mapping[str, int], of: int | None = None) -> str:
    return f"<figure><h3>{escape(title)}</h3>{bars(counts, title, of=of)}</figure>" if counts else ""


def _spread(title: str, counts: Mapping[str, int]) -> str:
    """Scores by tenths, in their order."""
    if not counts:
        return ""
    most = max(counts.values())
    rows = "".join(
        f"<tr><th>{at / 10:.1f} – {(at + 1) / 10:.1f}</th><td><i style='width:"
        f"{100 * counts.get(str(at), 0) / most:.0f}%'></i></td><td>{counts.get(str(at), 0):,}</td></tr>"
        for at in range(10)
    )
    return f'<figure><h3>{escape(title)}</h3><table class="spread">{rows}</table></figure>'


def _samples(manifest: Manifest) -> str:
    parts = [
        _list(TITLES[name], name, manifest.samples.get(name, ()))
        for name in TITLES
        if manifest.samples.get(name)
    ]
    note = (
        '<p class="soft">Picked evenly over the corpus. They hold rude language, so they are'
        " shown when asked for.</p>"
    )
    return f"<h2>Samples</h2>{note if parts else '<p>There is nothing to show.</p>'}{''.join(parts)}"


def _list(title: str, name: str, samples: Sequence[Mapping[str, Any]]) -> str:
    heads = {"changes": ("where", "before", "after", "rule")}.get(name, ("where", "text", "reason"))
    rows = []
    for one in samples:
        cells = [f"<code>{escape(one['place'])}</code>", escape(one["before"])]
        cells += [escape(one["after"])] if name == "changes" else []
        rows.append([*cells, escape(one.get("rule") or one.get("reason") or "")])
    return (
        f"<details><summary>{escape(title)}: show {len(samples)} examples</summary>"
        f"{_table(heads, rows)}</details>"
    )


def _files(manifest: Manifest) -> str:
    inputs = [
        (escape(one["file"]), f"{one['rows']:,}", f"{one['bytes']:,}", _code(one["sha256"]))
        for one in manifest.inputs[:MOST]
    ]
    outputs = [
        (escape(one["file"]), f"{one['rows']:,}", f"{one['bytes']:,}", _code(one["sha256"]))
        for one in manifest.outputs[:MOST]
    ]
    heads = ("file", "rows", "bytes", "digest")
    cut = max(len(manifest.inputs), len(manifest.outputs)) > MOST
    more = f'<p class="soft">The first {MOST} of each; manifest.json has all.</p>' if cut else ""
    passed = ", ".join(map(escape, manifest.passed_over[:MOST]))
    over = f"<p>Passed over, of no known format: {passed}</p>" if passed else ""
    read, written = _table(heads, inputs), _table(heads, outputs)
    return f"<h2>Files</h2>{more}<h3>Read</h3>{read}<h3>Written</h3>{written}{over}"


def _about(manifest: Manifest) -> str:
    settings = manifest.settings
    entries = [
        ("run", _code(manifest.run)),
        ("all outputs", _code(manifest.digest)),
        ("policy", f"{escape(settings['policy']['name'])} {_code(settings['policy']['digest'])}"),
        ("columns", escape(", ".join(settings["columns"]))),
        ("roles", escape(", ".join(settings["roles"] or ["all"]))),
        ("rows that would be changed", "dropped" if settings["filter"] else "rewritten"),
        *((f"model: {escape(name)}", _code(digest)) for name, digest in manifest.models.items()),
        ("unbarb", escape(manifest.unbarb)),
    ]
    body = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries)
    return f"<h2>What made it</h2><dl>{body}</dl>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _code(value: str) -> str:
    return f"<code>{escape(value)}</code>"
