"""A plug-in is found by name, or the error says which names there are and what is missing."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from unbarb import errors, plugins
from unbarb.errors import MissingExtra, PluginError, UnbarbError

GROUP = "unbarb.detectors"


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """Registers entry points and puts modules on the path."""
    points: list[EntryPoint] = []

    def add(name: str, value: str, source: str | None = None) -> None:
        if source is not None:
            (tmp_path / f"{value.split(':')[0]}.py").write_text(source)
        points.append(EntryPoint(name, value, GROUP))

    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "entry_points", lambda **chosen: EntryPoints(points).select(**chosen))
    return add


def test_a_registered_class_is_loaded(register) -> None:
    register("mine", "plugin_good:Mine", "class Mine:\n    name = 'mine'\n")
    assert plugins.load(GROUP, "mine").name == "mine"
    assert plugins.names(GROUP) == ("mine",)


def test_built_ins_come_through_the_same_door() -> None:
    assert {"embedded", "lexicon", "linear"} <= set(plugins.names("unbarb.detectors"))
    assert {"edit", "mask"} <= set(plugins.names("unbarb.rewriters"))
    loaded = plugins.load("unbarb.detectors", "embedded")
    assert loaded.name == "embedded"
    assert plugins.load("unbarb.rewriters", "edit").name == "edit"


def test_an_unknown_name_gets_a_hint_and_the_list(register) -> None:
    register("lexicon", "plugin_x:A")
    register("linear", "plugin_x:B")
    with pytest.raises(PluginError, match=r"'lexikon'; did you mean 'lexicon'\? Known: lexicon, linear"):
        plugins.load(GROUP, "lexikon")
    with pytest.raises(PluginError, match=r"no plug-in named 'zzz' Known"):
        plugins.load(GROUP, "zzz")


def test_a_missing_package_is_named_with_the_cure(register) -> None:
    register("heavy", "plugin_heavy:Heavy", "import package_that_is_not_there\n")
    with pytest.raises(MissingExtra, match=r"'package_that_is_not_there': pip install 'unbarb\["):
        plugins.load(GROUP, "heavy")


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("plugin_noclass:Absent", "x = 1\n"),
        ("plugin_badimport:Any", "from unbarb.text import does_not_exist\n"),
        ("plugin_badmodule:Any", "import unbarb.not_a_module\n"),
        ("plugin_badclass:Any", "class Any(1 .missing): ...\n"),
    ],
)
def test_what_does_not_import_is_an_error_and_no_missing_extra(register, value: str, source: str) -> None:
    register("broken", value, source)
    with pytest.raises(PluginError, match=r"'broken'.*does not import") as caught:
        plugins.load(GROUP, "broken")
    assert not isinstance(caught.value, MissingExtra)


def test_a_name_that_two_packages_claim_is_refused(register) -> None:
    register("twice", "plugin_one:A", "class A: ...\n")
    register("twice", "plugin_two:A", "class A: ...\n")
    with pytest.raises(PluginError, match="claimed by plugin_one:A, plugin_two:A"):
        plugins.load(GROUP, "twice")


def test_the_same_point_met_twice_is_no_conflict(register) -> None:
    register("again", "plugin_again:A", "class A: ...\n")
    register("again", "plugin_again:A")
    assert plugins.load(GROUP, "again").__name__ == "A"


def test_every_error_is_an_unbarb_error_and_says_when_it_is_raised() -> None:
    raised = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, Exception)]
    assert len(raised) == 11
    for one in raised:
        assert issubclass(one, UnbarbError)
        assert one.__doc__
        assert one.__name__ in (errors.__doc__ or "")
    message = str(MissingExtra.for_feature("training", "torch", "train"))
    assert message == "training needs the package 'torch': pip install 'unbarb[train]'"
