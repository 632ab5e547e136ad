"""How a generating model is searched for candidates, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from unbarb.errors import ConfigError
from unbarb.prompt import Template


@dataclass(frozen=True, slots=True)
class Search:
    """Options of a search: `candidates` sequences by `beams` beams, or drawn by chance.

    `sample` draws with `temperature` and `top_p`, always the same for a text. `max_new_tokens` left out is
    twice the text's own tokens and 16. `timeout` is in seconds for one text; what is unfinished then is no
    candidate. `no_repeat_ngram` writes no sequence of so many tokens twice (0 allows all; left out is
    what the model's own settings say), and `repetition_penalty` above 1 makes repetition dearer.

    Raises:
        ConfigError: with every option that is out of range.
    """

    candidates: int = 4
    beams: int | None = None
    sample: bool = False
    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int | None = None
    timeout: float | None = None
    no_repeat_ngram: int | None = None
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        wrong = []
        if not 1 <= self.candidates <= 64:
            wrong.append(f"candidates: {self.candidates} is not from 1 to 64")
        if self.beams is not None and self.sample:
            wrong.append("beams and sample are both given; choose one way to search")
        if self.beams is not None and not self.candidates <= self.beams <= 64:
            wrong.append(f"beams: {self.beams} is not from {self.candidates}, the candidates, to 64")
        if not 0 < self.temperature <= 10:
            wrong.append(f"temperature: {self.temperature} is not above 0 to 10")
        if not 0 < self.top_p <= 1:
            wrong.append(f"top_p: {self.top_p} is not above 0 to 1")
        if self.max_new_tokens is not None and self.max_new_tokens < 1:
            wrong.append(f"max_new_tokens: {self.max_new_tokens} is not 1 or more")
        if self.timeout is not None and self.timeout <= 0:
            wrong.append(f"timeout: {self.timeout} is not above 0")
        if self.no_repeat_ngram is not None and self.no_repeat_ngram < 0:
            wrong.append(f"no_repeat_ngram: {self.no_repeat_ngram} is not 0 or more")
        if self.repetition_penalty <= 0:
            wrong.append(f"repetition_penalty: {self.repetition_penalty} is not above 0")
        if wrong:
            raise ConfigError("\n".join(wrong))

    @property
    def width(self) -> int:
        """How many beams there are; 1 is a greedy search."""
        return 1 if self.sample else self.beams or self.candidates

    def longest(self, tokens: int) -> int:
        """The most new tokens for a text of so many."""
        return self.max_new_tokens or 2 * tokens + 16


@dataclass(frozen=True, slots=True)
class Generated:
    """A text that a model ended by itself, and its mean log-probability a token."""

    text: str
    score: float


class Generator(Protocol):
    """A model that goes on from a prompt. What it gives depends on nothing but the text and the search."""

    def generate(self, template: Template, text: str, search: Search) -> list[Generated]:
        """Finished answers to `text` asked by `template`; none where that is too long for the model."""
        ...
