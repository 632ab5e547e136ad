"""LiteLLM's generic guardrail, ``POST /beta/litellm_basic_guardrail_api``.

A request's texts are guarded whole. A reply's are guarded as streams are, because LiteLLM sends a streamed
reply as the whole text so far, again and again, and cannot take back what it has shown: pieces are cut
by the text alone, so what was given out once is given out the same the next time, by any replica. Under
``stream_holdback_chars`` stands, for each text, how much of its end may still change.

Source: https://docs.litellm.ai/docs/adding_provider/generic_guardrail_api and litellm's own client,
``litellm/proxy/guardrails/guardrail_hooks/generic_guardrail_api``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from unbarb.policy.rules import NOTICE
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect
from unbarb.serve.openapi import PROBLEMS
from unbarb.serve.proxy.decided import Decided
from unbarb.serve.proxy.replies import judged
from unbarb.serve.proxy.texts import Place
from unbarb.serve.settings import Settings

NAME = "litellm"
PATH = "/beta/litellm_basic_guardrail_api"
SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""A call's id that may stand in the record as the name of its stream."""
ENDS = (".", "!", "?", "…")
"""How a sentence ends that is whole."""


class GuardrailRequest(BaseModel):
    """What LiteLLM asks; fields that say nothing here are let through."""

    model_config = ConfigDict(extra="allow")

    input_type: Literal["request", "response"]
    litellm_call_id: str | None = Field(default=None, description="the call that the texts are of")
    texts: list[str] | None = Field(default=None, description="all texts of the request, or of the reply")
    additional_provider_specific_params: dict[str, Any] | None = Field(
        default=None, description="`policy` in it names the policy to judge by"
    )


class GuardrailResponse(BaseModel):
    """What LiteLLM is to do. Images, tools and tool calls stay as they are: they are not repeated here."""

    action: Literal["NONE", "BLOCKED", "GUARDRAIL_INTERVENED"]
    blocked_reason: str | None = None
    texts: list[str] | None = Field(default=None, description="as many as were given, in the same order")
    stream_holdback_chars: list[int] | None = Field(
        default=None, description="for each text the characters at its end that may still change"
    )


def router(settings: Settings) -> APIRouter:
    """The one route."""
    decided = Decided()
    routes = APIRouter(responses=PROBLEMS)

    @routes.post(PATH, response_model=GuardrailResponse)
    async def guardrail(
        given: GuardrailRequest, call: Annotated[Call, Depends(call_of(NAME, "rewrite"))]
    ) -> GuardrailResponse:
        """Guard the texts of a request or of a reply for LiteLLM."""
        policy = (given.additional_provider_specific_params or {}).get("policy")
        if isinstance(policy, str):
            call.use_policy(policy)
        texts = given.texts or []
        if given.input_type == "request":
            return await of_request(call, texts)
        name = given.litellm_call_id or ""
        return await of_reply(call, texts, decided, name if SANE.fullmatch(name) else call.request_id)

    return routes


async def of_request(call: Call, texts: Sequence[str]) -> GuardrailResponse:
    """Guard what goes to a model."""
    places = [Place(f"texts[{at}]", texts, at) for at in range(len(texts))]
    verdicts = await judged(call, places, "input")
    for verdict in verdicts:
        if verdict.text is None:
            return GuardrailResponse(action="BLOCKED", blocked_reason=verdict.message or NOTICE)
    return passed(texts, [verdict.text or "" for verdict in verdicts])


async def of_reply(call: Call, texts: Sequence[str], decided: Decided, name: str) -> GuardrailResponse:
    """Guard what a model has said so far, which may be all of it: nothing here says whether it is.

    `name` is LiteLLM's of the call; pieces of it that were decided before are not decided again. A sentence
    that a growing text has only begun blocks nothing yet, for it may go on harmlessly: the notice stands
    in its place, held back, and is shown if nothing follows.
    """
    safe, held = [], []
    for at, text in enumerate(texts):
        known = decided.of(call, f"{name}.{at}")
        stream = call.stream(direction="output", id=f"{name}:texts[{at}]", known=known.get)
        first = await stream.feed(text)
        known.keep(stream.released)
        begun = known.again and not stream.blocked and not text.rstrip().endswith(ENDS)
        rest = await stream.close()
        if stream.blocked:
            reason = stream.message or NOTICE
            if not begun:
                return GuardrailResponse(action="BLOCKED", blocked_reason=reason)
            rest += reason
        safe.append(first + rest)
        held.append(len(rest))
    return passed(texts, safe, held)


def passed(texts: Sequence[str], safe: list[str], held: list[int] | None = None) -> GuardrailResponse:
    """The answer that lets `safe` through in place of `texts`."""
    changed = list(texts) != safe
    return GuardrailResponse(
        action="GUARDRAIL_INTERVENED" if changed else "NONE", texts=safe, stream_holdback_chars=held
    )


DIALECT = Dialect(NAME, router)
