"""The walk-through: its page is its notebook, and its notebook runs."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="needs the extra 'dev'")
pytest.importorskip("nbclient", reason="needs the extra 'dev'")

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
walkthrough = import_module("walkthrough")
NOTEBOOK = nbformat.read(walkthrough.NOTEBOOK, as_version=4)


def lines(cell: nbformat.NotebookNode) -> list[str]:
    """What a step printed, its figures left out: seconds, sizes and digests are another machine's."""
    return [
        re.sub(r"[0-9a-f]{12}|[\d.,]+", "…", line)
        for line in walkthrough.printed(cell).strip().splitlines()
    ]


def steps(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_page_is_the_notebook() -> None:
    assert walkthrough.PAGE.read_text("utf-8") == walkthrough.page(NOTEBOOK), (
        "run python examples/walkthrough.py --page"
    )


def test_the_notebook_shows_what_it_printed_and_nothing_of_where_it_ran() -> None:
    assert len(steps(NOTEBOOK)) >= 15
    for cell in steps(NOTEBOOK):
        assert "error" not in [output.output_type for output in cell.outputs]
        if cell.source.startswith(walkthrough.SHELL):
            assert lines(cell), cell.source
        assert str(Path.home()) not in walkthrough.printed(cell)
        assert "/tmp/" not in walkthrough.printed(cell)


@pytest.mark.slow
def test_the_notebook_runs_and_says_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = walkthrough.executed(NOTEBOOK, tmp_path)
    for before, now in zip(steps(NOTEBOOK), steps(made), strict=True):
        assert lines(now) == lines(before), now.source
