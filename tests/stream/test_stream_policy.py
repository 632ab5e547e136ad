"""How a stream carries out what the policy says, with a detector that knows a few words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from unbarb import Guard, Policy
from unbarb.errors import InputError
from unbarb.stream import AsyncStreamGuard, Piece, StreamGuard, judge
from unbarb.stream.judge import NEAR
from unbarb.text import Analysis, Finding, Verdict, Word

POLICY = """
schema: 1
name: test
languages: [en]
detectors: [lexicon]
labels:
  toxicity: {threshold: 0.5, margin: 0.1, action: rewrite}
  threat: {threshold: 0.5, action: block, message: No threats here.}
  self_harm: {threshold: 0.5, action: route, message: Please call someone.}
  insult: {threshold: 0.5, action: flag}
on: {rewrite_failure: mask}
"""
LABELS = {"jerk": "toxicity", "kill": "threat", "pills": "self_harm", "street": "insult"}


@dataclass(frozen=True)
class Spotter:
    """Scores a text by the words it holds; "half" and "wit" are toxic together."""

    name: str = "spotter"
    labels: frozenset[str] = frozenset(LABELS.values())
    digest: str = "sha256:0"

    read: list[str] = field(default_factory=list)

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        self.read.extend(texts)
        if any("\0" in text for text in texts):
            raise RuntimeError("cannot read this")
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Analysis:
        scores = {label: 0.9 if word in text else 0.0 for word, label in LABELS.items()}
        at = text.find("jerk")
        if "half" in text and "wit" in text:
            at, scores["toxicity"] = text.find("half"), 0.9
        found = (Finding("toxicity", at, at + 4, 0.9, self.name, "listed"),) if at >= 0 else ()
        words = (Word(at, at + 4, 0.9),) if at >= 0 else ()
        return Analysis(text, scores, found, words)


def guarded(policy: str = POLICY) -> Guard:
    return Guard(Policy.parse(policy), [Spotter()], "mask", threads=1)


def through(guard: Guard, text: str) -> tuple[str, StreamGuard]:
    stream = StreamGuard(guard)
    return stream.feed(text) + stream.close(), stream


@pytest.mark.parametrize(
    ("text", "action", "message"),
    [
        ("All is well. I will kill it. And then? ", "block", "No threats here."),
        ("All is well. Take these pills. And then? ", "route", "Please call someone."),
    ],
)
def test_a_block_or_a_route_ends_the_stream_and_what_has_left_stays(
    text: str, action: str, message: str
) -> None:
    stream = StreamGuard(guarded())
    left = "".join(map(stream.feed, text))
    assert left == "All is well. "
    assert stream.blocked
    assert stream.message == message
    assert [verdict.action for verdict in stream.verdicts] == ["allow", action]
    assert stream.released[-1].text == ""
    assert stream.released[-1].verdict.text is None
    assert stream.feed("More of it. ") == stream.close() == ""
    assert len(stream.verdicts) == 2
    assert stream.counts.held == 0


def test_a_flag_says_so_and_lets_the_text_leave() -> None:
    text = "He lives in that street. It is long. "
    out, stream = through(guarded(), text)
    assert out == text
    assert not stream.blocked
    assert stream.message is None
    assert stream.verdicts[0].action == "flag"


def test_shadow_mode_changes_nothing() -> None:
    text = "What a jerk. I will kill it. "
    out, stream = through(guarded(POLICY + "shadow: true\n"), text)
    assert out == text
    assert {verdict.action for verdict in stream.verdicts} == {"flag"}


def test_a_detector_that_fails_ends_the_stream() -> None:
    out, stream = through(guarded(), "All is well. What is \0 this? Yes. ")
    assert out == "All is well. "
    assert stream.blocked
    assert "detector failed" in stream.verdicts[-1].warnings[0]


def test_what_is_toxic_only_together_with_what_has_left_is_masked_or_ends_the_stream() -> None:
    text = "You are half. A real wit. Thank you. "
    out, stream = through(guarded(), text)
    assert out == "You are half. [...] Thank you. "
    assert stream.counts.together == 1
    verdict = stream.verdicts[1]
    assert (verdict.action, verdict.step, verdict.not_detoxifiable) == ("mask", "mask", True)
    out, stream = through(guarded(POLICY.replace("rewrite_failure: mask", "rewrite_failure: block")), text)
    assert out == "You are half. "
    assert stream.blocked


def test_all_that_has_left_is_read_again_only_where_something_is_found() -> None:
    spotter = Spotter()
    guard = Guard(Policy.parse(POLICY), [spotter], "mask", threads=1)
    harmless = "The bridge over the river was closed for repairs in the autumn. " * 4
    through(guard, harmless)
    assert max(len(text.split()) for text in spotter.read) == NEAR + 12  # a sentence has twelve
    through(guard, harmless + "What a jerk.")
    assert harmless[-150:] + "What a jerk." in "".join(spotter.read)


def test_an_error_while_judging_loses_nothing_and_releases_nothing() -> None:
    guard, failures = guarded(), [TimeoutError("too slow"), ConnectionError("gone")]

    async def judged(pieces: Sequence[Piece]) -> Sequence[Verdict]:
        if failures and "well" in pieces[0].text:
            raise failures.pop()
        return judge(guard, pieces)

    async def run() -> None:
        stream = AsyncStreamGuard(judged)
        with pytest.raises(ConnectionError):
            await stream.feed("Good day. All is well. Now ")
        assert [one.text for one in stream.released] == ["Good day. "]
        with pytest.raises(TimeoutError):
            await stream.feed("go. ")
        assert await stream.feed("") == "Good day. All is well. "
        assert await stream.close() == "Now go. "

    asyncio.run(run())


def test_a_stream_holds_back_no_more_than_its_limit() -> None:
    stream = StreamGuard(guarded(), limit=60)
    text = "no end in sight and no stop " * 40
    assert "".join(map(stream.feed, text)) + stream.close() == text
    assert stream.counts.most_held <= 60
    with pytest.raises(InputError, match="limit is 10"):
        StreamGuard(guarded(), limit=10)
