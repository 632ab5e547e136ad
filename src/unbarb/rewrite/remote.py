"""Rewrites by any endpoint that speaks OpenAI's dialect: vLLM, llama.cpp, Ollama, a provider.

It is the only rewriter that needs the network, and says so by its type. Texts go to that endpoint; which
ones may, the policy's owner decides. What comes back passes the same checks as any candidate.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from unbarb.errors import ConfigError, RewriteError
from unbarb.prompt import Template, built_in
from unbarb.rewrite.difference import candidate
from unbarb.rewrite.endpoint import Budget, Client, Endpoint, Http
from unbarb.rewrite.protocol import Candidate, NeedsNetwork
from unbarb.text import Analysis
from unbarb.wire.address import problems


class Remote(NeedsNetwork):
    """A model behind ``POST {url}/chat/completions``.

    Args:
        url: the endpoint up to its version, such as ``http://localhost:8000/v1``.
        model: the name that the endpoint knows it by.
        template: the built-in template whose words stand around the text.
        key_from: the environment variable that holds the key, where one is needed.
        candidates: how many answers to ask for in one request.
        temperature: 0 for the likeliest answer; the text's own seed goes along.
        max_tokens: the most tokens of an answer; an answer that is cut off is none.
        timeout: seconds for one text, all tries together.
        retries: tries after the first, where the endpoint is busy, slow or away.
        requests, tokens: the budget of a guard's whole life.
        client, budget: given in Python instead.

    Raises:
        ConfigError: an option is not valid, or the variable of the key is not set.
    """

    name = "remote"

    def __init__(
        self,
        url: str,
        model: str,
        *,
        template: str = "chat",
        key_from: str | None = None,
        candidates: int = 1,
        temperature: float = 0.0,
        max_tokens: int = 256,
        timeout: float = 20.0,
        retries: int = 2,
        requests: int | None = None,
        tokens: int | None = None,
        client: Client | None = None,
        budget: Budget | None = None,
    ) -> None:
        _check(url, key_from, candidates, temperature, max_tokens, timeout, retries)
        self._template: Template = built_in(template)
        self._body: dict[str, Any] = {"model": model, "temperature": temperature, "max_tokens": max_tokens}
        if candidates > 1:  # not every endpoint knows it
            self._body["n"] = candidates
        self.budget = budget or Budget(requests, tokens)
        self._endpoint = Endpoint(
            f"{url.rstrip('/')}/chat/completions",
            os.environ[key_from] if key_from else None,
            client or Http(),
            self.budget,
            timeout,
            retries,
        )
        decided = f"{self._endpoint.url} {self._body} {self._template.to_dict()}"
        self.digest = f"sha256:{sha256(decided.encode()).hexdigest()}"

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """What the endpoint says to each text.

        Raises:
            RewriteError: it gave no usable answer in time, or the budget is spent.
        """
        return [self._for(analysis.text) for analysis in analyses]

    def ask(self, words: str, text: str) -> list[str]:
        """What the endpoint answers to `words`, which are about `text`: its own seed goes along.

        Raises:
            RewriteError: as `propose`.
        """
        turn = {"role": "user", "content": words}
        seed = int.from_bytes(sha256(text.encode()).digest()[:4]) >> 1
        answer = self._endpoint.ask({**self._body, "messages": [turn], "seed": seed})
        self.budget.used(_tokens(answer, words))
        return [self._template.parse(said) for said in _said(answer)]

    def _for(self, text: str) -> list[Candidate]:
        if not text.strip():
            return []
        found: dict[str, Candidate] = {}
        for place, said in enumerate(self.ask(self._template.prompt(text.strip()).strip(), text)):
            proposed = candidate(text, said, -float(place))
            if proposed is not None:
                found.setdefault(proposed.text, proposed)
        return list(found.values())


def _said(answer: dict[str, Any]) -> list[str]:
    """The answers that the model ended by itself, in the endpoint's order."""
    try:
        return [
            str(choice["message"]["content"])
            for choice in answer["choices"]
            if choice.get("finish_reason") in ("stop", None) and choice["message"].get("content")
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise RewriteError("the endpoint's answer has no choices with messages") from error


def _tokens(answer: dict[str, Any], asked: str) -> int:
    """What the endpoint counted; where it counts nothing, a token for every two characters."""
    usage = answer.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    if isinstance(total, int) and total > 0:
        return total
    return (len(asked) + len(str(answer.get("choices", "")))) // 2


def _check(
    url: str, key_from: str | None, candidates: int, temperature: float, max_tokens: int, timeout: float,
    retries: int,
) -> None:  # fmt: skip
    wrong = problems(url, key_from, "http://localhost:8000/v1")
    for name, value, low, high in (
        ("candidates", candidates, 1, 16),
        ("temperature", temperature, 0, 2),
        ("max_tokens", max_tokens, 1, 32_768),
        ("timeout", timeout, 0.001, 600),
        ("retries", retries, 0, 10),
    ):
        if not low <= value <= high:
            wrong.append(f"{name}: {value} is not from {low} to {high}")
    if wrong:
        raise ConfigError("\n".join(wrong))
