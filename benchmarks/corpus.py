"""Cleaning a corpus: rows a second against a peer, memory, Ray against local processes, and kill -9.

    python benchmarks/corpus.py speed     # 200,000 comments; then the peer on a sample of them
    python benchmarks/corpus.py ray       # a million comments by each engine, and memory beside a tenth
    python benchmarks/corpus.py kill      # kill -9 at 20 random moments: runs, and workers of Ray
    python benchmarks/corpus.py speed --rows 2000 --out /tmp/corpus.json   # to see that it works

Each runs alone, on a machine that does nothing else, and adds its part to benchmarks/corpus.json, of which
the section of docs/benchmarks.md is written. UNBARB_DATA names the folder of the corpora, of which
`corpus_rows.py` makes the rows; the peer is that of `corpus_peer.py`. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from corpus_page import section
from corpus_rows import write
from corpus_runs import UNREADABLE, run, run_killing_workers
from section import write_section

from clean_runs import command, digests, kill_again_and_again

CORES = os.cpu_count() or 1
SAMPLE, REWRITTEN = 640, 64
"""Rows that the peer classifies, and rows that it rewrites."""
ROUNDS = 3
"""Runs over next to nothing, of which the median is what starting takes."""
KILLS = 20


def speed(folder: Path, rows: int) -> dict[str, Any]:
    """All rows cleaned by us; the seconds a row of the peer, measured on some of them."""
    import corpus_peer

    source, out = write(folder / "in.jsonl", rows), folder / "out"
    ran = run(source, out, "--workers", str(CORES))
    counts = json.loads((out / "manifest.json").read_bytes())["counts"]
    changed = _every({row["id"] for row in _lists(out, "changes")}, REWRITTEN)
    texts = {row["id"]: row["text"] for row in _rows(source)}
    sample = _every(texts, min(SAMPLE, rows))
    peer = corpus_peer.seconds([texts[one] for one in sample], [texts[one] for one in changed], CORES)
    share = counts["changed"] / rows
    theirs = {kind: peer["classify"][kind] + share * peer["rewrite"][kind] for kind in corpus_peer.KINDS}
    return {
        "rows": rows, **asdict(ran), "counts": counts, "rows_a_second": rows / ran.seconds,
        "peer": {
            "classified": len(sample), "rewritten": len(changed), "seconds_a_text": peer,
            "share_rewritten": share, "rows_a_second": {kind: 1 / one for kind, one in theirs.items()},
        },
        "times_faster": {kind: one * rows / ran.seconds for kind, one in theirs.items()},
    }  # fmt: skip


def ray(folder: Path, rows: int) -> dict[str, Any]:
    """The same rows by both engines, what each takes to start (a row a worker), and a tenth of them."""
    source = write(folder / "in.jsonl", rows)
    few = folder / "few"
    few.mkdir(exist_ok=True)
    for number, row in enumerate(islice(_rows(source), CORES)):
        (few / f"{number}.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    engines: dict[str, dict[str, Any]] = {}
    for name in ("local", "ray"):
        options = ("--engine", name, "--workers", str(CORES))
        starts = [run(few, folder / f"start-{name}", *options).seconds for _ in range(ROUNDS)]
        engines[name] = {
            **asdict(run(source, folder / f"out-{name}", *options)),
            "start_seconds": statistics.median(starts),
        }
    tenth = run(write(folder / "tenth.jsonl", rows // 10), folder / "out-tenth", "--workers", str(CORES))
    local, other = digests(folder / "out-local"), digests(folder / "out-ray")
    differ = sorted(name for name in {*local, *other} if local.get(name) != other.get(name))
    beyond = {name: one["seconds"] - one["start_seconds"] for name, one in engines.items()}
    return {
        "rows": rows,
        **engines,
        "tenth": asdict(tenth),
        "overhead": beyond["ray"] / beyond["local"] - 1,
        "differ": differ,
    }


def kill(folder: Path, rows: int) -> dict[str, Any]:
    """Runs killed at random moments and resumed, and workers of Ray killed, against the unbroken run.

    Every 1,000th row cannot be parsed.
    """
    lines = write(folder / "whole.jsonl", rows).read_bytes().splitlines(keepends=True)
    source = folder / "in.jsonl"
    source.write_bytes(b"".join(b"{" + line if at % 1000 == 999 else line for at, line in enumerate(lines)))
    out, log = folder / "out", folder / "killed.log"
    options = ("--workers", str(CORES), "--shard-size", "64K")
    ran = run(source, out, *options)
    counts, files = json.loads((out / "manifest.json").read_bytes())["counts"], digests(out)
    ends = kill_again_and_again(
        command(source, folder / "killed", *options), folder / "killed", log, KILLS, ran.seconds, Random(1)
    )
    random, workers = Random(2), []
    while (left := KILLS - sum(done for done, _ in workers)) > 0:
        # A run may end before all its moments have come.
        done, code = run_killing_workers(source, folder / "ray", left, ran.seconds, random, *options)
        workers.append((done, code == UNREADABLE and digests(folder / "ray") == files))
    return {
        "rows": rows,
        "counts": counts,
        "seconds": ran.seconds,
        "kills": sum(end.kills for end in ends),
        "runs": len(ends),
        "identical": all(end.code == UNREADABLE and end.files == files for end in ends),
        "workers_killed": sum(done for done, _ in workers),
        "workers_runs": len(workers),
        "workers_identical": all(same for _, same in workers),
    }


PARTS: dict[str, tuple[Callable[[Path, int], dict[str, Any]], int]] = {
    "speed": (speed, 200_000),
    "ray": (ray, 1_000_000),
    "kill": (kill, 20_000),
}
"""What is measured, over how many rows."""


def _rows(source: Path) -> Iterator[dict[str, Any]]:
    with source.open("rb") as lines:
        yield from map(json.loads, lines)


def _lists(out: Path, name: str) -> Iterator[dict[str, Any]]:
    for file in sorted((out / name).iterdir()):
        yield from _rows(file)


def _every(ids: Any, count: int) -> list[str]:
    """`count` of the ids, evenly over all of them, or all where there are fewer."""
    ordered = sorted(ids, key=lambda one: int(one[1:]))
    return ordered[:: max(1, len(ordered) // count)][:count]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("--rows", type=int, help="rows; then no page is written")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/corpus.json"))
    given = parser.parse_args()
    measure, rows = PARTS[given.part]
    with tempfile.TemporaryDirectory(prefix="unbarb-corpus-") as folder:
        part = measure(Path(folder), given.rows or rows)
    result = json.loads(given.out.read_text("utf-8")) if given.out.exists() else {}
    result["machine"] = {
        "processor": platform.processor() or platform.machine(), "cores": CORES,
        "python": platform.python_version(),
        **{name: version(name) for name in ("ray", "torch", "transformers")},
    }  # fmt: skip
    result[given.part] = part
    given.out.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(json.dumps(part, indent=2))
    if not given.rows:
        write_section(Path("docs/benchmarks.md"), "corpus", section(result))


if __name__ == "__main__":
    main()
