"""The rewriting suite with judges made by hand: baselines, unscored outputs, overlap, examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from unbarb.evaluate.delete_words import DeleteWords
from unbarb.evaluate.suites.rewriting import HUMAN, Sentences, rewriting
from unbarb.metrics import bootstrap
from unbarb.metrics.bleu import bleu
from unbarb.metrics.chrf import chrf
from unbarb.metrics.joint import joint
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import Floats

SOURCES = ("you damn fool go home now", "the damn car is broken again", "what damn rain we have today")
REFERENCES = ("you please go home right now", "the car is broken again", "what heavy rain we have today")
DATA = Sentences("made up", SOURCES, REFERENCES)


class ByWord:
    """Scores that anybody can check: *damn* is toxic, shared words are meaning, everything is fluent."""

    def __init__(self, sources: Sequence[str], outputs: Sequence[str | None]) -> None:
        def each(of: object) -> Floats:
            pairs = zip(sources, outputs, strict=True)
            return np.array([np.nan if o is None else of(s, o) for s, o in pairs])  # type: ignore[operator]

        self.toxicity = each(lambda s, o: float("damn" in o))
        self.to_source = each(lambda s, o: len(set(s.split()) & set(o.split())) / len(set(s.split())))
        self.fluency = each(lambda s, o: 1.0)
        self.joint = joint(self.toxicity, self.to_source, self.to_source, self.fluency)

    def figures(self) -> dict[str, Measured]:
        clean = [None if t != t else float(t < 0.5) for t in self.toxicity.tolist()]
        return {"non_toxic": share("n/1", clean), "joint": measure("j/1", bootstrap.mean, self.joint)}


class Judge:
    def score(
        self, sources: Sequence[str], outputs: Sequence[str | None], references: Sequence[str]
    ) -> ByWord:
        return ByWord(sources, outputs)


def half_silent(texts: Sequence[str]) -> list[str | None]:
    return [None, *(text.replace("damn ", "") for text in texts[1:])]


@pytest.fixture(scope="module")
def table():
    return rewriting(
        DATA,
        {"mine": half_silent},
        DeleteWords(["damn"]),
        Judge(),
        recheck=lambda texts: ["damn" in text for text in texts],
    )


def test_baselines_always_stand_beside(table):
    assert [row.system for row in table.rows] == ["copy", "delete listed words", HUMAN, "mine"]


def test_copy_and_delete_are_what_they_say(table):
    copy, delete, human, _ = (row.figures for row in table.rows)
    assert (copy["non_toxic"].value, copy["unchanged"].value, copy["policy would act"].value) == (0, 1, 1)
    assert (delete["non_toxic"].value, delete["unchanged"].value) == (1.0, 0.0)
    assert human["bleu"].value == pytest.approx(100)
    assert human["chrf"].value == pytest.approx(100)
    assert "joint less human" not in human
    assert copy["joint less human"].value < 0


def test_silence_is_unscored_not_zero(table):
    mine = table.rows[-1].figures
    assert (mine["non_toxic"].value, mine["non_toxic"].n, mine["non_toxic"].unscored) == (1.0, 2, 1)
    assert (mine["policy would act"].n, mine["policy would act"].unscored) == (2, 1)
    assert (mine["bleu"].n, mine["bleu"].unscored) == (2, 1)
    assert mine["joint less human"].unscored == 1


def test_examples_are_of_the_systems_compared(table):
    assert [example.source for example in table.examples] == list(SOURCES)
    assert table.examples[0].output is None
    assert table.examples[0].scores == {}
    assert table.examples[1].scores["toxicity"] == 0.0


def test_overlap_equals_sacrebleu_and_carries_its_signature():
    sacrebleu = pytest.importorskip("sacrebleu")
    outputs = ["the car is broken", "what rain we have today", "You please go home"]
    references = ["the car is broken again", "what heavy rain we have today", "you please go home"]
    assert bleu(outputs, references).value == pytest.approx(
        sacrebleu.corpus_bleu(outputs, [references]).score
    )
    figure = chrf(outputs, references)
    assert figure.value == pytest.approx(sacrebleu.corpus_chrf(outputs, [references]).score)
    assert "nc:6|nw:0" in figure.metric
    assert figure.low < figure.value < figure.high
    assert chrf(["YOU"] * 3, ["you"] * 3).value == 0.0
    assert bleu([None], ["x"]).value is None
