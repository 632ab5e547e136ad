"""Keeps what `unbarb lm-detox` found, without its texts, and writes it into docs; no figure is typed.

::

    unbarb lm-detox small --judge evaluation/judges --out runs/lm-detox
    python benchmarks/lm_detox.py runs/lm-detox      # benchmarks/lm_detox.json, then both pages
    python benchmarks/lm_detox.py                    # both pages from the kept file
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from section import write_section

KEPT = Path("benchmarks/lm_detox.json")
PAGES = (Path("docs/benchmarks.md"), Path("docs/lm-detox.md"))
SECTION = "lm-detox"
TEXTS = ("examples", "spreads")
COLUMNS = {
    "lm": ("toxicity probability", "expected max toxicity", "mean toxicity", "toxic continuations"),
    "lm-data": ("rows", "words", "changed", "dropped", "toxic", "names a group"),
    "lm-differences": (
        "toxicity probability",
        "expected max toxicity",
        "mean toxicity",
        "identity mentions",
    ),
    "lm-seeds": ("toxicity probability", "expected max toxicity", "mean toxicity"),
}
VARIETY = ("distinct-1", "distinct-2", "distinct-3", "identity mentions")


def kept(out: Path) -> dict[str, Any]:
    """What of an experiment's folder is worth keeping: its report without texts, and its cells' costs."""
    report = json.loads((out / "report.json").read_text("utf-8"))
    for table in report["tables"]:
        for name in TEXTS:
            table.pop(name, None)
    runs = {}
    for path in sorted((out / "cells").glob("*/run.json")):
        facts = json.loads(path.read_text("utf-8"))
        runs[path.parent.name] = {
            "steps": facts["steps"], "seconds": facts["seconds"], "loss": facts["final"]["loss"],
            "rows": facts["rows"]["train"]["used"], "packs": facts.get("packs"),
            "parameters": facts["parameters"]["total"],
        }  # fmt: skip
    return {"report": report, "runs": runs}


def lines(content: dict[str, Any]) -> list[str]:
    """The section: findings first, then the tables."""
    report, runs = content["report"], content["runs"]
    tables: dict[str, list[dict[str, Any]]] = {}
    for table in report["tables"]:
        tables.setdefault(table["suite"], []).append(table)
    one = next(iter(runs.values()))
    seeds = len({name.split("-")[-1] for name in runs})
    (whole,), (data,), (differences,) = tables["lm"], tables["lm-data"], tables["lm-differences"]
    prompts = whole["rows"][0]["figures"]["toxicity probability"]["n"] // seeds
    found = [
        "## Language-model detoxification",
        "",
        f"{report['title'].partition(': ')[2]}: {one['parameters']:,} parameters, {seeds} seeds an arm,"
        f" {one['steps']} steps each; {prompts} prompts. {whole['note']} 95 % intervals are over"
        " prompts and seeds.",
        "",
        *(f"* {said.strip().rstrip('.')}." for said in report["agreement"].split(". ")),
        "",
        *grid(data, COLUMNS["lm-data"]),
        *grid(whole, COLUMNS["lm"]),
        *grid(whole, VARIETY),
        *grid(differences, COLUMNS["lm-differences"]),
    ]
    for table in tables.get("lm-contexts", []):
        found += [f"On {table['name']}:", "", *grid(table, COLUMNS["lm"][:3])]
    found += perplexities(tables["lm-perplexity"])
    if "lm-seeds" in tables:
        found += ["Each run alone:", "", *grid(tables["lm-seeds"][0], COLUMNS["lm-seeds"])]
    return found[:-1]


def perplexities(tables: list[dict[str, Any]]) -> list[str]:
    """Clean texts down, arms across: perplexity, and its ratio to the first arm."""
    arms = [row["system"] for row in tables[0]["rows"]]
    found = [f"| perplexity on held-out clean texts | {' | '.join(arms)} |", "|---" * (len(arms) + 1) + "|"]
    for table in tables:
        cells = []
        for row in table["rows"]:
            ratio = row["figures"].get("ratio")
            more = "" if ratio is None or row is table["rows"][0] else f", × {interval(ratio, 3)}"
            cells.append(f"{row['figures']['perplexity']['value']:.1f}{more}")
        found.append(f"| {table['name']} | {' | '.join(cells)} |")
    return [*found, ""]


def grid(table: dict[str, Any], columns: tuple[str, ...]) -> list[str]:
    """A table as Markdown, with intervals where there are any."""
    found = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for row in table["rows"]:
        cells = [interval(row["figures"][name]) for name in columns]
        found.append(f"| {row['system']} | {' | '.join(cells)} |")
    return [*found, ""]


def interval(figure: dict[str, Any], digits: int = 3) -> str:
    """A figure as it is read: ``.412 (.38 … .44)``, or a count."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None:
        return "unscored"
    if low is None:
        return f"{value:,.0f}" if value > 1 or value == int(value) else f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} … {high:.{digits}f})"


def main() -> None:
    if len(sys.argv) > 1:
        text = json.dumps(kept(Path(sys.argv[1])), indent=1, ensure_ascii=False)
        KEPT.write_text(text + "\n", encoding="utf-8")
    content = json.loads(KEPT.read_text("utf-8"))
    for page in PAGES:
        write_section(page, SECTION, lines(content))


if __name__ == "__main__":
    main()
