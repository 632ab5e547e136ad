"""What the clients wrote down, held against the record and against the faults."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from soak_faults import Fault, causes
from soak_turn import Turn
from soak_upstream import RUDE, WELL

Place = tuple[str | None, str | None, int | None]
"""Where a decision stands among those of its request: the text's id, the stream, the piece."""
EXAMPLES = 5


class Record:
    """The decisions on record, by request."""

    def __init__(self, records: Iterable[dict[str, Any]]) -> None:
        self.count = 0
        self._found: dict[str, dict[Place, list[str | None]]] = defaultdict(lambda: defaultdict(list))
        self._streams: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for one in records:
            self.count += 1
            if one["kind"] != "decision":
                continue
            stream, kept = one["stream"], one["text"]["text"]
            # A chat's client knows the ids of its pieces and not their numbers.
            own = stream == one["request"]
            place = (one["text_id"], stream if own else None, one["piece"] if own else None)
            self._found[one["request"]][place].append(kept)
            if stream is not None and kept is not None:
                self._streams[stream].append((one["piece"], kept))

    def of(self, request: str) -> dict[Place, list[str | None]]:
        return self._found.get(request, {})

    def streamed(self, stream: str) -> str:
        """All that left on a stream, as the record has it; what was spilled came late to the record."""
        return "".join(kept for _, kept in sorted(self._streams.get(stream, ())))


def reconciled(turns: Sequence[Turn], record: Record) -> dict[str, Any]:
    """Acknowledged decisions against the record: how many are lost, doubled, or stand there otherwise."""
    counts: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    for turn in turns:
        found = record.of(turn.request)
        said: dict[Place, list[dict[str, Any]]] = defaultdict(list)
        for one in turn.decisions:
            said[one["id"], one["stream"], one["piece"]].append(one)
        wrong: Counter[str] = Counter()
        wrong["acknowledged"] = len(turn.decisions)
        for place, decisions in said.items():
            wrong["lost"] += max(0, len(decisions) - len(found.get(place, ())))
            wrong["otherwise"] += sum(
                "text" in one and one["text"] not in found.get(place, ()) for one in decisions
            )
        for place, kept in found.items():
            most = max(turn.texts, 1) if place[0] is None and place[1] is None else 1
            wrong["doubled"] += max(0, len(kept) - most)
        wrong["unrecorded_text"] += not _all_on_record(turn, record)
        counts += wrong
        counts["unacknowledged"] += sum(map(len, found.values())) - len(turn.decisions)
        if len(examples) < EXAMPLES and any(wrong[name] for name in WRONG):
            examples.append({"turn": asdict(turn), "record": [*map(str, found.items())]})
    names = ("acknowledged", "unacknowledged", *WRONG)
    return {name: counts[name] for name in names} | {"records": record.count, "examples": examples}


WRONG = ("lost", "doubled", "otherwise", "unrecorded_text")


def _all_on_record(turn: Turn, record: Record) -> bool:
    """Whether what a streamed chat said, also one that broke off, is what the record says left."""
    if turn.kind not in ("chat stream", "vanishing reader") or not turn.received:
        return True
    left = record.streamed(f"{turn.request}:choices[0].content")
    return left == turn.received if turn.finished else left.startswith(turn.received)


def explained(turns: Sequence[Turn], faults: Sequence[Fault]) -> dict[str, Any]:
    """Requests by outcome, failures by cause, and whatever should not have happened."""
    outcomes: Counter[str] = Counter()
    by_cause: Counter[str] = Counter()
    wrong: Counter[str] = Counter(dict.fromkeys(UNWANTED, 0))
    examples: list[dict[str, Any]] = []
    for turn in turns:
        status, failed = turn.status, _failed(turn)
        outcomes["broken" if turn.failure else "left" if turn.left else str(status)] += 1
        outcomes["broken off in the stream"] += status == 200 and turn.error is not None
        found = list(causes(faults, turn)) if failed else []
        by_cause.update(found[:1])
        bad = {
            "failed_without_cause": failed and not found,
            "malformed_not_refused": turn.kind == "malformed" and status not in (None, 400, 415, 422),
            "broken_upstream_passed_as_whole": turn.way != WELL and turn.finished,
            "ended_without_a_word": _silent(turn),
            "rude_text_left": any(one in _given(turn) for one in RUDE),
        }
        wrong.update(bad)
        if any(bad.values()) and len(examples) < EXAMPLES:
            examples.append(asdict(replace(turn, decisions=[])))
    return {"requests": len(turns), "outcomes": {k: n for k, n in sorted(outcomes.items()) if n},
            "failures_by_cause": dict(by_cause.most_common()), **wrong, "examples": examples}  # fmt: skip


UNWANTED = (
    "failed_without_cause", "malformed_not_refused", "broken_upstream_passed_as_whole",
    "ended_without_a_word", "rude_text_left",
)  # fmt: skip


def _failed(turn: Turn) -> bool:
    """A status of 5xx, an error in the middle of a stream, a broken connection, or the rate's end."""
    status = turn.status or 0
    return bool(turn.failure) or status >= 500 or status == 429 or (status == 200 and bool(turn.error))


def _silent(turn: Turn) -> bool:
    """A good answer that came to an end neither whole, nor with an error, nor broken."""
    return turn.status == 200 and not (turn.finished or turn.error or turn.failure or turn.left)


def _given(turn: Turn) -> str:
    """All that was given out as text; a check gives out nothing of its own."""
    texts = [one.get("text") or "" for one in turn.decisions if turn.kind != "check"]
    return "\n".join([*texts, turn.received or ""])
