"""The record under eight writers, and under two hundred tamperings: on SQLite and on a real PostgreSQL.

Run ``python benchmarks/audit.py``; it writes benchmarks/audit.json and its section of docs/benchmarks.md.
Everything happens in a temporary folder and on the loopback; it takes minutes and stops by itself.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "audit"))

import tamper
from audit_events import ENCRYPTED, decision
from section import write_section

from postgres import Postgres
from unbarb.audit.checkpoint import Statement
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.read import records
from unbarb.audit.verify import verify

ROOT = Path(__file__).parent.parent
WRITERS = 8
GROUP = 100


def writes(url: str, keys: Path, writer: int, count: int) -> tuple[list[str], list[float]]:
    """One writer: one decision at a time; ids of the acknowledged, and milliseconds of each."""
    chance = random.Random(writer)
    acknowledged, took = [], []
    with AuditLog.open(url, keys=keys) as log:
        for number in range(count):
            rules = ENCRYPTED if chance.random() < 0.3 else None
            event = decision(number, request=f"writer-{writer}-{number}", rules=rules)
            began = time.perf_counter()
            log.append([event])
            took.append((time.perf_counter() - began) * 1e3)
            acknowledged.append(event.id)
    return acknowledged, took


def under_writers(url: str, keys: Path, each: int) -> tuple[dict[str, Any], list[Statement]]:
    """Eight writers at once, checkpoints taken meanwhile; what came of it, and the checkpoints."""
    processes = multiprocessing.get_context("forkserver")
    began, published = time.perf_counter(), []
    with AuditLog.open(url, keys=keys) as log, ProcessPoolExecutor(WRITERS, mp_context=processes) as pool:
        running = [
            pool.submit(writes, *given)
            for given in zip(repeat(url), repeat(keys), range(WRITERS), repeat(each), strict=False)
        ]
        while not all(one.done() for one in running):
            time.sleep(2.0)
            published.append(log.checkpoint())
        outcomes = [one.result() for one in running]
        seconds = time.perf_counter() - began
        published.append(log.checkpoint())
        acknowledged = Counter(event for events, _ in outcomes for event in events)
        on_record = Counter(record["event"] for record in records(log))
        began = time.perf_counter()
        found = verify(log, published)
        verified = time.perf_counter() - began
    took = sorted(one for _, times in outcomes for one in times)
    return {
        "acknowledged": acknowledged.total(),
        "records": found.records,
        "lost": (acknowledged - on_record).total(),
        "doubled": sum(count - 1 for count in on_record.values()),
        "intact": found.intact,
        "checkpoints": found.checkpoints,
        "seconds": round(seconds, 1),
        "append_ms": quantiles(took),
        "verify_seconds": round(verified, 2),
    }, published


def alone(url: str, keys: Path) -> dict[str, Any]:
    """One writer: milliseconds of an append of one decision, and of a group."""
    figures = {}
    with AuditLog.open(url, keys=keys) as log:
        for size in (1, GROUP):
            took = []
            for _ in range(100):
                events = [decision(number) for number in range(size)]
                began = time.perf_counter()
                log.append(events)
                took.append((time.perf_counter() - began) * 1e3)
            figures[str(size)] = quantiles(sorted(took[10:]))
    return figures


def quantiles(ordered: list[float]) -> dict[str, float]:
    return {"p50": round(statistics.median(ordered), 2), "p95": round(ordered[int(len(ordered) * 0.95)], 2)}


class Copies:
    """Copies of a finished log, to be tampered with."""

    def __init__(self, url: str, postgres: Postgres | None) -> None:
        self._url, self._postgres = url, postgres

    def __enter__(self) -> str:
        if self._postgres:
            self._copy = self._postgres.database(self._url.rsplit("/", 1)[1])
        else:
            source = self._url.removeprefix("sqlite:///")
            shutil.copy(source, f"{source}.copy")
            self._copy = f"sqlite:///{source}.copy"
        return self._copy

    def __exit__(self, *_: object) -> None:
        if self._postgres:
            self._postgres.drop(self._copy)
        else:
            for path in Path(self._copy.removeprefix("sqlite:///")).parent.glob("*.copy*"):
                path.unlink()


def under_tampering(copies: Copies, keys: Path, published: list[Statement], count: int) -> dict[str, Any]:
    """Random tamperings, each with a copy of its own: how many were found, and named."""
    ways: dict[str, Counter[str]] = {}
    missed = []
    for seed in range(count):
        chance = random.Random(seed)
        way = tamper.WAYS[seed % len(tamper.WAYS)]
        with copies as url, AuditLog.open(url, keys=keys) as log:
            with log.database.writing() as connection:
                done = way(connection, chance)
            found = verify(log, published).tamperings
        named = any(map(done.named_by, found))
        ways.setdefault(way.__name__, Counter()).update(done=1, found=bool(found), named=named)
        if not named:
            missed.append({"seed": seed, "what": done.what, "told": [str(one) for one in found]})
    totals = sum(ways.values(), Counter())
    return {**{name: totals[name] for name in ("done", "found", "named")}, "ways": ways, "missed": missed}


def measured(url: str, keys: Path, postgres: Postgres | None, each: int, tamperings: int) -> dict[str, Any]:
    writers, published = under_writers(url, keys, each)
    print(json.dumps(writers), flush=True)
    tampering = under_tampering(Copies(url, postgres), keys, published, tamperings)
    print(json.dumps(tampering), flush=True)
    return {"writers": writers, "tampering": tampering, "alone_ms": alone(url, keys)}


def section(result: dict[str, Any]) -> list[str]:
    """What docs/benchmarks.md says of it."""
    each, tamperings = result["each"], result["tamperings"]
    lines = [
        "## The record",
        "",
        f"{WRITERS} processes that write {each:,} decisions each, one at a time, every one on the disk"
        " before the next, while checkpoints are taken; then the log is verified. After that, random"
        " tamperings by somebody who can write to the database and lacks the keys, each on a copy of that"
        " log: *named* means that a finding says the right kind and place.",
        "",
        "| | SQLite | PostgreSQL |",
        "|---|---|---|",
    ]
    rows: list[tuple[str, Any]] = [
        ("decisions acknowledged", lambda one: f"{one['writers']['acknowledged']:,}"),
        ("records; lost; doubled", lambda one: "{records:,}; {lost}; {doubled}".format(**one["writers"])),
        ("the chain verifies", lambda one: "yes" if one["writers"]["intact"] else "**no**"),
        ("seconds for all; to verify", lambda one: "{seconds}; {verify_seconds}".format(**one["writers"])),
        (
            f"append beside {WRITERS - 1} other writers, ms, p50; p95",
            lambda one: "{p50}; {p95}".format(**one["writers"]["append_ms"]),
        ),
        ("append alone, ms, p50; p95", lambda one: "{p50}; {p95}".format(**one["alone_ms"]["1"])),
        (
            f"append of {GROUP} at once, alone, ms, p50; p95",
            lambda one: "{p50}; {p95}".format(**one["alone_ms"][str(GROUP)]),
        ),
        (
            f"of {tamperings} tamperings found; named",
            lambda one: "{found}; {named}".format(**one["tampering"]),
        ),
    ]
    kinds = result["sqlite"], result["postgresql"]
    lines += [f"| {name} | " + " | ".join(told(one) for one in kinds) + " |" for name, told in rows]
    ways = ", ".join(
        f"{way.replace('_', ' ')} {n['done']}" for way, n in kinds[0]["tampering"]["ways"].items()
    )
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    return [*lines, "", f"Tamperings: {ways}.", "", f"Measured with {machine}."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=1000, help="decisions of each writer")
    parser.add_argument("--tamperings", type=int, default=200)
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "audit.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "benchmarks.md")
    given = parser.parse_args()
    sizes = given.each, given.tamperings
    with tempfile.TemporaryDirectory() as folder, Postgres(durable=True) as postgres:
        keys = Path(folder) / "keys"
        Keyring.create(keys)
        result = {
            "each": given.each,
            "tamperings": given.tamperings,
            "sqlite": measured(f"sqlite:///{folder}/audit.db", keys, None, *sizes),
            "postgresql": measured(postgres.database(), keys, postgres, *sizes),
            "machine": {
                "cores": os.cpu_count(),
                "Python": platform.python_version(),
                "SQLite": sqlite3.sqlite_version,
                "PostgreSQL": postgres.version,
            },
        }
    given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    write_section(given.page, "audit", section(result))


if __name__ == "__main__":
    main()
