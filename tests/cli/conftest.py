"""A guard that needs no model, and a way to run the command in this process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from unbarb.cli import main
from unbarb.text import Direction, Edit, Finding, Verdict, apply

RUDE = "idiot"


class RudeGuard:
    """Finds one word, blocks what shouts it, and notes how it was called."""

    def __init__(self, policy: str = "default") -> None:
        self.policy = SimpleNamespace(name=policy, digest=f"sha256:{policy}")
        self.batches: list[int] = []
        self.directions: list[str] = []
        self.stop_after: int | None = None

    def check_batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str | None] | None = None,
        direction: Direction = "none",
    ) -> list[Verdict]:
        if self.stop_after is not None and len(self.batches) == self.stop_after:
            raise KeyboardInterrupt
        self.batches.append(len(texts))
        self.directions.append(direction)
        return [
            self._verdict(text, name, direction)
            for text, name in zip(texts, ids or [None] * len(texts), strict=True)
        ]

    def batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str | None] | None = None,
        direction: Direction = "none",
    ) -> list[Verdict]:
        done = []
        for verdict in self.check_batch(texts, ids=ids, direction=direction):
            edits = tuple(Edit(f.start, f.end, "person") for f in verdict.findings)
            if verdict.action == "rewrite":
                verdict = replace(
                    verdict,
                    edits=edits,
                    text=apply(edits, verdict.original),
                    scores_after={"toxicity": 0.02},
                    step="edit",
                    meaning=0.9,
                )
            done.append(verdict)
        return done

    def _verdict(self, text: str, name: str | None, direction: Direction) -> Verdict:
        at, shouted = text.lower().find(RUDE), RUDE.upper() in text
        policy = {"name": self.policy.name, "digest": self.policy.digest}
        if at < 0:
            return Verdict(
                id=name, direction=direction, action="allow", original=text, text=text,
                scores={"toxicity": 0.01}, rule="none", policy=policy,
            )  # fmt: skip
        finding = Finding("insult", at, at + len(RUDE), 0.97, "rude", "the word")
        return Verdict(
            id=name, direction=direction, action="block" if shouted else "rewrite", original=text,
            text=None if shouted else text, scores={"toxicity": 0.97}, findings=(finding,),
            step="block" if shouted else "none", rule="labels.insult", policy=policy,
            unscored=("doxxing",), warnings=("a warning",) if "warn" in text else (),
            message="Withheld." if shouted else None,
        )  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """What a run printed, and its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> RudeGuard:
    made = RudeGuard()
    monkeypatch.setattr("unbarb.cli.job.guard_for", lambda policy, *, carry_out: made)
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """``run("check", "text", stdin=b"…")`` → `Ran`."""

    def run_(*arguments: str | Path, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "argv", ["unbarb", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        monkeypatch.delenv("NO_COLOR", raising=False)
        capfd.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capfd.readouterr()
        code = stopped.value.code
        assert isinstance(code, int)
        return Ran(code, said.out, said.err)

    return run_
