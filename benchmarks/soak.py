"""The service under faults: no acknowledged decision is lost or doubled, nothing fails without cause.

    python benchmarks/soak.py            # eleven minutes
    python benchmarks/soak.py --quick    # half a minute, to see that it works; writes no page

The real `unbarb serve` with two workers, keys, a PostgreSQL that waits for the disk, and an upstream that
misbehaves as it is told; clients of many kinds in a process of their own, among them slow ones, ones that
go away, and ones that send nonsense. Meanwhile the database is stopped and started (orderly, and as if the
power had failed), a worker is killed, both at once, and the upstream is killed. Everything runs on
loopback, in a temporary folder, and stops by itself. Afterwards each decision that a client was told of is
looked up in the record. Results go to benchmarks/soak.json and to docs/benchmarks.md. Linux only.

Memory is flat when the last third of its samples, one a second, is at most 5 % over the second third: the
peak of all processes together, and the median of the worker that is never killed; and when that worker has
no more than ten files more open.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import asdict
from http.client import HTTPConnection
from importlib.resources import files
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from section import write_section
from soak_clients import SPILLING
from soak_faults import WORKERS, Memory, Stand, inflict
from soak_ledger import UNWANTED, WRONG, Record, explained, reconciled
from soak_turn import Turn
from soak_upstream import CLEAN, RUDE, STALL

from postgres import Postgres
from unbarb.audit import AuditLog
from unbarb.audit.keys import Keyring
from unbarb.audit.read import records

HERE = Path(__file__).parent
RATE = 25.0
LONG = 300.0
"""Seconds of a run from which on memory must be flat: before, caches still fill."""


def unbarb(folder: str, *arguments: object) -> str:
    """What a command that must succeed prints."""
    command = [sys.executable, "-m", "unbarb", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise SystemExit(f"unbarb {arguments[0]} {arguments[1]}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


def prepared(folder: str) -> tuple[list[str], str]:
    """Policies, keys and the keyring in files: the options that name them, and the key."""
    policies = Path(folder, "policies")
    policies.mkdir()
    preset = (files("unbarb") / "models" / "policies" / "default.yaml").read_text("utf-8")
    for name, on_failure in (("soak", "fail"), (SPILLING, "spill")):
        audit = f"audit: {{text: encrypted, on_failure: {on_failure}}}\n"
        text = preset.replace("name: default", f"name: {name}") + audit
        Path(policies, f"{name}.yaml").write_text(text, "utf-8")
    scopes = [part for scope in ("check", "rewrite", "proxy", "metrics") for part in ("--scope", scope)]
    key = unbarb(folder, "keys", "create", "soak", *scopes, "--keys", "keys.json")
    Keyring.create(Path(folder, "audit.keys"))
    options = ["--policy", "soak", "--policies", "policies", "--keys", "keys.json"]
    return [*options, "--audit-keys", "audit.keys"], key


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [door.getsockname()[1] for door in doors]
    for door in doors:
        door.close()
    return ports


def soaked(seconds: float, rate: float, seed: int) -> dict[str, Any]:
    """All figures of one run."""
    with tempfile.TemporaryDirectory() as folder, Postgres(durable=True) as postgres:
        options, key = prepared(folder)
        url, port, upstream = postgres.database(), *free_ports(2)
        command = [
            sys.executable, "-m", "unbarb", "serve", "--workers", str(WORKERS), *options, "--audit", url,
            "--upstream", f"http://127.0.0.1:{upstream}/v1", "--set", f"chat.timeout={STALL / 3}",
            "--port", str(port),
        ]  # fmt: skip
        ledger = Path(folder, "ledger.jsonl")
        with Stand(command, folder, upstream, postgres) as stand:
            memory = Memory(stand)
            clients = [sys.executable, str(HERE / "soak_clients.py"), f"http://127.0.0.1:{port}"]
            sent = subprocess.Popen(
                [*clients, str(ledger), str(seconds), str(rate), str(seed)],
                env={**os.environ, "UNBARB_SOAK_KEY": key},
            )
            with memory.watched():
                began = time.monotonic()
                faults = inflict(stand, seconds, seed)
                if sent.wait(seconds + 120):
                    raise SystemExit("the clients failed")
            died, rest = stand.service.poll() is not None, at_rest(port, key)
        secrets = (*CLEAN, *RUDE, key)
        logged = {"tracebacks": stand.log.count("Traceback"), "texts": sum(map(stand.log.count, secrets))}
        turns = [Turn(**json.loads(line)) for line in ledger.read_text("utf-8").splitlines()]
        drained = json.loads(
            unbarb(
                folder, "audit", "drain", "--log", url, "--keys", "audit.keys", "--spill",
                "unbarb-audit.spill", "--json",
            )
        )  # fmt: skip
        verified = json.loads(
            unbarb(folder, "audit", "verify", "--log", url, "--keys", "audit.keys", "--json")
        )
        with AuditLog.open(url, keys=Path(folder, "audit.keys"), create=False) as log:
            on_record = Record(records(log, texts=True))
        return {
            "seconds": seconds, "rate": rate, "seed": seed, "workers": WORKERS,
            "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                        "Python": platform.python_version(), "PostgreSQL": postgres.version},
            "service_ended": died, **rest,
            "turns": explained(turns, faults),
            "record": reconciled(turns, on_record),
            "chain_intact": verified["intact"], "drained_after": drained,
            "memory": {"flat": memory.flat, "thirds": memory.thirds(), "samples": memory.samples[::10]},
            "logged": logged,
            "faults": [
                {name: value if isinstance(value, str) else value and round(value - began, 1)
                 for name, value in asdict(fault).items()}
                for fault in faults
            ],
            "workers_back_seconds": [
                round(fault.back - fault.ended, 1) if fault.back else None
                for fault in faults if fault.kind.startswith("worker")
            ],
        }  # fmt: skip


def figures(port: int, key: str) -> dict[str, float]:
    """What the service's metrics say, by name, over all labels and workers; empty where it is gone."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics", headers={"authorization": f"Bearer {key}"})
        lines = connection.getresponse().read().decode().splitlines()
    except OSError:
        return {}
    finally:
        connection.close()
    found: dict[str, float] = defaultdict(float)
    for line in lines:
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name.partition("{")[0]] += float(value)
    return found


def at_rest(port: int, key: str) -> dict[str, float]:
    """How much is still worked on, for ten seconds after the last answer at most; and what spilled."""
    until = time.monotonic() + 10
    while True:
        found = figures(port, key)
        # Less this request.
        left = found.get("unbarb_requests_in_flight", 0) - 1 + found.get("unbarb_queue_depth", 0)
        if not left or time.monotonic() > until:
            return {"hanging": left, "spilled": found.get("unbarb_audit_spilled_total", 0)}
        time.sleep(0.5)


def failings(result: dict[str, Any]) -> list[str]:
    """What was not as it must be; empty where all was."""
    turns, record = result["turns"], result["record"]
    wrong = {name: turns[name] for name in UNWANTED} | {name: record[name] for name in WRONG}
    wrong |= {"service_ended": result["service_ended"], "hanging": result["hanging"]}
    wrong |= {
        "workers that did not come back": result["workers_back_seconds"].count(None),
        "spilled entries refused": result["drained_after"]["refused"],
        "the chain does not verify": not result["chain_intact"],
        "tracebacks logged": result["logged"]["tracebacks"],
        "texts or keys logged": result["logged"]["texts"],
        "memory is not flat": result["seconds"] >= LONG and not result["memory"]["flat"],
    }
    return [f"{name}: {value}" for name, value in wrong.items() if value]


def section(result: dict[str, Any]) -> list[str]:
    """What docs/benchmarks.md says of it."""
    turns, record, thirds = result["turns"], result["record"], result["memory"]["thirds"]
    faults = Counter(fault["kind"] for fault in result["faults"])
    told = {
        "requests; decisions acknowledged": f"{turns['requests']:,}; {record['acknowledged']:,}",
        "acknowledged decisions lost; doubled; otherwise on record": (
            f"{record['lost']}; {record['doubled']}; {record['otherwise'] + record['unrecorded_text']}"
        ),
        "records on a chain that verifies" if result["chain_intact"] else "records, the chain **broken**": (
            f"{record['records']:,}"
        ),
        "of them spilled while the database was away, and recorded when it was back": (
            f"{result['spilled']:,.0f}"
        ),
        "failures with a cause; without": (
            f"{sum(turns['failures_by_cause'].values()):,}; {turns['failed_without_cause']}"
        ),
        "broken replies of the upstream passed on as whole; streams that ended without a word": (
            f"{turns['broken_upstream_passed_as_whole']}; {turns['ended_without_a_word']}"
        ),
        "rude sentences that left": str(turns["rude_text_left"]),
        "requests still worked on at the end; tracebacks in the log; texts or keys in it": (
            "{:g}; {tracebacks}; {texts}".format(result["hanging"], **result["logged"])
        ),
        "killed workers: seconds until another took requests, at most": (
            f"{max((one for one in result['workers_back_seconds'] if one is not None), default=0):g}"
        ),
    }
    names = {
        "all_mb": "memory of all processes, MB (PSS), peak",
        "oldest_mb": "memory of the worker that is never killed, MB (RSS), median",
        "oldest_files": "its open files, median",
    }
    for name, one in thirds.items() if result["memory"]["samples"] else ():
        told[f"{names[name]}: second third; last"] = f"{one['middle']:g}; {one['last']:g}"
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    by_cause = ", ".join(f"{cause} {count}" for cause, count in turns["failures_by_cause"].items())
    return [
        "## The service under faults",
        "",
        f"{result['seconds'] / 60:g} minutes of {result['rate']:g} requests a second at most to"
        f" {result['workers']} workers, in four dialects, streamed and not, from clients of which some are"
        " slow, go away or send nonsense, with an upstream that breaks three chats in ten. Faults: "
        + ", ".join(f"{kind} {count}" for kind, count in faults.items())
        + ". A failure has a cause when the fault that explains it was there while the request ran or"
        " two seconds before, or when the client had told the upstream to fail.",
        "",
        "| what | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in told.items()),
        "",
        f"Causes: {by_cause}.",
        "",
        "Memory counts as flat when the last third of the run is at most 5 % over the second, and the open"
        f" files at most ten more: here it is{'' if result['memory']['flat'] else ' **not**'}.",
        "",
        f"Measured with {machine}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of load and faults (default 10)")
    parser.add_argument("--quick", action="store_true", help="half a minute; the page stays as it is")
    parser.add_argument("--rate", type=float, default=RATE, help=f"requests a second (default {RATE:g})")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=HERE / "soak.json")
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "benchmarks.md")
    given = parser.parse_args()
    result = soaked(30.0 if given.quick else 60 * given.minutes, given.rate, given.seed)
    given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    if not given.quick:
        write_section(given.page, "soak", section(result))
    print(json.dumps({name: value for name, value in result.items() if name != "memory"}, indent=1))
    if wrong := failings(result):
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
