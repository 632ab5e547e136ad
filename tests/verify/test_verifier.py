"""The order of the checks, what each decides, and that nothing is asked in vain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, nan

import pytest

from unbarb.errors import ConfigError
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Step
from unbarb.verify.verifier import Assessment, Verifier

SOURCE = Analysis("you are a stupid person and i told you so", {"toxicity": 0.9})
GOOD = "you are a person and i told you so"
CEILINGS = {"toxicity": 0.5, "insult": 0.5}


@dataclass
class Scores:
    """A detector that gives the score of the first listed part a text holds."""

    name: str
    parts: Mapping[str, float]
    labels: frozenset[str] = frozenset({"toxicity"})
    digest: str = "sha256:0"
    seen: list[str] = field(default_factory=list)

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        self.seen += texts
        return [
            Analysis(text, {"toxicity": next((s for part, s in self.parts.items() if part in text), 0.01)})
            for text in texts
        ]


@dataclass
class Marks:
    """A judge that gives everything the same marks."""

    meaning: float = 0.9
    fluency: float = 0.9
    seen: list[str] = field(default_factory=list)

    def assess(self, source: str, candidates: Sequence[str]) -> list[Assessment]:
        self.seen += candidates
        return [Assessment(self.meaning, self.fluency) for _ in candidates]


def candidate(text: str, step: Step = "edit") -> Candidate:
    return Candidate(text, (), step)


def test_a_good_rewrite_is_accepted_with_its_marks() -> None:
    (found,) = Verifier(Scores("main", {}), [], Marks(0.8, 0.7)).check(SOURCE, [candidate(GOOD)], CEILINGS)
    assert found.accepted
    assert found.reasons == ()
    assert (found.scores, found.meaning, found.fluency) == ({"toxicity": 0.01}, 0.8, 0.7)


def test_models_are_not_asked_about_what_fell_before() -> None:
    main, second, judge = Scores("main", {"so yes": 0.9}), Scores("second", {"dumb": 0.8}), Marks()
    texts = ["you are a", f"{GOOD} dumb", f"{GOOD} so yes", GOOD]
    found = Verifier(main, [(second, 0.5)], judge).check(SOURCE, [candidate(t) for t in texts], CEILINGS)
    assert [acceptance.accepted for acceptance in found] == [False, False, False, True]
    assert [acceptance.candidate.text for acceptance in found] == texts
    assert (second.seen, main.seen, judge.seen) == (texts[1:], texts[2:], texts[3:])
    assert isnan(found[0].meaning)
    assert not found[0].scores


def test_reasons_name_who_objects() -> None:
    main, second = Scores("main", {"so": 0.6}), Scores("second", {"dumb": 0.8})
    found = Verifier(main, [(second, 0.5)], Marks()).check(
        SOURCE, [candidate(f"{GOOD} dumb"), candidate(GOOD)], CEILINGS
    )
    assert "second finds toxicity 0.80" in found[0].reasons[0]
    assert "toxicity 0.60, allowed below 0.45" in found[1].reasons[0]


def test_headroom_is_left_below_a_ceiling() -> None:
    main = Scores("main", {"so": 0.46})
    assert (
        not Verifier(main, [], Marks(), headroom=0.1).check(SOURCE, [candidate(GOOD)], CEILINGS)[0].accepted
    )
    assert Verifier(main, [], Marks(), headroom=0.0).check(SOURCE, [candidate(GOOD)], CEILINGS)[0].accepted


@pytest.mark.parametrize(
    ("judge", "word"), [(Marks(meaning=0.3), "meaning"), (Marks(fluency=0.3), "fluency")]
)
def test_meaning_and_fluency_have_a_least(judge: Marks, word: str) -> None:
    (found,) = Verifier(Scores("main", {}), [], judge).check(SOURCE, [candidate(GOOD)], CEILINGS)
    assert [reason.split(":")[0] for reason in found.reasons] == [word]


def test_a_mark_that_is_not_a_number_is_no_pass() -> None:
    (found,) = Verifier(Scores("main", {}), [], Marks(nan, 0.9)).check(SOURCE, [candidate(GOOD)], CEILINGS)
    assert not found.accepted


def test_a_mask_need_not_read_well_but_must_not_be_toxic() -> None:
    masked = candidate("you are a ****** person and i told you so", "mask")
    broken = candidate("you are a", "mask")
    found = Verifier(Scores("main", {}), [], Marks(0.1, 0.1)).check(SOURCE, [masked, broken], CEILINGS)
    assert [acceptance.accepted for acceptance in found] == [True, True]
    toxic = Verifier(Scores("main", {"person": 0.9}), [], Marks()).check(SOURCE, [masked], CEILINGS)
    assert not toxic[0].accepted


def test_all_cheap_reasons_are_reported() -> None:
    (found,) = Verifier(Scores("main", {}), [], Marks()).check(
        Analysis("he never paid the stupid 40 euros", {}), [candidate("he paid the the 50 euros")], CEILINGS
    )
    assert {reason.split(":")[0] for reason in found.reasons} == {"facts", "negation", "grammar"}


def test_no_candidates_cost_nothing() -> None:
    main, judge = Scores("main", {}), Marks()
    assert Verifier(main, [], judge).check(SOURCE, [], CEILINGS) == []
    assert (main.seen, judge.seen) == ([], [])


@pytest.mark.parametrize("name", ["min_meaning", "min_fluency", "headroom"])
def test_settings_outside_their_range_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Verifier(Scores("main", {}), [], Marks(), **{name: 1.5})
    with pytest.raises(ConfigError, match="second"):
        Verifier(Scores("main", {}), [(Scores("second", {}), -1)], Marks())
