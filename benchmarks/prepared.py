"""Writes what ``unbarb data prepare`` says into docs/data.md, from the manifests that it printed.

``python benchmarks/prepared.py --run`` runs the commands that the page shows (``UNBARB_DATA`` names the
corpora) and keeps their manifests in benchmarks/prepared.jsonl; without ``--run`` only the page is written.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from unbarb.cli.data_told import lines
from unbarb.data.prepared import Prepared

BLOCK = re.compile(r"(<!-- prepared: ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
LEFT_OUT = ("before", "after", "files")
"""Parts of a manifest that are not told, and long."""


def told(command: str, manifest: dict[str, Any]) -> str:
    """The command and what it said."""
    folder = Path(manifest["folder"])
    prepared = Prepared(folder, manifest["kind"], manifest, manifest["digest"])
    return "\n".join(["```text", f"$ {command}", *lines(prepared), "```"])


def refreshed(page: str, manifests: dict[str, dict[str, Any]]) -> str:
    """The page with every block made anew from the manifest of its command."""

    def block(found: re.Match[str]) -> str:
        if found[2] not in manifests:
            raise SystemExit(
                f"not run, so not on the page: {found[2]} (python benchmarks/prepared.py --run)"
            )
        return f"{found[1]}{told(found[2], manifests[found[2]])}\n{found[3]}"

    return BLOCK.sub(block, page)


def run(command: str) -> dict[str, Any]:
    """The manifest that a command prints, run in a folder of its own."""
    arguments = [sys.executable, "-m", "unbarb", *shlex.split(command)[1:], "--json"]
    with TemporaryDirectory() as folder:
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=True)
    return {name: value for name, value in json.loads(done.stdout).items() if name not in LEFT_OUT}


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The manifests of a file with one JSON object a line, by their command."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {row["command"]: row["manifest"] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, default=Path("benchmarks/prepared.jsonl"))
    parser.add_argument("--page", type=Path, default=Path("docs/data.md"))
    parser.add_argument("--run", action="store_true", help="run the commands of the page first")
    given = parser.parse_args()
    page = given.page.read_text(encoding="utf-8")
    if given.run:
        rows = [{"command": found[2], "manifest": run(found[2])} for found in BLOCK.finditer(page)]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        given.manifests.write_text(text, encoding="utf-8")
    given.page.write_text(refreshed(page, read(given.manifests)), encoding="utf-8")
    print(given.page)


if __name__ == "__main__":
    main()
