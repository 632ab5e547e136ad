"""What a guarded stream leaks, changes, holds back and costs; writes stream.json and its table in the docs.

Run ``python benchmarks/stream.py`` (some minutes), or with ``--quick``; ``--page`` only writes the table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import mean, median
from time import perf_counter, process_time
from typing import Any

from stream_texts import WORDS, chunks, texts

from unbarb import Guard, Verdict
from unbarb.segment import sentences
from unbarb.stream import AsyncStreamGuard, Piece, Released, StreamGuard, judge
from unbarb.stream.judge import TOGETHER

RATE = 50
"""Tokens a second of the upstream."""
TOKEN = 4
"""Characters of a token, about as many as English has."""
BLOCK = re.compile(r"(<!-- stream -->\n).*?(<!-- end -->)", re.DOTALL)


class Remembering:
    """Judges pieces with a guard, each different piece once: a verdict depends on nothing else."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._known: dict[tuple[object, ...], Verdict] = {}

    async def __call__(self, pieces: Sequence[Piece]) -> list[Verdict]:
        return [self._of(piece) for piece in pieces]

    def _of(self, piece: Piece) -> Verdict:
        found = piece.found and (piece.found.original, piece.found.text)
        key = (piece.text, piece.before, found, piece.only)
        if key not in self._known:
            (self._known[key],) = judge(self._guard, [piece])
        return replace(self._known[key], id=piece.id)


def taken(verdict: Verdict, piece: Released) -> int:
    """How many characters of a piece a verdict on the whole text, or on its beginning, takes out."""
    end = piece.start + len(piece.verdict.original)
    return sum(max(0, min(edit.end, end) - max(edit.start, piece.start)) for edit in verdict.edits)


def compared(guard: Guard, text: str, out: str, stream: AsyncStreamGuard, found: Counter[str]) -> None:
    """Count where a stream did otherwise than the guard with the whole text, and why."""
    whole = guard(text)
    found["texts"] += 1
    found["pieces"] += len(stream.released)
    found["equal"] += out == (whole.text or "")
    if out == whole.text:
        return
    for word in WORDS:  # what the guard itself leaves in the whole text is its fault, not the stream's
        found["planted characters left"] += len(word) * max(
            0, out.count(word) - (whole.text or "").count(word)
        )
    causes: list[str] = []
    for piece in stream.released:
        if changes(whole, piece) == changes(piece.verdict, piece, piece.start):
            continue
        so_far = guard(text[: piece.start + len(piece.verdict.original)])
        causes.append(_cause(piece, so_far, whole))
        if piece.verdict.text == piece.verdict.original:
            found["leaked characters"] += taken(so_far, piece)
            if not taken(so_far, piece):
                found["characters taken out only once later text came"] += taken(whole, piece)
    found[f"differs first by {causes[0] if causes else 'a block'}"] += 1


def changes(verdict: Verdict, piece: Released, offset: int = 0) -> set[tuple[int, int, str]]:
    """What a verdict on a text that begins at `offset` of the stream changes in a piece."""
    end = piece.start + len(piece.verdict.original)
    return {
        (edit.start + offset, edit.end + offset, edit.replacement)
        for edit in verdict.edits
        if piece.start <= edit.start + offset < end
    }


def _cause(piece: Released, so_far: Verdict, whole: Verdict) -> str:
    """Why a piece left otherwise than in the whole text."""
    if whole.text is None or piece.verdict.text is None:
        return "a block"
    if TOGETHER in piece.verdict.warnings:
        return "what is toxic only together"
    if changes(so_far, piece) == changes(piece.verdict, piece, piece.start):
        return "later text"
    return "an insult among much else"


async def through(
    judging: Remembering, parts: list[str], expected: str | None = None
) -> tuple[str, bool, AsyncStreamGuard]:
    """What leaves, whether it was always a beginning of what is expected, and the stream."""
    stream, left, steady = AsyncStreamGuard(judging), "", True
    for part in parts:
        left += await stream.feed(part)
        steady = steady and (expected is None or expected.startswith(left))
    return left + await stream.close(), steady, stream


def promises(guard: Guard, count: int, each: int) -> dict[str, Any]:
    """Leaks, changed beginnings and altered clean texts over `count` × `each` random chunkings."""
    random, found, judging = Random(5), Counter[str](), Remembering(guard)
    for text in texts(count, rude=True, seed=11):
        out, _, stream = asyncio.run(through(judging, [text]))
        compared(guard, text, out, stream, found)
        for _ in range(each):
            again, steady, _ = asyncio.run(through(judging, chunks(text, random), out))
            found["chunkings"] += 1
            found["chunkings with another text"] += again != out
            found["changed prefixes"] += not steady
    for text in texts(count, rude=False, seed=12):
        found["clean texts"] += 1
        for _ in range(each // 5):
            out, _, _ = asyncio.run(through(judging, chunks(text, random)))
            found["clean chunkings"] += 1
            found["clean chunkings altered"] += out != text
    return dict(found)


def tokens(text: str) -> Iterator[str]:
    for at in range(0, len(text), TOKEN):
        yield text[at : at + TOKEN]


def hold_back(guard: Guard, count: int) -> dict[str, Any]:
    """Characters and milliseconds that text waits, at `RATE` tokens a second, and what judging takes.

    A wait is until the token that makes a piece certain, and the clock's time of judging it.
    """
    characters: list[int] = []
    held_sentences: list[int] = []
    waits: list[float] = []
    work: list[float] = []
    spent = upstream = 0.0
    for text in texts(count, rude=True, seed=21):
        stream, clock, done = StreamGuard(guard), 0.0, 0
        came: list[float] = []
        for part in [*tokens(text), None]:
            clock += 0.0 if part is None else 1 / RATE
            came += [clock] * len(part or "")
            began, used = perf_counter(), process_time()
            if part is None:
                stream.close()
            else:
                stream.feed(part)
            took = perf_counter() - began
            spent += process_time() - used
            released = stream.released[done:]
            done = len(stream.released)
            for piece in released:
                stretch = came[piece.start : piece.start + len(piece.verdict.original)]
                waits += [(clock + took - at) * 1e3 for at in stretch]
            if released:
                work.append(took * 1e3 / len(released))
            characters.append(stream.counts.held)
            held_sentences.append(len(sentences(text[len(came) - stream.counts.held : len(came)])))
            if stream.blocked:
                break
        upstream += clock
    return {
        "characters": spread(characters),
        "sentences": spread(held_sentences),
        "sentence_characters": spread(
            [span.end - span.start for text in texts(count, rude=True, seed=21) for span in sentences(text)]
        ),
        "milliseconds": spread(waits),
        "judging_milliseconds": spread(work),
        "share_of_upstream": spent / upstream,
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "p50": ordered[len(ordered) // 2],
        "p95": ordered[int(len(ordered) * 0.95)],
        "max": ordered[-1],
        "n": len(ordered),
    }


def seconds(guard: Guard, text: str) -> float:
    """Processor seconds of a text that comes in tokens."""
    stream, began = StreamGuard(guard), process_time()
    for token in tokens(text):
        stream.feed(token)
    stream.close()
    if stream.blocked:
        raise SystemExit("the text was withheld, so nothing was measured; change the seed")
    return process_time() - began


def linearity(guard: Guard, rounds: int) -> dict[str, Any]:
    """Processor seconds of a text of 100 KB, and of its ten parts of 10 KB on average."""
    text = "".join(texts(200, rude=True, seed=31))[:100_000]
    whole = median(seconds(guard, text) for _ in range(rounds))
    part = mean(seconds(guard, text[at : at + 10_000]) for at in range(0, 100_000, 10_000))
    return {"seconds_10_kb": part, "seconds_100_kb": whole, "ratio": whole / part}


def bars(content: dict[str, Any]) -> dict[str, bool]:
    """What must hold, and whether it does."""
    found, held = content["promises"], content["hold_back"]
    return {
        "no toxic character leaks": not found.get("leaked characters", 0)
        and not found.get("planted characters left", 0),
        "no prefix changes": not found["changed prefixes"] and not found["chunkings with another text"],
        "no clean text is altered": not found["clean chunkings altered"],
        "hold-back p95 within one sentence": held["sentences"]["p95"] <= 1,
        "100 KB cost at most 11 times 10 KB": content["cost"]["ratio"] <= 11,
        "at most 5 % of the upstream's time": held["share_of_upstream"] <= 0.05,
    }


def table(content: dict[str, Any]) -> str:
    """The figures as the table of the page."""
    found, held, cost = content["promises"], content["hold_back"], content["cost"]

    def three(name: str) -> str:
        return " / ".join(f"{held[name][point]:.3g}" for point in ("p50", "p95", "max"))

    equal = f"{found['equal']:,} of {found['texts']:,}"
    rows = [
        ("random chunkings of mixed text, and of clean text",
         f"{found['chunkings']:,} and {found['clean chunkings']:,}"),
        ("toxic characters leaked: planted, and by the guard's word on the text so far",
         f"{found.get('planted characters left', 0)} and {found.get('leaked characters', 0)}"),
        ("beginnings that changed; chunkings that gave another text",
         f"{found['changed prefixes']}; {found['chunkings with another text']}"),
        ("clean texts altered", f"{found['clean chunkings altered']}"),
        ("mixed texts that left as the guard gives them whole", equal),
        *((name, f"{number:,}") for name, number in sorted(found.items()) if name.startswith("differs")),
        ("characters that the guard takes out only once later text is there",
         f"{found.get('characters taken out only once later text came', 0):,}"),
        ("held back, in characters: p50 / p95 / max", three("characters")),
        ("sentences begun in what is held back: p50 / p95 / max", three("sentences")),
        ("characters of a sentence: p50 / p95 / max", three("sentence_characters")),
        (f"wait of a character at {RATE} tokens a second, in ms: p50 / p95 / max", three("milliseconds")),
        ("of which judging a piece, in ms: p50 / p95 / max", three("judging_milliseconds")),
        (f"processor time, as a share of the upstream's time at {RATE} tokens a second",
         f"{held['share_of_upstream']:.1%}"),
        ("processor time of 100 KB, times that of 10 KB", f"{cost['ratio']:.1f}"),
    ]  # fmt: skip
    return "\n".join(
        ["| what | figure |", "|---|---|", *(f"| {what} | {figure} |" for what, figure in rows)]
    )


def write_page(content: dict[str, Any], page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    page.write_text(
        BLOCK.sub(lambda found: f"{found[1]}{table(content)}\n{found[2]}", text), encoding="utf-8"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="500 chunkings, nothing written")
    parser.add_argument(
        "--page", action="store_true", help="write the table from the file, measure nothing"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/stream.json"))
    parser.add_argument("--docs", type=Path, default=Path("docs/stream.md"))
    given = parser.parse_args()
    if given.page:
        write_page(json.loads(given.out.read_text(encoding="utf-8")), given.docs)
        return
    guard = Guard(threads=1)
    guard("you are an idiot")
    count, each, rounds = (10, 50, 1) if given.quick else (50, 200, 1)
    content: dict[str, Any] = {
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "policy": guard.policy.name,
        "models": guard.panel.digest,
        "promises": promises(guard, count, each),
        "hold_back": hold_back(guard, count // 2),
        "cost": linearity(guard, rounds),
    }
    content["bars"] = bars(content)
    print(json.dumps(content, indent=2))
    if not given.quick:
        given.out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        write_page(content, given.docs)
    failed = [name for name, held in content["bars"].items() if not held]
    if failed:
        raise SystemExit("not held: " + ", ".join(failed))


if __name__ == "__main__":
    main()
