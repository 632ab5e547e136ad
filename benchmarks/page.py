"""Writes docs/benchmarks.md from files that commands wrote: the evaluation's report and the speed run.

Run ``python benchmarks/page.py --report benchmarks/report.json --speed benchmarks/speed.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from section import sections

HEAD = """# Benchmarks

Every figure here was written by a command; none was typed. Quality is measured on the `{split}` split of
our own data (by normalised source text, seed {seed}; what the model never saw), rewrites by judges that are
trained apart from it. Figures stand with n and a 95 % interval. Speed is a ratio to a named peer in the
same run. What a stream holds back, and that it leaks nothing, stands in [streams](stream.md#what-it-shows).

Policy `{policy}`, model digests {models}.
"""

SPEED = {
    "classify": (
        "detect one 12-word sentence that the gate does not settle, one thread: "
        "BERT-base classifier in PyTorch"
    ),
    "rewrite": (
        "detect + rewrite + verify one toxic sentence, one thread: "
        "BART-base, beam 5, 20 tokens, in transformers"
    ),
    "classify_batch": (
        "check 10,000 comments as long as those of talk pages, 5 % toxic, two threads: "
        "BERT-base classifier's throughput on the same, in batches of 64 of like length"
    ),
}


def number(value: float | None) -> str:
    """A figure in three decimals; a dash for what could not be scored."""
    return "–" if value is None else f"{value:.3f}"


def cell(figure: dict[str, Any] | None) -> str:
    if figure is None:
        return ""
    shown = number(figure["value"])
    if figure.get("low") is not None:
        shown += f" ({number(figure['low'])}–{number(figure['high'])})"
    return shown + (f", {figure['unscored']} unscored" if figure.get("unscored") else "")


def table(content: dict[str, Any]) -> list[str]:
    """One suite's table, a row a system; the number of samples stands in the heading."""
    rows = content["rows"]
    columns = list(dict.fromkeys(name for row in rows for name in row["figures"]))
    samples = sorted({figure["n"] for row in rows for figure in row["figures"].values()})
    n = f"n = {samples[0]}" if len(samples) == 1 else f"n = {samples[0]}–{samples[-1]}" if samples else ""
    lines = [f"### {content['suite']}: {content['name']} ({n})", "", content["note"], ""]
    if len(columns) > 8:
        systems = [row["system"] for row in rows]
        lines += ["| figure | " + " | ".join(systems) + " |", "|---" * (len(systems) + 1) + "|"]
        for column in columns:
            lines.append(
                f"| {column} | " + " | ".join(cell(row["figures"].get(column)) for row in rows) + " |"
            )
    else:
        lines += ["| system | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for row in rows:
            cells = " | ".join(cell(row["figures"].get(column)) for column in columns)
            lines.append(f"| {row['system']} | {cells} |")
    return [*lines, ""]


def speed(content: dict[str, Any]) -> list[str]:
    """Ratios first; seconds of both sides beside them."""
    lines = [
        "## Speed and size",
        "",
        "| what: peer | times faster | own | peer fp32 | peer bf16 |",
        "|---|---|---|---|---|",
    ]
    for key, what in SPEED.items():
        peer, own = content["peer_seconds"][key], content["own_seconds"][key]
        lines.append(
            f"| {what} | {content['times_faster'][key]:.1f} | {own * 1e3:.3f} ms"
            f" | {peer['fp32'] * 1e3:.2f} ms | {peer['bf16'] * 1e3:.2f} ms |"
        )
    cold = content["cold_check"]
    lines += [
        "",
        f'`unbarb check "text"`, cold, whole process: {cold["seconds"]:.2f} s,'
        f" {cold['megabytes']:.0f} MB at its peak.",
    ]
    sizes = content.get("install")
    if sizes:
        lines.append(
            f"Core install with its dependencies: {sizes['core_megabytes']:.0f} MB;"
            f" wheel: {sizes['wheel_megabytes']:.1f} MB."
        )
    machine = content["machine"]
    lines += [
        "",
        "Measured with " + ", ".join(f"{key} {value}" for key, value in machine.items()) + ".",
        "",
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, default=Path("benchmarks/report.json"))
    parser.add_argument("--speed", type=Path, default=Path("benchmarks/speed.json"))
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    given = parser.parse_args()
    report = json.loads(given.report.read_text(encoding="utf-8"))
    models = ", ".join(f"{name} `{digest[:19]}`" for name, digest in report["models"].items())
    head = HEAD.format(
        split=report["split"], seed=report["seed"], policy=report["policy"].get("name", ""), models=models
    )
    lines = [head, "## Quality", ""]
    for content in report["tables"]:
        lines += table(content)
    if given.speed.exists():
        lines += speed(json.loads(given.speed.read_text(encoding="utf-8")))
    # What other commands wrote stays; see section.py.
    kept = sections(given.out.read_text(encoding="utf-8")) if given.out.exists() else []
    text = "\n\n".join(["\n".join(lines).rstrip(), *map(str.rstrip, kept)])
    given.out.write_text(text + "\n", encoding="utf-8")
    print(given.out)


if __name__ == "__main__":
    main()
