"""The contract of each protocol, over everything registered, ours and others'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from unbarb import plugins
from unbarb.detect import contract as detecting
from unbarb.plugins import Plugin, instance
from unbarb.rewrite import contract as rewriting
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Edit, Finding, Word

DETECTORS = plugins.names("unbarb.detectors")
REWRITERS = plugins.names("unbarb.rewriters")


WITH_A_MODEL = ("transformers", "generative", "seq2seq", "causal", "infill", "infill-reflect", "remote")
"""Plug-ins that need one of your own; here a tiny one, and for `remote` an endpoint in this process."""


@cache
def plugin(group: str, name: str) -> Any:
    if name not in WITH_A_MODEL:
        return instance(group, name, {})
    served = pytest.importorskip("served_models", reason="needs the extra 'train'")
    folder = TemporaryDirectory()
    made = instance(group, Plugin(name, served.options(name, Path(folder.name))), {})
    made.kept = folder  # lives as long as the plug-in
    return made


@cache
def analyses() -> tuple[Analysis, ...]:
    """Of every text of the contract, by the detector with words and by one that found nothing."""
    texts = [text for text in detecting.TEXTS if len(text) < 9000] + ["you idiot " * 40]
    found = plugin("unbarb.detectors", "embedded").detect(texts)
    return (*found, *(replace(one, findings=(), words=()) for one in found))


def test_all_plug_ins_are_seen() -> None:
    assert {"embedded", "lexicon", "linear", "transformers", "generative"} <= set(DETECTORS)
    assert {"edit", "mask", "seq2seq", "causal", "remote"} <= set(REWRITERS)
    assert len(DETECTORS) >= 5
    assert len(REWRITERS) >= 5
    assert len(detecting.TEXTS) >= 12
    assert max(map(len, detecting.TEXTS)) == 10_000


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_keep_the_contract(name: str) -> None:
    detector = plugin("unbarb.detectors", name)
    assert detector.name == name
    assert detecting.broken_promises(detector) == []


@pytest.mark.parametrize("name", DETECTORS)
def test_detectors_find_something(name: str) -> None:
    """A detector that never scores anything would keep the contract too."""
    rude, kind = plugin("unbarb.detectors", name).detect(
        ["You are an idiot, and your friends are idiots too!", "Thank you, that was kind of you."]
    )
    assert max(rude.scores.values()) > max(kind.scores.values(), default=0.0)


@pytest.mark.parametrize("name", REWRITERS)
def test_rewriters_keep_the_contract(name: str) -> None:
    rewriter = plugin("unbarb.rewriters", name)
    assert rewriter.name == name
    assert rewriting.broken_promises(rewriter, analyses()) == []


@pytest.mark.parametrize("name", REWRITERS)
def test_rewriters_propose_something(name: str) -> None:
    assert any(plugin("unbarb.rewriters", name).propose(analyses()))


class Broken:
    """A detector that keeps no promise at all."""

    name, labels, digest = "", frozenset(), "md5:0"

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        wrong = Analysis(
            "another",
            {"insult": float(len(texts))},
            (Finding("insult", 3, 99_999, 2.0, "", ""),),
            (Word(5, 6, 0.1), Word(0, 99_999, 3.0)),
            coverage=0.5,
        )
        return [wrong] * max(len(texts), 1)


def test_the_check_of_detectors_sees_what_is_broken() -> None:
    told = "\n".join(detecting.broken_promises(Broken(), ["some text", "more"]))
    for said in (
        "name is empty", "labels must be", "digest must be", "another text", "not among its labels",
        "not 0…1", "was scored", "empty or outside the text", "a source and a reason", "words overlap",
        "alone than in a batch", "no texts must give",
    ):  # fmt: skip
        assert said in told
    assert "another result in a batch of another order" not in told


class Raising(Broken):
    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        raise ZeroDivisionError("trouble")


def test_the_check_of_detectors_sees_an_exception() -> None:
    assert "detect raised ZeroDivisionError: trouble" in detecting.broken_promises(Raising())


class Careless:
    """A rewriter that keeps no promise at all."""

    name, digest = "", ""

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        found = [
            Candidate("x", (Edit(0, 1, "y"),), "edit", float(len(analyses))),
            Candidate(analyses[0].text if analyses else "", (), "none", 9.0),
            Candidate("x", (Edit(5, 99, ""),), "mask"),
        ]
        return [found] * max(len(analyses), 1)


def test_the_check_of_rewriters_sees_what_is_broken() -> None:
    told = "\n".join(rewriting.broken_promises(Careless(), [Analysis("some", {}), Analysis("more", {})]))
    for said in (
        "name is empty", "digest must be", "edits give", "changes nothing", "step is 'none'", "best first",
        "outside a text", "alone than in a batch", "no analyses must give", "batch of another order",
    ):  # fmt: skip
        assert said in told
