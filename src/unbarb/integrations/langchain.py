"""The guard in LangChain: middleware for agents, and a Runnable for chains.

See docs/integrations/langchain.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from unbarb.audit.event import new_id
from unbarb.audit.protocol import Log
from unbarb.errors import ConfigError, MissingExtra
from unbarb.guard import Guard
from unbarb.integrations.fields import Path
from unbarb.integrations.recorded import Recorded, RecordedStream
from unbarb.policy.rules import NOTICE
from unbarb.text import Direction, Verdict

try:
    from langchain.agents.middleware import (
        AgentMiddleware,
        AgentState,
        ModelRequest,
        ModelResponse,
        hook_config,
    )
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage, BaseMessageChunk
    from langchain_core.runnables import Runnable, RunnableConfig
    from langgraph.constants import TAG_NOSTREAM

    from unbarb.integrations.langchain_messages import Chunks, changed, of_message, refused, stopped, taken
except ModuleNotFoundError as error:
    raise MissingExtra.for_feature(
        "unbarb.integrations.langchain", error.name or "langchain", "langchain"
    ) from error

GONE = "[withheld]"
"""What stands in place of a message that may not reach the model, in this turn and in later ones."""


class GuardMiddleware(AgentMiddleware[AgentState[Any], Any, Any]):
    """Guards what an agent is told and what it says; tool calls stay as they are.

    Messages are guarded before each call of the model: one that is changed is changed in the agent's state,
    and one that is withheld ends the run with the policy's words. The model's words are guarded before they
    enter the state, so that no stream, checkpoint or caller sees others; so they come message by message
    and not token by token.

    Args:
        guard: what decides; it must have a rewriter.
        roles: the types of messages to guard before the model reads them: "human", "system", "tool".
        audit: the record of decisions; default none.

    Raises:
        ConfigError: the guard only checks, or a role is none of these.
    """

    def __init__(
        self, guard: Guard, *, roles: Collection[str] = ("human",), audit: Log | None = None
    ) -> None:
        super().__init__()
        known = {"human", "system", "tool"}
        if isinstance(roles, str) or not known.issuperset(roles):
            raise ConfigError(f"roles is {roles!r}; give a list of 'human', 'system' and 'tool'")
        self._recorded = Recorded(guard, audit, "langchain")
        self._roles = frozenset(roles)

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """Guard the messages that the model is going to read."""
        messages = [message for message in state["messages"] if _role(message) in self._roles]
        judged = self._judged(messages, "input")
        guarded = [
            message.model_copy(update={"content": GONE, "additional_kwargs": {}})
            if stopped(verdicts.values())
            else _guarded(message, verdicts)
            for message, verdicts in zip(messages, judged, strict=True)
        ]
        new = [after for before, after in zip(messages, guarded, strict=True) if after is not before]
        stop = stopped(verdict for verdicts in judged for verdict in verdicts.values())
        if stop is not None:
            return {"messages": [*new, _told(stop)], "jump_to": "end"}
        return {"messages": new} if new else None

    @hook_config(can_jump_to=["end"])
    async def abefore_model(self, state: AgentState[Any], runtime: Any) -> dict[str, Any] | None:
        """The same, off the event loop."""
        return await asyncio.to_thread(self.before_model, state, runtime)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Guard what the model says before anybody hears it."""
        return self._reply(handler(request.override(model=_quiet(request.model))))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """The same, off the event loop."""
        response = await handler(request.override(model=_quiet(request.model)))
        return await asyncio.to_thread(self._reply, response)

    def _reply(self, response: ModelResponse[Any]) -> ModelResponse[Any]:
        messages = [message for message in response.result if isinstance(message, AIMessage)]
        judged = self._judged(messages, "output")
        stop = stopped(verdict for verdicts in judged for verdict in verdicts.values())
        if stop is not None:
            # Without its tool calls: a model whose words are withheld is not to act on them either.
            told = _told(stop).model_copy(update={"usage_metadata": messages[0].usage_metadata})
            return replace(response, result=[told], structured_response=None)
        guarded = {id(one): _guarded(one, verdicts) for one, verdicts in zip(messages, judged, strict=True)}
        return replace(response, result=[guarded.get(id(one), one) for one in response.result])

    def _judged(self, messages: Sequence[BaseMessage], direction: Direction) -> list[dict[Path, Verdict]]:
        """A verdict on each text of each message."""
        found = [of_message(message) for message in messages]
        verdicts = iter(_batch(self._recorded, [text for one in found for text in one.values()], direction))
        return [{path: next(verdicts) for path in one} for one in found]


class GuardRunnable(Runnable[Any, Any]):
    """Guards the texts that pass through a chain; what comes out is of the kind that came in.

    Takes strings, messages, lists of them and prompts. Streams of strings or of chunks of messages leave as
    soon as each chunk's text has been decided. What may not leave raises `unbarb.errors.Withheld`.

    Args:
        guard: what decides; it must have a rewriter.
        direction: "output" after a model, "input" before it.
        audit: the record of decisions; default none.

    Raises:
        ConfigError: the guard only checks.
    """

    def __init__(self, guard: Guard, *, direction: Direction = "output", audit: Log | None = None) -> None:
        self._recorded = Recorded(guard, audit, "langchain")
        self._direction: Direction = direction

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Guard one value.

        Raises:
            Withheld: a text in it may not leave.
            InputError: it is of no kind that has text.
        """
        (result,) = self.batch([input])
        return result

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """The same, off the event loop."""
        return await asyncio.to_thread(self.invoke, input)

    def batch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """Guard many values in one go."""
        values = [taken(value) for value in inputs]
        every = [text for texts, _ in values for text in texts]
        verdicts = iter(_batch(self._recorded, every, self._direction))
        results: list[Any] = []
        for texts, rebuilt in values:
            own = [next(verdicts) for _ in texts]
            stop = stopped(own)
            if stop is None:
                results.append(rebuilt([str(verdict.text) for verdict in own]))
            elif return_exceptions:
                results.append(refused(stop))
            else:
                raise refused(stop)
        return results

    async def abatch(
        self,
        inputs: list[Any],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[Any]:
        """The same, off the event loop."""
        return await asyncio.to_thread(self.batch, inputs, return_exceptions=return_exceptions)

    def transform(
        self, input: Iterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[Any]:
        """Guard a stream of strings or of chunks of messages; other values are guarded one by one.

        Raises:
            Withheld: what comes next may not leave.
        """
        chunks = self._chunks()
        for value in input:
            yield from self._pushed(chunks, value)
            chunks.check()
        yield from chunks.close()
        chunks.check()

    async def atransform(
        self, input: AsyncIterator[Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """The same, off the event loop."""
        chunks = self._chunks()
        async for value in input:
            for chunk in await asyncio.to_thread(self._pushed, chunks, value):
                yield chunk
            chunks.check()
        for chunk in await asyncio.to_thread(chunks.close):
            yield chunk
        chunks.check()

    def _chunks(self) -> Chunks:
        request = new_id()

        def guard(name: str) -> RecordedStream:
            return self._recorded.stream(
                direction=self._direction, request=request, name=f"{request}:{name}"
            )

        return Chunks(guard)

    def _pushed(self, chunks: Chunks, value: Any) -> list[Any]:
        return chunks.push(value) if isinstance(value, str | BaseMessageChunk) else [self.invoke(value)]


def _batch(recorded: Recorded, texts: Sequence[str], direction: Direction) -> list[Verdict]:
    return recorded.batch(texts, direction=direction, request=new_id()) if texts else []


def _guarded(message: BaseMessage, verdicts: Mapping[Path, Verdict]) -> BaseMessage:
    return changed(message, {path: str(verdict.text) for path, verdict in verdicts.items()})


def _role(message: BaseMessage) -> str:
    """Who speaks; a message of type "chat" says so in a field of its own, as OpenAI names it."""
    role = str(getattr(message, "role", message.type))
    return {"user": "human", "developer": "system"}.get(role, role)


def _told(verdict: Verdict) -> AIMessage:
    """What the user is told in place of what may not leave."""
    note = {"id": verdict.id, "action": verdict.action}
    return AIMessage(content=verdict.message or NOTICE, response_metadata={"unbarb": note})


def _quiet(model: Any) -> Any:
    """`model`, but that nobody hears it before its words are guarded: no tokens, no message of its own."""
    if not isinstance(model, BaseChatModel):
        return model.with_config(tags=[TAG_NOSTREAM])
    return model.model_copy(update={"disable_streaming": True, "tags": [*(model.tags or ()), TAG_NOSTREAM]})
