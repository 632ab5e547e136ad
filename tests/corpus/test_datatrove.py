"""The datatrove block: the same verdicts as the stage, datatrove's own statistics and files."""

from __future__ import annotations

import gzip
import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from unbarb.errors import ConfigError, MissingExtra
from unbarb.guard import Guard

datatrove = pytest.importorskip("datatrove", reason="needs the extra 'datatrove'")

from datatrove.data import Document  # noqa: E402
from datatrove.executor import LocalPipelineExecutor  # noqa: E402
from datatrove.pipeline.readers import JsonlReader  # noqa: E402
from datatrove.pipeline.writers.jsonl import JsonlWriter  # noqa: E402

from unbarb.corpus.datatrove import CleanDocuments  # noqa: E402

CLEAN = "The museum opens again in spring."
RUDE = "You are an idiot, but the second paragraph still needs a source."
THREAT = "I will kill you tonight."


def documents(*texts: str) -> list[Document]:
    return [Document(text=text, id=f"d{number}") for number, text in enumerate(texts)]


def test_documents_get_the_verdicts_of_the_guard() -> None:
    given = documents(CLEAN, RUDE, THREAT, CLEAN)
    step = CleanDocuments(batch_size=3)

    kept = list(step.run(iter(given)))

    rewritten = Guard(threads=1)(RUDE)
    assert rewritten.action == "rewrite"
    assert [document.id for document in kept] == ["d0", "d1", "d3"]
    assert [document.text for document in kept] == [CLEAN, rewritten.text, CLEAN]
    assert "unbarb" not in kept[0].metadata
    told = kept[1].metadata["unbarb"]
    assert (told["action"], told["rule"]) == ("rewrite", rewritten.rule)
    assert told["edits"][0]["replacement"] == rewritten.edits[0].replacement


def test_statistics_count_every_document() -> None:
    step = CleanDocuments()

    list(step.run(iter(documents(CLEAN, RUDE, THREAT, "lone \ud800 surrogate"))))

    counts = {name: metric.total for name, metric in step.stats.stats.items()}
    assert (counts["total"], counts["forwarded"], counts["dropped"]) == (4, 2, 2)
    assert (counts["allow"], counts["rewrite"], counts["dropped_unread"]) == (1, 1, 1)
    assert sum(value for name, value in counts.items() if name.startswith("dropped_")) == 2


def test_filtering_drops_what_would_be_rewritten() -> None:
    kept = list(CleanDocuments(filter=True).run(iter(documents(CLEAN, RUDE))))

    assert [document.text for document in kept] == [CLEAN]


def test_a_pipeline_writes_what_stays_and_what_is_dropped(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for part in range(2):
        rows = [
            {"id": f"{part}-{number}", "text": text} for number, text in enumerate((CLEAN, RUDE, THREAT))
        ]
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (source / f"part{part}.jsonl").write_text(content)
    writer = {"output_filename": "${rank}.jsonl", "compression": None}
    pipeline = [
        JsonlReader(str(source)),
        CleanDocuments(exclusion_writer=JsonlWriter(str(tmp_path / "dropped"), **writer)),
        JsonlWriter(str(tmp_path / "kept"), **writer),
    ]

    LocalPipelineExecutor(pipeline, tasks=2, workers=1, logging_dir=str(tmp_path / "logs")).run()

    kept, dropped = rows_in(tmp_path / "kept"), rows_in(tmp_path / "dropped")
    assert [row["id"] for row in kept] == ["0-0", "0-1", "1-0", "1-1"]
    assert [row["id"] for row in dropped] == ["0-2", "1-2"]
    assert {row["text"] for row in dropped} == {THREAT}
    assert {row["metadata"]["filter_reason"] for row in dropped} == {
        Guard()(THREAT).rule.partition(": ")[0]
    }


def test_the_pipeline_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Path(__file__).parents[2].joinpath("docs/ray.md").read_text("utf-8")
    (block,) = [code for code in re.findall(r"```python\n(.+?)```", page, re.DOTALL) if "datatrove" in code]
    monkeypatch.chdir(tmp_path)
    Path("raw").mkdir()
    Path("raw/comments.jsonl").write_text(json.dumps({"id": "1", "text": CLEAN}) + "\n", "utf-8")

    exec(compile(block.replace("tasks=4", "tasks=1"), "docs/ray.md", "exec"), {})

    (written,) = Path("clean").iterdir()
    assert json.loads(gzip.decompress(written.read_bytes()))["text"] == CLEAN


def test_without_datatrove_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datatrove.data", None)
    monkeypatch.delitem(sys.modules, "unbarb.corpus.datatrove")

    with pytest.raises(MissingExtra, match=r"pip install 'unbarb\[datatrove\]'"):
        importlib.import_module("unbarb.corpus.datatrove")


def test_a_wrong_option_is_told_where_the_pipeline_is_built() -> None:
    with pytest.raises(ConfigError, match="sideways"):
        CleanDocuments(direction="sideways")  # type: ignore[arg-type]


def rows_in(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.glob("*.jsonl"))
    assert len(files) == 2  # one of each task
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
