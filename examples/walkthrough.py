"""Runs walkthrough.ipynb, keeps in it what it printed, and writes docs/walkthrough.md from it.

``python examples/walkthrough.py`` does all of it, in a folder of its own that is gone afterwards;
``python examples/walkthrough.py --page`` writes the page alone. Needs the extra ``dev``.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).with_name("walkthrough.ipynb")
PAGE = NOTEBOOK.parents[1] / "docs" / "walkthrough.md"
SHELL = "%%bash -e\n"
SECONDS = 600
"""That one step may take on a busy machine."""
NOISE = re.compile(r"Failed to load CPU gemm_4bit_forward")
"""What a library says of itself to standard error, on machines without a GPU."""

HEAD = "<!-- Made from examples/walkthrough.ipynb, by examples/walkthrough.py, which ran it: edit that. -->"


def executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    """The notebook as it is after a run in `folder`; the commands are those beside this Python.

    Raises:
        nbclient.exceptions.CellExecutionError: a step fails.
    """
    made = nbformat.from_dict(notebook)
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    client = NotebookClient(made, timeout=SECONDS, resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | {"PATH": beside, "PYTHONWARNINGS": "ignore"})
    for cell in made.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = _tidy(cell.outputs)
    return made


def page(notebook: NotebookNode) -> str:
    """The notebook as a page: its words, its code, and what that printed."""
    parts = list(_parts(notebook))
    # Links in examples/ lead up and down again; on the page its neighbours are beside it.
    text = "\n\n".join(parts).replace("](../docs/", "](")
    title, _, rest = text.partition("\n\n")
    return f"{title}\n\n{HEAD}\n\n{rest}\n"


def printed(cell: NotebookNode) -> str:
    """What a step printed, and the value of its last line."""
    said = [output.text if "text" in output else output.data["text/plain"] for output in cell.outputs]
    return "".join(part if part.endswith("\n") else f"{part}\n" for part in said)


def _parts(notebook: NotebookNode) -> Iterator[str]:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield cell.source
            continue
        language = "bash" if cell.source.startswith(SHELL) else "python"
        yield f"```{language}\n{cell.source.removeprefix(SHELL)}\n```"
        if told := printed(cell):
            yield f"```text\n{told}```"


def _tidy(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs without noise; parts of one stream that follow each other are one."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if kept and "name" in output and kept[-1].get("name") == output.name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    for output in kept:
        if "text" in output:
            lines = output.text.splitlines(keepends=True)
            output.text = "".join(line for line in lines if not NOISE.search(line))
    return [output for output in kept if output.get("text", "a value")]


if __name__ == "__main__":
    found = nbformat.read(NOTEBOOK, as_version=4)
    if "--page" not in sys.argv:
        with tempfile.TemporaryDirectory() as scratch:
            found = executed(found, Path(scratch))
        nbformat.write(found, NOTEBOOK)
    PAGE.write_text(page(found), encoding="utf-8")
