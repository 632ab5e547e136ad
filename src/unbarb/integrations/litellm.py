"""The guard inside LiteLLM's proxy, as a guardrail of its configuration.

See docs/integrations/litellm.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from pathlib import Path as File
from typing import Any

from unbarb.audit.event import new_id
from unbarb.audit.protocol import Log
from unbarb.errors import MissingExtra
from unbarb.guard import Guard
from unbarb.integrations.aligned import Aligned
from unbarb.integrations.fields import Unreadable, put, shown, texts
from unbarb.integrations.litellm_shapes import Part, asked, changed, ending, heard, told
from unbarb.integrations.recorded import Recorded, RecordedStream
from unbarb.policy.rules import NOTICE
from unbarb.text import Verdict

try:
    from litellm.exceptions import GuardrailRaisedException
    from litellm.integrations.custom_guardrail import CustomGuardrail
    from litellm.types.guardrails import GuardrailEventHooks
    from litellm.types.utils import EmbeddingResponse
except ModuleNotFoundError as error:
    raise MissingExtra.for_feature(
        "unbarb.integrations.litellm", error.name or "litellm", "litellm"
    ) from error


class GuardHook(CustomGuardrail):  # type: ignore[misc]
    """Guards chats and completions on their way through LiteLLM, streamed or not.

    A request's texts are rewritten in place; one that may not pass is refused with status 400. A reply that
    may not leave ends with the policy's words and the finish reason ``content_filter``. Tool calls and
    images stay as they are; what else could carry words is taken out. Replies of other kinds are refused.

    Args:
        guard: what decides; made from `policy` when left out.
        policy: a preset's name or a policy file.
        audit: the record of decisions, or the URL of one; default none.
        options: LiteLLM's own: ``guardrail_name``, ``event_hook``, ``default_on`` and so on.

    Raises:
        ConfigError: the policy is not valid, or the guard only checks.
    """

    def __init__(
        self,
        guard: Guard | None = None,
        *,
        policy: str = "default",
        audit: Log | str | None = None,
        **options: Any,
    ) -> None:
        guard = guard or Guard(File(policy) if policy.endswith((".yaml", ".yml")) else policy)
        if isinstance(audit, str):
            from unbarb.audit import AuditLog

            audit = AuditLog.open(audit)
        self._recorded = Recorded(guard, audit, "litellm-hook")
        hooks = [GuardrailEventHooks.pre_call, GuardrailEventHooks.post_call]
        super().__init__(**{"guardrail_name": "unbarb", "supported_event_hooks": hooks, **options})

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: Any
    ) -> dict[str, Any]:
        """Guard what goes to a model."""
        try:
            found = texts(data, asked)
        except Unreadable as error:
            raise self._refusal(f"{error}, so it cannot be checked") from None
        verdicts = await self._judged(list(found.values()), "input", data)
        for path, verdict in zip(found, verdicts, strict=True):
            if verdict.text is None:
                raise self._refusal(verdict.message or NOTICE, blocked=True)
            if verdict.text != verdict.original:
                put(data, path, verdict.text)
        return data

    async def async_post_call_success_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any
    ) -> Any:
        """Guard a reply that came whole; embeddings are numbers and pass."""
        if isinstance(response, EmbeddingResponse):
            return response
        parts = self._heard(response)
        every = [text for part in parts for text in part.texts.values()]
        verdicts = iter(await self._judged(every, "output", data))
        for part in parts:
            own = [next(verdicts) for _ in part.texts]
            stop = next((verdict for verdict in own if verdict.text is None), None)
            if stop is None:
                changed(part, [str(verdict.text) for verdict in own])
            else:
                told(part, stop.message or NOTICE)
        return response

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: AsyncIterable[Any], request_data: dict[str, Any]
    ) -> AsyncGenerator[Any]:
        """Guard a reply that comes in chunks; each leaves when its text has been decided."""
        request = _request(request_data)

        def guard(name: str) -> RecordedStream:
            return self._recorded.stream(direction="output", request=request, name=f"{request}:{name}")

        aligned: Aligned[tuple[Any, list[Part]]] = Aligned(guard)
        lasts: dict[int, Any] = {}
        async for chunk in response:
            parts = self._heard(chunk)
            lasts.update((part.index, chunk) for part in parts)
            for ready in await self._off_loop(aligned.push, (chunk, parts), _named(parts)):
                yield _written(*ready)
            if aligned.blocking is not None:
                break
        for ready in await self._off_loop(aligned.close):
            yield _written(*ready)
        if aligned.blocking is not None:
            for last in lasts.values():
                yield ending(last, aligned.blocking.message)

    async def _judged(self, every: Sequence[str], direction: Any, data: dict[str, Any]) -> list[Verdict]:
        if not every:
            return []
        batch, request = self._recorded.batch, _request(data)
        verdicts: list[Verdict] = await self._off_loop(
            lambda: batch(every, direction=direction, request=request)
        )
        return verdicts

    async def _off_loop(self, work: Any, *given: Any) -> Any:
        try:
            return await asyncio.to_thread(work, *given)
        except Exception as error:
            # The class alone: an error's words may quote the text.
            name = type(error).__name__
            raise self._refusal(f"the text could not be checked ({name}); try again", status=503) from None

    def _heard(self, response: Any) -> list[Part]:
        try:
            return heard(response)
        except Unreadable as error:
            raise self._refusal(f"{error}, so it cannot be checked", status=502) from None

    def _refusal(self, message: str, *, status: int = 400, blocked: bool = False) -> Exception:
        refusal: Exception = GuardrailRaisedException(
            guardrail_name=self.guardrail_name,
            message=message,
            should_wrap_with_default_message=False,
            status_code=status,
            blocked_content=blocked,
        )
        return refusal


def _request(data: dict[str, Any]) -> str:
    return str(data.get("litellm_call_id") or new_id())


def _named(parts: Sequence[Part]) -> list[tuple[str, str]]:
    return [
        (f"choices[{part.index}].{shown(path)}", text)
        for part in parts
        for path, text in part.texts.items()
    ]


def _written(given: tuple[Any, Sequence[Part]], new: Sequence[str]) -> Any:
    """The chunk with its texts as they may leave."""
    chunk, parts = given
    rest = iter(new)
    for part in parts:
        changed(part, [next(rest) for _ in part.texts])
    return chunk
