"""Several detectors answer as one; one that fails is named and takes nobody with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from unbarb.detect.panel import Panel, failed, merged
from unbarb.text import Analysis, Finding, Word


class Fixed:
    """Gives every text the same scores; fails on the texts it is told to."""

    def __init__(
        self, name: str, scores: dict[str, float], fails: Sequence[str] = (), error: Exception | None = None
    ) -> None:
        self.name = name
        self.labels = frozenset(scores)
        self.digest = f"sha256:{name}"
        self.asked: list[list[str]] = []
        self.contexts: list[object] = []
        self._scores, self._fails = scores, fails
        self._error = error or ValueError("cannot read")

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        self.asked.append(list(texts))
        self.contexts.append(context)
        if set(texts) & set(self._fails):
            raise self._error
        return [
            Analysis(text, self._scores, (Finding("insult", 0, 1, 0.9, self.name, "why"),), language="en",
                     models={self.name: self.digest})
            for text in texts
        ]  # fmt: skip


def test_scores_are_the_highest_and_findings_are_all() -> None:
    panel = Panel([Fixed("a", {"toxicity": 0.2, "insult": 0.9}), Fixed("b", {"toxicity": 0.7})])
    (analysis,) = panel.detect(["x"])
    assert analysis.scores == {"toxicity": 0.7, "insult": 0.9}
    assert [finding.source for finding in analysis.findings] == ["a", "b"]
    assert analysis.models == {"a": "sha256:a", "b": "sha256:b"}
    assert analysis.language == "en"
    assert panel.labels == {"toxicity", "insult"}
    assert not failed(analysis)


def test_the_digest_pins_members_and_their_order() -> None:
    a, b = Fixed("a", {}), Fixed("b", {})
    assert Panel([a, b]).digest != Panel([b, a]).digest != Panel([b]).digest
    assert Panel([a, b]).digest == Panel([a, b]).digest


def test_a_failing_member_is_named_and_the_others_count() -> None:
    panel = Panel([Fixed("good", {"toxicity": 0.3}), Fixed("bad", {"threat": 0.9}, fails=["x"])])
    (analysis,) = panel.detect(["x"])
    assert analysis.scores == {"toxicity": 0.3}
    assert analysis.coverage == 0.0
    assert analysis.warnings == ("detector failed: bad: ValueError: cannot read",)
    assert failed(analysis)


def test_one_texts_trouble_is_not_anothers() -> None:
    member = Fixed("bad", {"toxicity": 0.9}, fails=["rotten"])
    first, second, third = Panel([member]).detect(["fine", "rotten", "well"], context=["1", "2", "3"])
    assert (first.scores, third.scores) == ({"toxicity": 0.9},) * 2
    assert [failed(one) for one in (first, second, third)] == [False, True, False]
    assert member.asked == [["fine", "rotten", "well"], ["fine"], ["rotten"], ["well"]]
    assert member.contexts == [["1", "2", "3"], ["1"], ["2"], ["3"]]


@pytest.mark.parametrize("error", [RuntimeError("gone"), KeyError("x"), MemoryError()])
def test_a_plug_in_may_raise_anything(error: Exception) -> None:
    (analysis,) = Panel([Fixed("bad", {}, fails=["x"], error=error)]).detect(["x"])
    assert failed(analysis)
    assert type(error).__name__ in analysis.warnings[0]


def test_a_stop_by_the_user_passes() -> None:
    class Stopped(Fixed):
        def detect(self, *_: object, **__: object) -> list[Analysis]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Panel([Stopped("slow", {})]).detect(["x"])


def test_a_member_that_answers_for_too_few_has_failed() -> None:
    class Short(Fixed):
        def detect(self, texts: Sequence[str], **_: object) -> list[Analysis]:
            return super().detect(texts)[1:]

    analyses = Panel([Fixed("good", {"toxicity": 0.4}), Short("short", {})]).detect(["x", "y"])
    assert [failed(analysis) for analysis in analyses] == [True, True]
    assert all(analysis.scores == {"toxicity": 0.4} for analysis in analyses)
    assert "0 analyses for 1 texts" in analyses[0].warnings[0]


def test_an_empty_batch_is_an_empty_answer() -> None:
    assert Panel([Fixed("a", {}), Fixed("b", {})]).detect([]) == []


def test_merged_keeps_the_more_toxic_word_and_each_warning_once() -> None:
    left = Analysis("a b", {}, words=(Word(0, 1, 0.2), Word(2, 3, 0.9)), coverage=0.5, warnings=("w", "v"))
    right = Analysis("a b", {}, words=(Word(0, 1, 0.6), Word(2, 3, 0.1)), warnings=("v",), language="de")
    both = merged("a b", [left, right])
    assert both.words == (Word(0, 1, 0.6), Word(2, 3, 0.9))
    assert both.warnings == ("w", "v")
    assert (both.coverage, both.language) == (0.5, "de")


READ = Analysis("so a b", {"insult": 0.1}, words=(Word(0, 2, 0.0), Word(3, 4, 0.3), Word(5, 6, 0.1)))
"""What a detector says that read every word."""


def _listed(score: float, *findings: float) -> Analysis:
    """What a list of words says that finds its words with these scores."""
    found = tuple(Finding("insult", 3, 4, one, "list", "an entry") for one in findings)
    return Analysis("so a b", {"insult": score, "doxxing": score}, found)


def test_a_weak_score_of_listed_words_gives_way_to_a_detector_that_read_all() -> None:
    for listed in (_listed(0.45, 0.45, 0.2), _listed(0.4, 0.6)):
        for both in ([listed, READ], [READ, listed]):
            assert merged("so a b", both).scores == {"insult": 0.1, "doxxing": listed.scores["doxxing"]}


def test_a_weak_score_counts_where_nobody_read_all_the_words() -> None:
    unread = Analysis("so a b", {"insult": 0.1}, words=READ.words[1:])
    assert merged("so a b", [_listed(0.45, 0.45), unread]).scores["insult"] == 0.45


@pytest.mark.parametrize(
    "other",
    [
        _listed(0.4),
        replace(READ, scores={"insult": 0.4}, findings=_listed(0.4, 0.4).findings),
    ],
)
def test_a_score_counts_that_rests_on_no_finding_or_on_all_words(other: Analysis) -> None:
    assert merged("so a b", [READ, other]).scores["insult"] == other.scores["insult"]


def test_a_list_says_that_a_word_is_rude_and_with_a_reader_how_it_is_meant() -> None:
    found = Finding("insult", 3, 4, 0.9, "list", "an entry")
    listed = Analysis("so a b", dict.fromkeys(("toxicity", "threat", "insult", "doxxing"), 0.9), (found,))
    read = replace(READ, scores=dict.fromkeys(("toxicity", "threat", "insult"), 0.1))
    assert merged("so a b", [listed, read]).scores == {
        "toxicity": 0.9, "threat": 0.9, "insult": 0.3, "doxxing": 0.9
    }  # fmt: skip
    unread = replace(read, words=READ.words[1:])
    assert merged("so a b", [listed, unread]).scores["insult"] == 0.9


def test_a_weak_finding_counts_where_its_words_were_thought_as_toxic() -> None:
    assert [one.score for one in merged("so a b", [READ, _listed(0.4, 0.4, 0.3, 0.2)]).findings] == [
        0.3,
        0.2,
    ]


def test_merged_of_one_is_that_one() -> None:
    only = Analysis("x", {"toxicity": 0.1})
    assert merged("x", [only]) is only


def test_an_analysis_of_another_text_is_a_failure() -> None:
    class Trimming(Fixed):
        def detect(
            self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
        ) -> list[Analysis]:
            return super().detect([text.strip() for text in texts], context=context)

    trimmed, whole = Panel([Trimming("trimming", {"toxicity": 0.9})]).detect([" rude ", "rude"])
    assert failed(trimmed)
    assert "holds another text than the one given" in trimmed.warnings[0]
    assert whole.scores == {"toxicity": 0.9}
