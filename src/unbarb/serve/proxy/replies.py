"""A reply that is not streamed, guarded; and the replies that the service gives on its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import time
from typing import Any

from unbarb.serve.calls import Call
from unbarb.serve.errors import ServiceError
from unbarb.serve.proxy.choices import FILTERED, Layout
from unbarb.serve.proxy.texts import AROUND, Joined, Place, Text, keep, of_message, strip
from unbarb.text import Direction, Verdict
from unbarb.wire.bodies import Json, read, sound

AT_ONCE = 64
"""Texts that are judged together: a long conversation goes in parts."""
OF_A_CHOICE = frozenset({"index", "finish_reason", "logprobs"})
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


async def judged(
    call: Call, places: Sequence[Text], direction: Direction, *, later: bool = False
) -> list[Verdict]:
    """Have the texts of all places decided about, in order; nothing is changed here.

    A verdict's id is the request's and the place's name: ``…:messages[0].content``. Where parts of a
    content are to be changed, the verdict about all of it is about what they become. With `later`, await
    ``call.settled()`` before anything is given out.
    """

    async def decided(texts: Sequence[tuple[str, str]]) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for start in range(0, len(texts), AT_ONCE):
            part = texts[start : start + AT_ONCE]
            ids = [f"{call.request_id}:{name}" for name, _ in part]
            verdicts += await call.rewrite(
                [text for _, text in part], direction=direction, ids=ids, later=later
            )
        return verdicts

    verdicts = await decided([(place.where, place.text) for place in places])
    become = dict(_become(places, verdicts))
    again = await decided([(f"{places[at].where}.rewritten", text) for at, text in become.items()])
    for at, verdict in zip(become, again, strict=True):
        verdicts[at] = verdict
    return verdicts


def _become(places: Sequence[Text], verdicts: Sequence[Verdict]) -> Iterator[tuple[int, str]]:
    """Contents of which parts change and nothing is withheld: their number, and what they will say."""
    for at, place in enumerate(places):
        if isinstance(place, Joined):
            texts = [verdict.text for verdict in verdicts[at - len(place.parts) : at + 1]]
            parts = [text for text in texts[:-1] if text is not None]
            if texts[-1] is not None and len(parts) == len(place.parts) and "".join(parts) != place.text:
                yield at, "".join(parts)


def report(call: Call, verdicts: Sequence[Verdict], withheld: Sequence[str] = ()) -> Json:
    """What was decided, for the field ``unbarb`` of a reply: by these ids it stands in the record."""
    return {
        "request_id": call.request_id,
        "policy": call.policy.name,
        "verdicts": [_in_short(verdict) for verdict in verdicts],
        "withheld": list(withheld),
    }


def _in_short(verdict: Verdict) -> Json:
    fired = {} if verdict.action == "allow" else {"rule": verdict.rule}
    return {"id": verdict.id, "direction": verdict.direction, "action": verdict.action} | fired


async def guarded(call: Call, data: bytes, layout: Layout, asked: Sequence[Verdict]) -> Json:
    """The reply of which everything that people read was checked.

    Args:
        asked: the verdicts about the request, which are reported with those about the reply.

    Raises:
        ValueError: the reply cannot be read; nothing of it may leave.
    """
    reply = read(data)
    choices = _choices(reply, layout)
    withheld = list(keep(reply, AROUND | {"choices"}, ""))
    inner = layout.message
    found: list[tuple[int, Text]] = []
    for at, choice in enumerate(choices):
        withheld += keep(choice, OF_A_CHOICE | {inner or "text"}, "choices.")
        if inner is not None:
            withheld += strip(choice[inner], f"choices.{inner}.")
            found += [(at, place) for place in of_message(choice[inner], f"choices[{at}].{inner}")]
        elif choice["text"]:
            found.append((at, Place(f"choices[{at}].text", choice, "text")))
    verdicts = await judged(call, [place for _, place in found], "output")
    for (at, place), verdict in zip(found, verdicts, strict=True):
        choice = choices[at]
        if verdict.text is None:
            _block(choice, layout, verdict.message)
        elif place.put(verdict.text):
            _forget_tokens(choice)
    return reply | {"unbarb": report(call, [*asked, *verdicts], sorted(set(withheld)))}


def _choices(reply: Json, layout: Layout) -> list[Json]:
    choices = reply.get("choices")
    if not isinstance(choices, list):
        raise ValueError("a reply without a list of choices")
    for choice in choices:
        message = choice.get(layout.message or "text") if isinstance(choice, dict) else None
        if not isinstance(message, dict if layout.message else str):
            raise ValueError(f"a choice without its {layout.message or 'text'}")
        if not isinstance(choice.get("finish_reason"), str | None):
            raise ValueError("a finish_reason that is no word")
    return choices


def _block(choice: Json, layout: Layout, message: str | None) -> None:
    """Take everything said out of a choice, and tell what the user may be told."""
    if layout.message is None:
        choice["text"] = ""
    else:
        choice[layout.message] = {"role": "assistant", "content": None, "refusal": message}
    choice["finish_reason"] = FILTERED
    _forget_tokens(choice)


def _forget_tokens(choice: Json) -> None:
    """What stands there now are not the model's tokens."""
    if "logprobs" in choice:
        choice["logprobs"] = None


async def checked(call: Call, error: ServiceError) -> ServiceError:
    """An error that quotes the upstream, with its words guarded like all that the upstream says."""
    call.renew()
    (verdict,) = await call.rewrite(
        [sound(error.message)], direction="output", ids=[f"{call.request_id}:error.message"]
    )
    message = verdict.text or "the upstream failed, and what it says of it was withheld"
    return type(error)(message, status=error.status, code=error.code, retry_after=error.retry_after)


def withheld_request(layout: Layout, body: Json, verdict: Verdict, told: Json) -> Json:
    """The reply to a request that may not go upstream, as if the model had ended at once."""
    choice: dict[str, Any] = {"index": 0, "logprobs": None}
    _block(choice, layout, verdict.message)
    choice["logprobs"] = None
    return _around(layout.reply, body, told) | {"choices": [choice], "usage": NO_USAGE, "unbarb": told}


def withheld_stream(layout: Layout, body: Json, verdict: Verdict, told: Json) -> list[Json]:
    """The same as the chunks of a stream."""
    around = _around(layout.chunk, body, told)
    if layout.inner is None:
        deltas: list[Json] = []
        last: Json = {"text": ""}
    else:
        deltas = [{"role": "assistant", "content": ""}]
        deltas += [{"refusal": verdict.message}] if verdict.message else []
        last = {layout.inner: {}}
    chunks = [
        around | {"choices": [{"index": 0, layout.inner: delta, "finish_reason": None}]} for delta in deltas
    ]
    chunks.append(around | {"choices": [{"index": 0, **last, "finish_reason": FILTERED}], "unbarb": told})
    options = body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        chunks.append(around | {"choices": [], "usage": NO_USAGE})
    return chunks


def _around(kind: str, body: Json, told: Json) -> Json:
    """Fields around the choices of a reply that no model gave."""
    return {
        "id": f"unbarb-{told['request_id']}",
        "object": kind,
        "created": int(time()),
        "model": str(body.get("model") or ""),
    }
