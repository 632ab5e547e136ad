"""What the page says of clean comments is of all of them, whatever the guard did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
STORED = json.loads((ROOT / "benchmarks" / "infill.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    """The script, which is no part of the package; it imports the one beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        spec = spec_from_file_location("benchmarks_infill", ROOT / "benchmarks" / "infill.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


def test_every_verdict_is_counted_once_by_what_became_of_the_text(script: Any) -> None:
    actions = ["allow", "allow", "flag", "rewrite", "mask", "block", "route"]
    verdicts = [
        SimpleNamespace(action=action, text=None if action in ("block", "route") else "said")
        for action in actions
    ]
    counted = script.decided(verdicts)
    assert counted == {"allowed": 2, "flagged": 1, "changed": 1, "masked": 1, "withheld": 2}
    assert sum(counted.values()) == len(verdicts)


def test_the_page_tells_what_the_guard_did_and_how_many_the_rewriter_alone_changes(script: Any) -> None:
    kinds = {"allowed": 90, "flagged": 1, "changed": 5, "masked": 3, "withheld": 1}
    clean = {"name": "wiki_natural", "n": 100, "guard": kinds, "infill_alone": 4, "tmarco": 99}
    told = " ".join(script.lines({**STORED, "clean": clean}))
    assert "n = 100" in told
    assert "90 allowed, 1 flagged, 5 changed, 3 masked, 1 withheld;" in told
    assert "changes 4; TMaRCo changes 99." in told


def test_figures_without_what_the_guard_did_are_read_and_nothing_is_said_of_it(script: Any) -> None:
    clean = {"name": "wiki_natural", "n": 100, "infill_alone": 4, "tmarco": 99}
    told = " ".join(script.lines({**STORED, "clean": clean}))
    assert "the guard with this rewriter" not in told
    assert "words): the rewriter alone" in told
    assert script.lines(STORED)
