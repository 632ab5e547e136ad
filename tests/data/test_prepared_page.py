"""What docs/data.md shows of ``unbarb data prepare`` is what its manifests say; its Python runs."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from unbarb.guard import Guard

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text("utf-8")


def writer():
    """The script, which is no part of the package."""
    spec = spec_from_file_location("benchmarks_prepared", ROOT / "benchmarks" / "prepared.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_manifests_say() -> None:
    script = writer()
    manifests = script.read(ROOT / "benchmarks" / "prepared.jsonl")
    assert len(script.BLOCK.findall(PAGE)) == len(manifests) == 3
    assert script.refreshed(PAGE, manifests) == PAGE, "python benchmarks/prepared.py --run"
    first = next(iter(manifests.values()))
    first["drops"]["empty"] = 7
    assert script.refreshed(PAGE, manifests) != PAGE


def test_a_split_by_row_of_paradetox_leaks_about_two_thirds() -> None:
    manifests = writer().read(ROOT / "benchmarks" / "prepared.jsonl").values()
    leaks = {
        m["leaks"]["of_a_split_by_row"]["share"]: m["leaks"] for m in manifests if m["kind"] == "pairs"
    }
    assert leaks[0.1]["of_a_split_by_row"]["leaked"] == pytest.approx(0.65, abs=0.01)
    assert leaks[0.01]["of_a_split_by_row"]["leaked"] == pytest.approx(0.69, abs=0.01)
    assert {leak["shared_sources"] for leak in leaks.values()} == {0}


def test_a_command_that_was_not_run_cannot_be_on_the_page() -> None:
    with pytest.raises(SystemExit, match="not run, so not on the page: unbarb data prepare paradetox"):
        writer().refreshed(PAGE, {})


def test_texts_are_detoxified_by_a_map_as_the_page_says(tiny_guard: Guard) -> None:
    datasets = pytest.importorskip("datasets")
    (code,) = re.findall(
        r"```python\nfrom unbarb import Guard\n\nguard = Guard\(\)\n(.*?)```", PAGE, re.DOTALL
    )
    texts = ["you are an idiot", "the shop is closed", "so it goes"]
    names = {"guard": tiny_guard, "rows": datasets.Dataset.from_dict({"text": texts})}
    exec(code, names)
    verdicts = tiny_guard.batch(texts)
    assert list(names["rows"]["text"]) == [verdict.text for verdict in verdicts if verdict.text is not None]
