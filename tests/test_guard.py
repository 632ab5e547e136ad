"""The guard with small detectors and rewriters of the test's own: decisions, ladder, failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from unbarb import Guard, Policy
from unbarb.detect.protocol import Detector
from unbarb.errors import ConfigError, InputError, PluginError
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Edit, Finding, Word, apply
from unbarb.verify.ladder import SHORT, Ladder
from unbarb.verify.verifier import Assessment, Verifier

POLICY = """
schema: 1
name: test
languages: [en]
detectors: [lexicon]
labels:
  toxicity: {threshold: 0.5, margin: 0.1, action: rewrite}
  threat: {threshold: 0.5, action: block, message: No threats here.}
"""


@dataclass(frozen=True)
class Spotter:
    """Scores a text by the words it knows."""

    known: Mapping[str, float] = field(default_factory=lambda: {"jerk": 0.9, "silly": 0.6, "[...]": 0.1})
    threats: tuple[str, ...] = ("kill",)
    name: str = "spotter"
    labels: frozenset[str] = frozenset({"toxicity", "threat"})
    digest: str = "sha256:0"
    breaks_on: str = "\0"
    tongue: str = "en"

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        if any(self.breaks_on in text for text in texts):
            raise RuntimeError("cannot read this")
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Analysis:
        words = []
        for word in self.known:
            at = text.find(word)
            if at >= 0:
                words.append(Word(at, at + len(word), self.known[word]))
        toxicity = max((word.toxicity for word in words), default=0.0)
        threat = 0.9 if any(word in text for word in self.threats) else 0.0
        found = tuple(
            Finding("toxicity", w.start, w.end, w.toxicity, self.name, "listed")
            for w in words
            if w.toxicity > 0.5
        )
        scores = {"toxicity": toxicity, "threat": threat}
        return Analysis(
            text, scores, found, tuple(words), language=self.tongue, models={self.name: self.digest}
        )


@dataclass(frozen=True)
class Swapper:
    """Proposes a word for "jerk"; several, best first."""

    words: tuple[str, ...] = ("person",)
    name: str = "swapper"
    digest: str = "sha256:1"

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        return [self._for(analysis.text) for analysis in analyses]

    def _for(self, text: str) -> list[Candidate]:
        at = text.find("jerk")
        if at < 0:
            return []
        found = [(Edit(at, at + 4, word),) for word in self.words]
        return [Candidate(apply(edits, text), edits, "edit") for edits in found]


@dataclass(frozen=True)
class Noting(Swapper):
    """Notes in `asked` what it is asked about."""

    asked: list[str] = field(default_factory=list)

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        self.asked.extend(analysis.text for analysis in analyses)
        return super().propose(analyses)


class Pleased:
    """A judge that likes everything but what holds the word "garbled"."""

    def assess(self, source: str, candidates: Sequence[str]) -> list[Assessment]:
        return [Assessment(0.9, 0.0 if "garbled" in text else 0.9) for text in candidates]


def guard(policy: str = POLICY, rewriter: Any = None, **spotter: Any) -> Guard:
    detector = Spotter(**spotter)
    verifier = Verifier(detector, [], Pleased(), headroom=0.0)
    return Guard(Policy.parse(policy), [detector], rewriter or Swapper(), verifier=verifier, threads=1)


def test_clean_text_is_allowed_byte_for_byte() -> None:
    verdict = guard()("  What a day\t…\n")
    assert (verdict.action, verdict.text, verdict.rule) == ("allow", "  What a day\t…\n", "none")


def test_toxic_text_is_rewritten_and_says_how() -> None:
    verdict = guard()("he is a jerk today", id="7", direction="output")
    assert (verdict.action, verdict.step, verdict.text) == ("rewrite", "edit", "he is a person today")
    assert apply(verdict.edits, verdict.original) == verdict.text
    assert verdict.scores["toxicity"] == 0.9
    assert verdict.scores_after == {"toxicity": 0.0, "threat": 0.0}
    assert verdict.meaning == 0.9
    assert (verdict.id, verdict.direction) == ("7", "output")
    assert "toxicity" in verdict.rule
    assert not verdict.not_detoxifiable


def test_the_next_candidate_is_taken_when_the_best_fails_its_check() -> None:
    words = ("silly", "garbled", "stranger", "person")
    assert guard(rewriter=Swapper(words))("he is a jerk today").text == "he is a stranger today"


def test_a_verdict_names_the_rewriters_whose_words_left() -> None:
    spotter = {"spotter": "sha256:0"}
    assert guard()("he is a jerk today").models == {**spotter, "swapper": "sha256:1"}
    assert guard()("what a day").models == spotter
    masked = guard(rewriter=Swapper(("silly",)))("he is a big jerk today").models
    assert "mask" in masked
    assert "swapper" not in masked
    both = guard(known={"jerk": 0.9, "dolt": 0.9, "[...]": 0.1})("He is a jerk. You are a dolt.").models
    assert set(both) == {"spotter", "swapper", "mask"}


def test_the_ladder_goes_down_to_delete_and_mask_when_no_edit_passes() -> None:
    verdict = guard(rewriter=Swapper(("silly",)))("he is a big jerk today")
    assert verdict.step in ("delete", "mask")
    assert verdict.text is not None
    assert "jerk" not in verdict.text


def test_what_even_a_mask_cannot_mend_is_blocked() -> None:
    known = {"jerk": 0.9, "he": 0.9, "[...]": 0.9}
    verdict = guard(rewriter=Swapper(("silly",)), known=known)("he is a jerk")
    assert (verdict.action, verdict.text, verdict.step) == ("block", None, "block")
    assert verdict.not_detoxifiable
    assert any("no rewrite passed" in warning for warning in verdict.warnings)


def test_one_sentence_that_nothing_mends_is_masked_whole_and_the_rest_leaves() -> None:
    known = {word: 0.9 for word in ("jerk", "silly", "That was", "[...] was")}
    judge = guard(rewriter=Swapper(("silly",)), known=known)
    verdict = judge("We met at noon in the hall. That jerk was there.  Then we all went home.")
    assert verdict.text == "We met at noon in the hall. [...]  Then we all went home."
    assert (verdict.action, verdict.step, verdict.not_detoxifiable) == ("mask", "mask", True)
    assert judge("That jerk was here. And That jerk was there.").action == "block"


def test_a_threat_is_blocked_and_never_rewritten() -> None:
    verdict = guard()("you jerk, I will kill you")
    assert (verdict.action, verdict.text, verdict.step) == ("block", None, "block")
    assert verdict.message == "No threats here."
    assert not verdict.edits


def test_check_decides_and_changes_nothing() -> None:
    verdict = guard().check("he is a jerk")
    assert (verdict.action, verdict.text, verdict.step, verdict.edits) == (
        "rewrite",
        "he is a jerk",
        "none",
        (),
    )


def test_shadow_mode_records_and_changes_nothing() -> None:
    verdict = guard(POLICY + "shadow: true\n")("he is a jerk")
    assert (verdict.action, verdict.text) == ("flag", "he is a jerk")
    assert any("'rewrite' was decided" in warning for warning in verdict.warnings)


def test_another_language_is_said_and_not_passed_in_silence() -> None:
    verdict = guard(tongue="es")("la vida es bella")
    assert verdict.action == "flag"
    assert verdict.language == "es"
    assert any("'es'" in warning for warning in verdict.warnings)
    strict = guard(POLICY + "on: {unsupported_language: route}\n", tongue="es")("la vida es bella")
    assert (strict.action, strict.text) == ("route", None)


def test_what_cannot_be_read_is_not_rewritten() -> None:
    verdict = guard(tongue="es")("eres un jerk")
    assert (verdict.action, verdict.text) == ("flag", "eres un jerk")
    assert "unsupported_language" in verdict.rule
    covered = guard(POLICY + "on: {unsupported_language: allow}\n", tongue="es")("eres un jerk")
    assert covered.action == "rewrite"


def test_a_detector_that_fails_closes_the_gate_for_that_text_alone() -> None:
    broken, fine = guard(breaks_on="BOOM").batch(["BOOM", "fine"])
    assert (broken.action, broken.text, fine.action) == ("block", None, "allow")
    assert any("RuntimeError" in warning for warning in broken.warnings)


def test_allow_listed_phrases_are_never_found() -> None:
    listed = guard(POLICY + "allow: [jerk chicken]\n")
    assert listed("we had jerk chicken").action == "allow"
    assert listed("we had Jerk  Chicken, you jerk").text == "we had Jerk  Chicken, you person"


def test_labels_that_nothing_scores_are_declared() -> None:
    verdict = guard()("hello")
    assert {"self_harm", "sexual_minors", "doxxing"} <= set(verdict.unscored)


def test_only_the_toxic_sentences_of_a_longer_text_are_edited() -> None:
    asked: list[str] = []
    before = "Good morning to all. " + "Nobody said a word about it for days. " * (SHORT // 7)
    verdict = guard(rewriter=Noting(asked=asked))(before + "He is a jerk today. See you soon.")
    assert verdict.text == before + "He is a person today. See you soon."
    assert asked == ["He is a jerk today. "]


def test_a_short_text_is_edited_as_a_whole_and_by_its_sentences_where_that_fails() -> None:
    asked: list[str] = []
    short = "I saw him. He is a jerk today."
    assert guard(rewriter=Noting(asked=asked))(short).text == "I saw him. He is a person today."
    assert asked == [short]
    asked.clear()
    assert guard(rewriter=Noting(("silly",), asked=asked))(short).step in ("delete", "mask")
    assert asked[:2] == [short, "He is a jerk today."]
    asked.clear()
    long = " ".join(["Nobody said a word about it for days.", *[short] * (SHORT // 7)])
    assert "jerk" not in str(guard(rewriter=Noting(asked=asked))(long).text)
    assert long not in asked


def test_a_guard_that_only_checks_needs_no_rewriter() -> None:
    only = Guard(Policy.parse(POLICY), [Spotter()], None)
    assert only("he is a jerk").action == "rewrite"


def test_wrong_use_is_told_clearly(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="2 texts but 1 ids"):
        guard().batch(["a", "b"], ids=["1"])
    with pytest.raises(InputError, match="not int"):
        guard().batch([7])  # type: ignore[list-item]
    with pytest.raises(PluginError, match="did you mean 'lexicon'"):
        Guard(Policy.parse(POLICY), ["lexikon"], None)
    with pytest.raises(ConfigError):
        Guard(tmp_path / "none.yaml")


class Listening:
    """A detector that notes what it is asked about."""

    def __init__(self, detector: Detector) -> None:
        self.name, self.labels, self.digest = detector.name, detector.labels, detector.digest
        self._detector = detector
        self.asked: list[str] = []

    def detect(self, texts: Sequence[str], **given: Any) -> list[Analysis]:
        self.asked.extend(texts)
        return self._detector.detect(texts, **given)


def test_a_result_that_was_verified_is_not_scored_again(tiny_guard: Guard) -> None:
    assert tiny_guard.verifier is not None
    verifier = tiny_guard.verifier
    before, listening = verifier.detector, Listening(tiny_guard.full)
    try:
        verifier.detector = listening
        rewriter = tiny_guard._ladder._rewriters[0]  # type: ignore[union-attr]
        one = Ladder([rewriter], listening, verifier)
        text, ceilings = "You are an idiot.", tiny_guard.policy.ceilings("none")
        outcome = one.descend(text, ceilings)
        result = apply(outcome.edits, text)
        assert outcome.scores is not None
        assert listening.asked.count(result) == 1
        other = Listening(tiny_guard.full)
        assert Ladder([rewriter], other, verifier).descend(text, ceilings) == outcome
        # A ladder with another detector than the verifier's asks its own.
        assert [detector.asked.count(result) for detector in (listening, other)] == [2, 1]
    finally:
        verifier.detector = before


def test_a_text_that_was_read_in_full_is_not_read_again(tiny_guard: Guard) -> None:
    text, ceilings = "You are an idiot.", tiny_guard.policy.ceilings("none")
    (known,) = tiny_guard.full.detect([text])
    listening = Listening(tiny_guard.full)
    assert tiny_guard.verifier is not None
    ladder = Ladder(tiny_guard._ladder._rewriters, listening, tiny_guard.verifier)  # type: ignore[union-attr]
    unknown = ladder.descend(text, ceilings)
    assert listening.asked.count(text) == 1
    assert ladder.descend(text, ceilings, known=known) == unknown
    assert listening.asked.count(text) == 1
    assert ladder.descend(text, ceilings, known=replace(known, settled=True)) == unknown
    assert listening.asked.count(text) == 2  # what a gate settled was not read


def test_a_timer_is_told_of_every_step() -> None:
    told: list[tuple[str, float]] = []
    detector = Spotter()
    verifier = Verifier(detector, [], Pleased(), headroom=0.0)
    timed = Guard(
        Policy.parse(POLICY),
        [detector],
        Swapper(),
        verifier=verifier,
        threads=1,
        timer=lambda step, seconds: told.append((step, seconds)),
    )
    timed.check("he is a jerk today")
    assert [step for step, _ in told] == ["detect"]
    timed("he is a jerk today")
    assert [step for step, _ in told[1:]] == ["detect", "rewrite", "verify"]
    assert all(seconds > 0 for _, seconds in told)


def test_a_sentence_is_changed_within_a_toxic_text_from_its_ceiling_on() -> None:
    guarded = guard(known={"jerk": 0.9, "silly": 0.45, "[...]": 0.1}, rewriter=Swapper(("person",)))
    whole = guarded.check("he is a jerk", direction="output")
    texts = ["what a jerk", "how silly", "how nice"]
    verdicts = guarded.within(texts, [whole] * 3, ids=["a", "b", "c"])
    assert [verdict.original for verdict in verdicts] == texts
    assert [verdict.id for verdict in verdicts] == ["a", "b", "c"]
    assert guarded.check("how silly").action == "allow"
    assert [verdict.text for verdict in verdicts] == ["what a person", "how", "how nice"]
    assert [verdict.action for verdict in verdicts] == ["rewrite", "rewrite", "allow"]
    assert [verdict.rule for verdict in verdicts] == [whole.rule, whole.rule, "none"]
    assert {verdict.direction for verdict in verdicts} == {"output"}


def test_a_detector_that_fails_within_a_text_closes_the_gate() -> None:
    guarded = guard(breaks_on="\0")
    whole = guarded.check("he is a jerk")
    (verdict,) = guarded.within(["what is \0 this"], [whole])
    assert (verdict.action, verdict.text) == ("block", None)
    assert verdict.rule.startswith("on.detector_error")


def test_only_a_guard_with_a_rewriter_rewrites() -> None:
    assert guard().rewrites
    assert not Guard(detectors=[Spotter()], rewriter=None).rewrites
