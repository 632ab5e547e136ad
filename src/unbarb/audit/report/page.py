"""The report as one HTML file that needs nothing beside it and prints well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources
from typing import Any

from unbarb.audit.checkpoint import Statement
from unbarb.audit.report.figures import Figures, Seen
from unbarb.audit.tampering import Verification
from unbarb.charts import bars, columns

DONE = {
    "allow": "let through",
    "flag": "flagged and let through",
    "rewrite": "rewritten",
    "mask": "masked",
    "block": "blocked",
    "route": "withheld for a person",
}


def page(
    figures: Figures,
    proof: Verification,
    checkpoints: Sequence[Statement],
    *,
    period: str,
    made: str,
    keys: Iterable[str],
) -> str:
    """The whole document."""
    sections = (
        _summary(figures, proof),
        _volumes(figures),
        _actions(figures),
        _labels(figures),
        _policies(figures),
        _section(
            "Models", _table(("model", "digest", "decisions", "first", "last"), _seen(figures.models))
        ),
        _failures(figures),
        _administration(figures),
        _proof(proof, checkpoints, keys),
    )
    css = (resources.files("unbarb.audit.report") / "report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>unbarb: audit report, {escape(period)}</title><style>{css}</style></head><body>"
        f"<h1>Audit report</h1><p>{escape(period)} · log {_code(proof.log)} · made {escape(made)}</p>"
        f"{''.join(sections)}"
        "<footer>Times are UTC. A report is signed: <code>unbarb audit verify --report FOLDER</code> tells"
        " whether this file is as it was made.</footer></body></html>\n"
    )


def _summary(figures: Figures, proof: Verification) -> str:
    decisions = figures.kinds["decision"]
    good = "The record is intact: every record, signature and text is as it was written."
    bad = f"The record was tampered with: {len(proof.tamperings)} findings, listed below."
    state = f'<p class="good">{good}</p>' if proof.intact else f'<p class="bad">{bad}</p>'
    acted = sum(figures.actions[name] for name in ("rewrite", "mask", "block", "route"))
    facts = {
        "decisions": decisions,
        "changed or withheld": acted,
        "failures": figures.kinds["failure"],
        "changes of policy": len(figures.policy_changes),
        "could only be masked or withheld": figures.not_detoxifiable,
        "scored in part only": figures.partly_scored,
    }
    cells = "".join(f"<div><b>{count:,}</b>{escape(name)}</div>" for name, count in facts.items())
    unreadable = (
        f'<p class="bad">{figures.unreadable:,} records cannot be read and are in no figure.</p>'
        if figures.unreadable
        else ""
    )
    return f'{state}{unreadable}<div class="facts">{cells}</div>'


def _volumes(figures: Figures) -> str:
    step = "month" if figures.by_month else "day"
    chart = columns(
        figures.every_period, figures.periods, figures.failed_periods, f"Decisions and failures by {step}"
    )
    median, slow = figures.seconds(0.5), figures.seconds(0.95)
    times = (
        f"<p>Half of the requests took up to {median * 1e3:.1f} ms, 95 % up to {slow * 1e3:.1f} ms.</p>"
        if median is not None and slow is not None
        else ""
    )
    surfaces = bars(figures.surfaces, "Records by surface")
    return _section("Volumes", f"<h3>By {step}</h3>{chart}<h3>By surface</h3>{surfaces}{times}")


def _actions(figures: Figures) -> str:
    told = {DONE.get(action, action): count for action, count in figures.actions.items()}
    steps = {step: count for step, count in figures.steps.items() if step != "none"}
    return _section(
        "Actions",
        f"<h3>What happened to the texts</h3>{bars(told, 'Decisions by action')}"
        f"<h3>Which step did it</h3>{bars(steps, 'Changed or withheld texts by step')}"
        f"<h3>Which rule decided</h3>{bars(figures.rules, 'Decisions by rule')}",
    )


def _labels(figures: Figures) -> str:
    note = "<p>Texts in which a span of this label was found; a text may have several labels.</p>"
    drawn = bars(figures.labels, "Texts by label found", of=figures.kinds["decision"])
    return _section("Labels", note + drawn)


def _policies(figures: Figures) -> str:
    changes = [
        (
            _second(change["time"]),
            change["name"],
            _code(change["before"] or "none"),
            _code(change["digest"]),
        )
        for change in sorted(figures.policy_changes, key=lambda change: str(change["time"]))
    ]
    in_force = _table(("policy", "digest", "decisions", "first", "last"), _seen(figures.policies))
    changed = _table(("time", "policy", "before", "after"), changes)
    return _section("Policies", f"<h3>In force</h3>{in_force}<h3>Changes</h3>{changed}")


def _failures(figures: Figures) -> str:
    note = "<p>Requests that were answered with an error; nothing unchecked leaves then.</p>"
    return _section("Failures", note + bars(figures.errors, "Failures by error and surface"))


def _administration(figures: Figures) -> str:
    rows = [
        (
            _second(done["time"]),
            escape(str(done.get("what", ""))),
            escape(
                ", ".join(
                    f"{key}: {_few(value)}" for key, value in done.items() if key not in ("time", "what")
                )
            ),
        )
        for done in figures.administration
    ]
    return _section("What was done to the record", _table(("time", "what", "details"), rows))


def _few(value: Any) -> str:
    """A long list told by how many it holds."""
    return f"{len(value)} records" if isinstance(value, list) else str(value)


def _proof(proof: Verification, checkpoints: Sequence[Statement], keys: Iterable[str]) -> str:
    facts = (
        ("records", f"{proof.records:,} ({proof.first}…{proof.last})"),
        ("digest of the last", _code(proof.digest)),
        ("signatures stand for records up to", str(proof.vouched)),
        ("checkpoints as they were signed", str(proof.checkpoints)),
        ("encrypted texts as they were written", str(proof.texts)),
        ("texts erased on record", str(proof.erased)),
        ("signing keys", ", ".join(map(_code, keys))),
    )
    wrong = [(escape(one.kind), escape(one.told)) for one in proof.tamperings]
    signed = [
        (one.number, one.purpose, one.sequence, _second(one.time), _code(one.digest), _code(one.key))
        for one in checkpoints
    ]
    return _section(
        "Proof of the chain",
        _table(("what", "found"), facts)
        + (f"<h3>Tampering</h3>{_table(('kind', 'what'), wrong)}" if wrong else "")
        + "<h3>Checkpoints</h3>"
        + _table(("number", "purpose", "record", "time", "digest", "key"), signed),
    )


def _seen(known: dict[tuple[str, str], Seen]) -> list[tuple[str, ...]]:
    return [
        (escape(one.name), _code(one.digest), f"{one.count:,}", _second(one.first), _second(one.last))
        for one in known.values()
    ]


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of cells that are HTML already."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        return "<p>None.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{inside}</section>"


def _second(time: str) -> str:
    """A time as people read it."""
    return escape(time[:19].replace("T", " "))


def _code(value: str) -> str:
    return f"<code>{escape(value)}</code>"
