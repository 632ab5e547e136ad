"""The table of corpora in docs/data.md is what ``unbarb data list --json`` counted, and nothing typed."""

from __future__ import annotations

import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from unbarb.data.catalogue import ORIGINS
from unbarb.data.corpora import FILES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text("utf-8")


def writer():
    """The script, which is no part of the package."""
    spec = spec_from_file_location("benchmarks_data", ROOT / "benchmarks" / "data.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counted() -> list[dict]:
    lines = (ROOT / "benchmarks" / "data.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_corpus_is_counted_and_has_an_origin() -> None:
    assert [corpus["name"] for corpus in counted()] == list(FILES) == list(ORIGINS)
    assert all(corpus["counts"] for corpus in counted())
    for corpus in counted():
        assert f"| `{corpus['name']}` |" in PAGE


def test_the_table_is_what_was_counted() -> None:
    assert writer().refreshed(PAGE, counted()) == PAGE, "make docs-data"
    other = counted()
    other[0]["counts"]["rows"] += 1
    assert writer().refreshed(PAGE, other) != PAGE


def test_a_corpus_that_was_not_there_cannot_be_in_the_table() -> None:
    absent = counted()
    absent[1]["counts"] = None
    with pytest.raises(SystemExit, match="not counted, so not in the table: wiki_natural"):
        writer().refreshed(PAGE, absent)
