"""Every suite on a handful of made-up texts: what a perfect, a blind and a middling system get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from unbarb.evaluate.delete_words import DeleteWords
from unbarb.evaluate.subjects import AlwaysClean, Bare, Guarded, Outcome
from unbarb.evaluate.suites.behaviours import Case, behaviours
from unbarb.evaluate.suites.detection import Texts, detection, labels
from unbarb.evaluate.suites.gate import Gated, gate
from unbarb.evaluate.suites.obfuscation import obfuscation
from unbarb.evaluate.suites.spans import Marked, spans
from unbarb.evaluate.suites.verification import Contrast, verification
from unbarb.text import LABELS, Analysis, Finding, Verdict


@dataclass
class Words:
    """A detector that finds the word *fool*, and calls it an attack on a group beside the word *greens*."""

    name: str = "words"
    digest: str = "sha256:0"
    labels: frozenset[str] = frozenset(LABELS)
    seen: list[int] = field(default_factory=list)

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        self.seen.append(len(texts))
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Analysis:
        at = text.find("fool")
        score = 0.9 if at >= 0 else 0.1
        label = "identity_attack" if "greens" in text else "insult"
        found = (Finding(label, at, at + 4, score, self.name, "listed"),) if at >= 0 else ()
        return Analysis(text, dict.fromkeys(LABELS, score) | {"identity_attack": 0.1}, found)


class Guard:
    """Flags what :class:`Words` finds."""

    def check_batch(self, texts: Sequence[str]) -> list[Verdict]:
        return [
            Verdict(
                action="flag" if analysis.findings else "allow",
                original=analysis.text,
                text=analysis.text,
                scores=analysis.scores,
                findings=analysis.findings,
                rule="test",
                policy={},
            )
            for analysis in Words().detect(texts)
        ]


TEXTS = ("you fool", "what a fool", "good morning", "fool's gold is pyrite", "see you soon", "bye")
TOXIC = (1.0, 1.0, 0.0, 0.0, 0.0, None)


def test_detection_has_every_figure_for_every_subject():
    table = detection(
        Texts("made up", TEXTS, {"toxicity": TOXIC}), [Guarded(Guard()), Bare(Words()), AlwaysClean()]
    )
    assert [row.system for row in table.rows] == ["unbarb", "words", "always clean"]
    first, _, blind = (row.figures for row in table.rows)
    assert first["roc_auc"].value == pytest.approx(1 - 0.5 / 3)
    assert (first["roc_auc"].n, first["roc_auc"].unscored) == (5, 1)
    assert first["found by policy"].value == 1.0
    assert first["false alarms by policy"].value == pytest.approx(1 / 3)
    assert blind["roc_auc"].value == 0.5
    assert blind["found at 1 % false alarms"].value == 0.0
    assert blind["false alarms by policy"].value == 0.0
    assert {curve.kind for curve in table.curves} == {"roc", "calibration"}
    roc = next(curve for curve in table.curves if curve.kind == "roc")
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert roc.y[1] == 1.0
    assert roc.x[1] == pytest.approx(1 / 3, abs=1e-4)


def test_a_label_that_nothing_scores_is_unscored():
    data = Texts("made up", TEXTS, dict.fromkeys(LABELS, TOXIC))

    class Partial(Words):
        def _one(self, text: str) -> Analysis:
            return Analysis(text, {"toxicity": super()._one(text).scores["toxicity"]})

    (row,) = labels(data, [Bare(Partial())]).rows
    assert row.figures["toxicity"].value == pytest.approx(1 - 0.5 / 3)
    assert row.figures["threat"].value is None
    assert row.figures["threat"].unscored == 6


def test_spans_compare_characters():
    data = [Marked("you fool", ((4, 8),)), Marked("good morning", ()), Marked("fool's gold", ())]
    (row, blind) = spans("made up", data, [Bare(Words()), AlwaysClean()]).rows
    assert row.figures["span_f1"].value == pytest.approx(2 / 3)
    assert row.figures["on marked texts"].value == 1.0
    assert blind.figures["on marked texts"].value == 0.0


def test_behaviours_are_counted_apart():
    cases = [
        Case("greens are fools, the fool lot", "derogation", True),
        Case("every green is a weed", "derogation", True),
        Case("the greens are my friends", "positive identity", False),
    ]
    (table,) = behaviours("made up", cases, [Bare(Words())])
    (row,) = table.rows
    assert row.figures["derogation"].value == 0.5
    assert row.figures["positive identity"].value == 1.0
    assert row.figures["macro_f1"].value == pytest.approx(2 / 3)


def test_what_is_not_even_toxic_should_be_left_alone():
    cases = [
        Case("you fool", "insult", False),
        Case("he called me a fool", "reported insult", False, harmless=True),
        Case("he called me a friend", "reported insult", False, harmless=True),
    ]
    told, alone = behaviours("made up", cases, [Bare(Words())])
    assert told.rows[0].figures["reported insult"].value == 1.0
    assert alone.name == "made up, harmless"
    assert {name: figure.value for name, figure in alone.rows[0].figures.items()} == {
        "reported insult": 0.5
    }


def test_a_finding_counts_even_under_the_threshold():
    found = Outcome({"insult": 0.2}, True, (Finding("insult", 0, 1, 0.2, "x", "y"),))
    assert found.says("insult") is True
    assert Outcome({"insult": 0.2}, False).says("insult") is False
    assert Outcome({}, False).says("insult") is None


def test_obfuscation_counts_both_sides():
    (row,) = obfuscation("made up", ["you fool", "you f00l"], ["fool's gold"], [Bare(Words())]).rows
    assert row.figures["insults found"].value == 0.5
    assert row.figures["look-alikes flagged"].value == 1.0


def test_verification_counts_kinds_and_unscored():
    pairs = [Contrast("a", "b", "negation"), Contrast("a", "c", "number"), Contrast("a", "d", "number")]

    def accepts(sources: Sequence[str], candidates: Sequence[str]) -> list[bool | None]:
        return [{"b": False, "c": True, "d": None, "good": True}[c] for c in candidates]

    (row,) = verification("made up", pairs, [("a", "good")], accepts).rows
    assert row.figures["contrasts rejected"].value == 0.5
    assert (row.figures["number"].value, row.figures["number"].unscored) == (0.0, 1)
    assert row.figures["references accepted"].value == 1.0


def test_gate_counts_what_it_lost():
    data = [Gated(f"t{i}", True, True, i != 0, False, "insult") for i in range(10)]
    data += [
        Gated("clean", False, False, False, True, "clean"),
        Gated("missed anyway", True, False, False, True),
    ]
    everything, *kinds = gate("made up", data).rows
    assert everything.figures["lost recall"].value == pytest.approx(0.1)
    assert everything.figures["lost recall"].n == 10
    assert everything.figures["lost recall, at most"].value == pytest.approx(0.394, abs=0.001)
    assert everything.figures["settled"].value == pytest.approx(2 / 12)
    assert [row.system for row in kinds] == ["insult", "clean", "all"]
    assert kinds[1].figures["lost recall"].value is None


def test_texts_are_handed_on_in_chunks():
    words = Words()
    outcomes = Bare(words).outcomes(["fool"] * 600)
    assert (len(outcomes), words.seen) == (600, [256, 256, 88])


def test_deleting_words_takes_whole_words_only():
    delete = DeleteWords(["fool", "damn fool", "it"])
    assert delete(["You damn Fool , it is foolish", "fool"]) == ["You , it is foolish", ""]
    assert DeleteWords([])(["as it is"]) == ["as it is"]


def test_digests_follow_the_data():
    one = Texts("a", ("x",), {"toxicity": (1.0,)})
    assert one.digest == Texts("b", ("x",), {"toxicity": (1.0,)}).digest
    assert one.digest != Texts("a", ("x",), {"toxicity": (0.0,)}).digest
