"""LangChain's own agents and chains with the guard in them, over its fake chat models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from event_record import Record
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, PromptTemplate
from langchain_core.runnables import RunnableLambda
from langgraph.checkpoint.memory import InMemorySaver

from unbarb.errors import ConfigError, InputError, Withheld
from unbarb.guard import Guard
from unbarb.integrations.langchain import GuardMiddleware, GuardRunnable

RUDE = "You are an idiot."
CALM = "You are naive."
THREAT = "I will kill you tonight."
TOLD = "This message was withheld because of what it says."


class Model(GenericFakeChatModel):
    """Says what it is given to say, token by token if asked for tokens, and takes tools."""

    heard: list[list[Any]] = []  # noqa: RUF012 - a field, which pydantic copies

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self

    def _generate(self, messages: Any, *args: Any, **options: Any) -> Any:
        self.heard.append([message.text for message in messages])
        return super()._generate(messages, *args, **options)


def saying(*replies: AIMessage | str) -> Model:
    return Model(messages=iter([AIMessage(one) if isinstance(one, str) else one for one in replies]))


def agent(guard: Guard, model: Model, **options: Any) -> Any:
    """An agent; `tools` and `checkpointer` are its own, the rest the middleware's."""
    own = {name: options.pop(name) for name in ("tools", "checkpointer") if name in options}
    return create_agent(model, middleware=[GuardMiddleware(guard, **options)], **own)


def ask(text: Any) -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}


def contents(result: Any) -> list[Any]:
    return [message.content for message in result["messages"]]


def test_both_ways_are_rewritten_in_the_agents_state(guard: Guard) -> None:
    model = saying(RUDE)
    assert contents(agent(guard, model).invoke(ask(RUDE))) == [CALM, CALM]
    assert model.heard == [[CALM]]


def test_asynchronously_too(guard: Guard) -> None:
    model = saying(RUDE)
    assert contents(asyncio.run(agent(guard, model).ainvoke(ask(RUDE)))) == [CALM, CALM]
    assert model.heard == [[CALM]]


def test_a_threat_never_reaches_the_model_not_in_later_turns_either(guard: Guard) -> None:
    model = saying("Hello.")
    chat = agent(guard, model, checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    assert contents(chat.invoke(ask(THREAT), thread)) == ["[withheld]", TOLD]
    assert model.heard == []
    assert contents(chat.invoke(ask("Hi."), thread))[-1] == "Hello."
    assert "kill" not in str(model.heard)


def test_what_a_model_says_is_withheld_with_what_it_would_do(guard: Guard) -> None:
    called = []

    def post(text: str) -> str:
        """Post a text."""
        called.append(text)
        return "posted"

    call = {"name": "post", "args": {"text": "x"}, "id": "c"}
    chat = agent(guard, saying(AIMessage(THREAT, tool_calls=[call])), tools=[post])
    result = chat.invoke(ask("Hi."))
    assert contents(result) == ["Hi.", TOLD]
    assert result["messages"][1].response_metadata["unbarb"]["action"] == "block"
    assert called == []


def test_tool_calls_and_results_stay_as_they_are(guard: Guard) -> None:
    def post(text: str) -> str:
        """Post a text."""
        return f"posted: {text}"

    call = {"name": "post", "args": {"text": RUDE}, "id": "c"}
    result = agent(guard, saying(AIMessage(RUDE, tool_calls=[call]), "Done."), tools=[post]).invoke(
        ask("Hi.")
    )
    assert contents(result) == ["Hi.", CALM, f"posted: {RUDE}", "Done."]
    assert result["messages"][1].tool_calls[0]["args"] == {"text": RUDE}


def test_results_of_tools_are_guarded_where_asked_for(guard: Guard) -> None:
    model = saying("Fine.")
    chat = agent(guard, model, roles=["human", "tool"])
    call = AIMessage("", tool_calls=[{"name": "read", "args": {}, "id": "c"}])
    chat.invoke({"messages": [HumanMessage("Hi."), call, ToolMessage(RUDE, tool_call_id="c")]})
    assert model.heard == [["Hi.", "", CALM]]


def test_a_message_that_names_its_role_itself_is_guarded_too(guard: Guard) -> None:
    model = saying("Fine.")
    agent(guard, model).invoke({"messages": [ChatMessage(content=RUDE, role="user")]})
    assert model.heard == [[CALM]]


def test_blocks_of_content_are_guarded_one_by_one(guard: Guard) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWRpb3Q="}}
    said: list[str | dict[Any, Any]] = [{"type": "thinking", "thinking": RUDE, "signature": "s"}, "Fine. "]
    said.append({"type": "text", "text": RUDE, "annotations": []})
    content: list[Any] = [{"type": "text", "text": RUDE}, image]
    first, second = contents(agent(guard, saying(AIMessage(said))).invoke(ask(content)))
    assert first == [{"type": "text", "text": CALM}, image]
    assert [one if isinstance(one, str) else {**one} for one in second] == [
        {"type": "thinking", "thinking": CALM, "signature": "s"},
        "Fine. ",
        {"type": "text", "text": CALM, "annotations": []},
    ]
    assert content[0]["text"] == RUDE  # the caller's own is not touched


def test_no_stream_of_the_agent_shows_what_has_not_been_checked(guard: Guard) -> None:
    def seen(**how: Any) -> str:
        return str(list(agent(guard, saying(RUDE)).stream(ask("Hi."), **how)))

    for mode in ("messages", "updates", "values", "debug"):
        assert "idiot" not in seen(stream_mode=mode)
    assert "naive" in seen(stream_mode="messages")
    assert "idiot" not in seen(stream_mode=["messages", "updates"], subgraphs=True)


def test_every_decision_is_on_record(guard: Guard, record: Record) -> None:
    agent(guard, saying(RUDE), audit=record).invoke(ask("Hi."))
    found = [
        (event.surface, event.verdict.direction, event.verdict.action)
        for event in record.events
        if event.verdict
    ]
    assert found == [("langchain", "input", "allow"), ("langchain", "output", "rewrite")]
    record.failing = True
    model = saying("Hello.")
    with pytest.raises(Exception, match="no disk"):
        agent(guard, model, audit=record).invoke(ask("Hi."))
    assert model.heard == []


def test_wrong_options_are_said(guard: Guard) -> None:
    with pytest.raises(ConfigError, match="'ai'"):
        GuardMiddleware(guard, roles=["ai"])
    checking = Guard(guard.policy, detectors=guard.panel.members, rewriter=None)
    for made in (GuardMiddleware, GuardRunnable):
        with pytest.raises(ConfigError, match="only checks"):
            made(checking)


@pytest.mark.parametrize(
    ("value", "guarded"),
    [
        (RUDE, CALM),
        ("", ""),
        (HumanMessage(RUDE, id="1"), HumanMessage(CALM, id="1")),
        ([SystemMessage("Hi."), RUDE], [SystemMessage("Hi."), CALM]),
        (
            PromptTemplate.from_template("{x}").invoke({"x": RUDE}),
            PromptTemplate.from_template(CALM).invoke({}),
        ),
        (
            ChatPromptTemplate.from_messages([("human", "{x}")]).invoke({"x": RUDE}),
            ChatPromptTemplate.from_messages([("human", CALM)]).invoke({}),
        ),
        (
            AIMessage("Hi.", additional_kwargs={"reasoning_content": RUDE}),
            AIMessage("Hi.", additional_kwargs={"reasoning_content": CALM}),
        ),
    ],
)
def test_what_passes_through_a_chain_keeps_its_kind(guard: Guard, value: Any, guarded: Any) -> None:
    runnable = GuardRunnable(guard)
    assert runnable.invoke(value) == guarded
    assert asyncio.run(runnable.ainvoke(value)) == guarded


def test_what_is_clean_is_the_very_same(guard: Guard) -> None:
    message = AIMessage("Fine.")
    assert GuardRunnable(guard).invoke(message) is message


def test_a_batch_is_judged_in_one_go_and_each_fails_for_itself(guard: Guard, record: Record) -> None:
    runnable = GuardRunnable(guard, direction="input", audit=record)
    first, second, third = runnable.batch([RUDE, [THREAT, "Fine."], "Fine."], return_exceptions=True)
    assert (first, third) == (CALM, "Fine.")
    assert isinstance(second, Withheld)
    assert str(second) == TOLD
    assert len({event.request for event in record.events}) == 1
    assert second.verdicts == (f"{record.events[0].request}:input.1",)
    with pytest.raises(Withheld):
        asyncio.run(runnable.abatch([THREAT]))


def test_a_mapping_is_refused_and_the_way_out_named(guard: Guard) -> None:
    with pytest.raises(InputError, match="itemgetter"):
        GuardRunnable(guard).invoke({"text": RUDE})


def test_a_chain_streams_what_has_been_checked_token_by_token(guard: Guard) -> None:
    chain = saying(f"Good day. {RUDE} Bye") | GuardRunnable(guard)
    chunks = list(chain.stream("Hi."))
    assert len(chunks) > 5
    assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
    assert "".join(chunk.text for chunk in chunks) == f"Good day. {CALM} Bye"
    assert chunks[-1].chunk_position == "last"

    async def streamed() -> str:
        chain = saying(f"Good day. {RUDE} Bye") | GuardRunnable(guard) | StrOutputParser()
        return "".join([chunk async for chunk in chain.astream("Hi.")])

    assert asyncio.run(streamed()) == f"Good day. {CALM} Bye"


def test_parts_of_a_streamed_content_are_texts_of_their_own(guard: Guard) -> None:
    def part(index: int, text: str) -> AIMessageChunk:
        return AIMessageChunk(content=[{"type": "text", "text": text, "index": index}])

    chunks = [part(0, "You are an "), part(1, "Good day."), part(0, "idiot."), part(1, " Bye.")]
    left = list(GuardRunnable(guard).transform(iter(chunks)))
    said = {0: "", 1: ""}
    for chunk in left:
        for one in chunk.content:
            assert isinstance(one, dict)
            said[one["index"]] += one["text"]
    assert said == {0: "You are naive.", 1: "Good day. Bye."}


def test_a_threat_ends_a_stream_after_what_stood_before_it(guard: Guard) -> None:
    def said(_: Any) -> Iterator[str]:
        yield from ["That is fine. ", "And so on. ", "I will", " kill you", " tonight. ", "More."]

    left: list[str] = []
    with pytest.raises(Withheld, match="withheld"):
        left.extend((RunnableLambda(said) | GuardRunnable(guard)).stream("Hi."))
    assert "".join(left) == "That is fine. And so on. "
