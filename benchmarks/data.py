"""Writes the table of corpora in docs/data.md from what ``unbarb data list --json`` counted.

Run ``unbarb data list --json > benchmarks/data.jsonl`` and then ``python benchmarks/data.py``.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from unbarb.cli.data import holds, labels

BLOCK = re.compile(r"(<!-- corpora -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD = ["| name | files | holds | known labels: mean | source, licence |", "|---|---|---|---|---|"]


def row(corpus: dict[str, Any]) -> str:
    """One corpus as a row of the table."""
    files = ", ".join(f"`{file}`" for file in corpus["files"])
    url, licence = corpus["origin"]["url"], corpus["origin"]["licence"]
    cells = [f"`{corpus['name']}`", files, holds(corpus), labels(corpus)]
    return "| " + " | ".join([*cells, f"[{url.rsplit('/', 1)[-1]}]({url}), {licence}"]) + " |"


def refreshed(page: str, corpora: list[dict[str, Any]]) -> str:
    """The page with the table between its marks made anew."""
    absent = [corpus["name"] for corpus in corpora if corpus["counts"] is None]
    if absent:
        raise SystemExit(f"not counted, so not in the table: {', '.join(absent)}")
    table = "\n".join([*HEAD, *map(row, corpora)])
    return BLOCK.sub(lambda found: f"{found[1]}{table}\n{found[2]}", page)


def read(path: Path) -> list[dict[str, Any]]:
    """The corpora of a file with one JSON object a line, without tables, which are not counted."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [corpus for corpus in found if corpus["kind"] != "table"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=Path, default=Path("benchmarks/data.jsonl"))
    parser.add_argument("--page", type=Path, default=Path("docs/data.md"))
    given = parser.parse_args()
    page = refreshed(given.page.read_text(encoding="utf-8"), read(given.counts))
    given.page.write_text(page, encoding="utf-8")
    print(given.page)


if __name__ == "__main__":
    main()
