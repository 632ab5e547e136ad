"""docs/add-a-detector.md is true: its plug-in is built from the page, registered, and run by a guard."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from unbarb import plugins
from unbarb.errors import PluginError
from unbarb.guard import Guard
from unbarb.policy import Policy

PAGE = (Path(__file__).parent.parent / "docs" / "add-a-detector.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's package as pip leaves it: a module and its metadata on the path."""
    module, _ = blocks("python")
    (toml,) = blocks("toml")
    project = tomllib.loads(toml)["project"]
    (tmp_path / "unbarb_shouting.py").write_text(module, "utf-8")
    metadata = tmp_path / "unbarb_shouting-0.1.0.dist-info"
    metadata.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (metadata / "METADATA").write_text(head, "utf-8")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in points.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("unbarb_shouting", None)


def test_the_entry_point_is_found(installed: Path) -> None:
    assert "shouting" in plugins.names("unbarb.detectors")
    assert plugins.load("unbarb.detectors", "shouting").labels == {"shouting"}


def test_a_guard_runs_it_under_the_policy_of_the_page(installed: Path) -> None:
    (policy,) = blocks("yaml")
    guard = Guard(policy=Policy.parse(policy, "loud.yaml"), rewriter=None)
    verdict = guard("please STOP THAT now")
    assert verdict.action == "flag"
    assert verdict.rule.startswith("labels.shouting: ")
    assert [f.span.of(verdict.original) for f in verdict.findings] == ["STOP", "THAT"]
    assert verdict.models["shouting"].startswith("sha256:")
    assert guard("please stop that now").action == "allow"
    assert "shouting" not in verdict.unscored


def test_the_tests_of_the_page_pass(installed: Path) -> None:
    _, tests = blocks("python")
    module = ModuleType("test_of_the_page")
    exec(compile(tests, "add-a-detector.md", "exec"), module.__dict__)
    found: list[Any] = [made for name, made in vars(module).items() if name.startswith("test_")]
    assert len(found) == 2
    for test in found:
        test()


def test_without_the_package_a_guard_cannot_be_built() -> None:
    (policy,) = blocks("yaml")
    with pytest.raises(PluginError, match="no plug-in named 'shouting'"):
        Guard(policy=Policy.parse(policy, "loud.yaml"), rewriter=None)
