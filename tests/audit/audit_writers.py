"""What other processes do in tests: write to the same record."""

from __future__ import annotations

from pathlib import Path

from audit_events import decision

from unbarb.audit.log import AuditLog


def write(url: str, keys: Path, writer: int, count: int) -> list[str]:
    """Open the record and append one event at a time; the ids of those that were acknowledged."""
    written = []
    with AuditLog.open(url, keys=keys) as log:
        for number in range(count):
            event = decision(number, request=f"writer-{writer}-{number}")
            log.append([event])
            written.append(event.id)
    return written


def write_until_killed(url: str, keys: Path, acknowledged: Path) -> None:
    """Append without end, noting each acknowledged event in a file."""
    with AuditLog.open(url, keys=keys) as log, acknowledged.open("a") as file:
        while True:
            events = [decision(number) for number in range(3)]
            log.append(events)
            file.writelines(f"{event.id}\n" for event in events)
            file.flush()
