"""Asks an endpoint for one text: tries again where it may help, and keeps the time."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from time import monotonic, perf_counter
from typing import TypeVar

from unbarb.deploy.request.answer import Answer, Failure, Piece
from unbarb.deploy.request.dialects import Dialect
from unbarb.deploy.request.http import Http, failure_of
from unbarb.deploy.request.kserve import Infer, inputs
from unbarb.prompt import Template, built_in
from unbarb.wire.again import LONGEST_PAUSE
from unbarb.wire.bodies import Halves, Json, sound

FIRST_PAUSE = 0.5
"""Seconds before the second try; each pause is twice the one before, less a part left to chance."""

Told = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer and what it took: seconds with all tries, seconds to the first words of a stream, tries."""

    answer: Answer
    seconds: float
    first: float | None
    tries: int


class Client:
    """Asks one model, by the words of one template; threads share it.

    Args:
        dialect: how it is asked.
        http: the way to it.
        template: the words around a text.
        stream: whether answers are streamed.
        timeout: seconds for one text, all tries together.
        retries: tries after the first, where the endpoint is busy or away.

    Raises:
        ConfigError: the dialect's task cannot be streamed.
    """

    def __init__(
        self,
        dialect: Dialect,
        http: Http,
        *,
        template: Template | None = None,
        stream: bool = False,
        timeout: float = 120.0,
        retries: int = 4,
    ) -> None:
        self.dialect, self.template, self.stream = dialect, template or built_in("plain"), stream
        self._http, self._timeout, self._retries = http, timeout, retries
        self._path = dialect.path(stream=stream)
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Have no more tries made: whoever waits for one is told the failure before it."""
        self._stopped.set()

    def prepare(self) -> None:
        """Ask a model of tensors what its input is called.

        Raises:
            Failure: it does not say.
            ConfigError: it takes something else than one text.
        """
        if isinstance(self.dialect, Infer):
            path = self.dialect.model_path
            try:
                told, _ = self._tried(lambda seconds: self._http.ask(path, None, seconds))
            except Failure as failure:
                if failure.status not in (404, 405, 501):
                    raise
                hint = "where a server tells nothing of its models, name the input (--input-tensor)"
                raise Failure(f"{failure}; {hint}", failure.scope, status=failure.status) from failure
            self.dialect = replace(self.dialect, input=inputs(told))

    def ask(self, text: str, told: Told | None = None) -> Asked:
        """What the endpoint says to `text`, in the template's words.

        Args:
            text: what stands in the template's place.
            told: is given the parts of a stream as they come; from the first on nothing is tried again.

        Raises:
            Failure: it gave no usable answer in time.
        """
        began = perf_counter()
        body = self.dialect.body(self.template.prompt(text), stream=self.stream)
        first: list[float] = []

        def came(part: str) -> None:
            if not first:
                first.append(perf_counter() - began)
            if told is not None:
                told(part)

        def once(seconds: float) -> Answer:
            if told is None:
                first.clear()
            return self._streamed(body, seconds, came) if self.stream else self._whole(body, seconds)

        answer, tries = self._tried(once, settled=lambda: told is not None and bool(first))
        return Asked(self._parsed(answer), perf_counter() - began, first[0] if first else None, tries)

    def _tried(
        self, once: Callable[[float], T], settled: Callable[[], bool] = lambda: False
    ) -> tuple[T, int]:
        """What `once` gives in the end, given the seconds that are left, and how often it was tried."""
        ends, pause = monotonic() + self._timeout, FIRST_PAUSE
        for turn in range(1, self._retries + 2):
            try:
                return once(max(0.001, ends - monotonic())), turn
            except Failure as failure:
                # Many clients that were sent away together shall not come back together.
                wait = failure.wait if failure.wait is not None else pause * random.uniform(0.5, 1.0)
                last = turn > self._retries or monotonic() + wait >= ends or settled()
                if last or not failure.again or self._stopped.wait(wait):
                    raise self._explained(failure, turn) from failure
                pause = min(2 * pause, LONGEST_PAUSE)
        raise AssertionError("the last try returns or raises")

    def _whole(self, body: Json, seconds: float) -> Answer:
        reply = self._http.ask(self._path, body, seconds)
        try:
            answer = self.dialect.answer(reply)
            if not all(map(isfinite, answer.scores.values())):
                raise ValueError("a score that is no number")
        except ValueError as error:
            raise self._unknown(error) from error
        return answer

    def _streamed(self, body: Json, seconds: float, came: Told) -> Answer:
        parts: list[str] = []
        halves = Halves()
        last = Piece("")
        finish = None
        for event in self._http.events(self._path, body, seconds):
            if fault := self.dialect.fault(event):
                raise self._faulty(*fault)
            try:
                piece = self.dialect.piece(event)
            except ValueError as error:
                raise self._unknown(error) from error
            finish = piece.finish or finish
            # An event after the end, as the one with the usage, takes nothing back.
            last = piece if piece.text or piece.may_end or not last.may_end else last
            if text := halves.feed(piece.text):
                parts.append(text)
                came(text)
        if not last.may_end:
            raise Failure(f"{self._http.url}: the stream broke off before its end", "endpoint", again=True)
        return Answer("".join(parts) + halves.close(), finish)

    def _parsed(self, answer: Answer) -> Answer:
        """Unicode, and without what the model wrote after the answer's end, as the template's next mark."""
        text = None if answer.text is None else self.template.parse(sound(answer.text))
        scores = {sound(name): value for name, value in answer.scores.items()}
        strings = {sound(name): sound(value) for name, value in answer.strings.items()}
        return Answer(text, answer.finish, scores, strings)

    def _unknown(self, error: ValueError) -> Failure:
        return Failure(f"{self._http.url}: not an answer of this dialect: {error}", "endpoint", status=200)

    def _faulty(self, message: str, status: int | None) -> Failure:
        return failure_of(f"{self._http.url}: the stream ended in an error: {message[:500]}", status)

    def _explained(self, failure: Failure, tries: int) -> Failure:
        told = str(failure) + (f"; tried {tries} times" if tries > 1 else "")
        if failure.wait is not None:
            told += f"; it asks to be left alone for {failure.wait:g} s"
        if failure.status == 404 and (known := self._models()):
            told += f"; it has the models {', '.join(known)}"
        return Failure(told, failure.scope, status=failure.status, again=failure.again, wait=failure.wait)

    def _models(self) -> list[str]:
        """The names of the endpoint's models, where it tells them."""
        if self.dialect.models_path is None:
            return []
        try:
            return self.dialect.models(self._http.ask(self.dialect.models_path, None, 5.0))[:20]
        except (Failure, ValueError, KeyError, TypeError):
            return []
