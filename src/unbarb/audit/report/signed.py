"""The report's files, and the signature beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select

from unbarb.audit.checkpoint import Statement
from unbarb.audit.event import now
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Checkpoint, Record
from unbarb.audit.read import AT_ONCE, Choice
from unbarb.audit.report.figures import DAYS_AS_DAYS, Figures
from unbarb.audit.report.page import page
from unbarb.audit.verify import verify
from unbarb.audit.written import stamp
from unbarb.errors import InputError

PAGE, FIGURES, SIGNATURE = "report.html", "report.json", "report.sig.json"


@dataclass(frozen=True, slots=True)
class Checked:
    """Whether a report is as it was made: `wrong` says what is not."""

    log: str
    made: str
    key: str
    wrong: tuple[str, ...]


def write_report(log: AuditLog, out: Path, since: date | None = None, until: date | None = None) -> Path:
    """Write a report on the days from `since` to `until`, both included, and its signature into `out`.

    Days are those of UTC. The whole log is verified for it. Gives the page's path.

    Raises:
        InputError: the folder cannot be written.
        AuditError: the database failed.
        ConfigError: the keyring cannot sign.
    """
    made = stamp(now())
    proof = verify(log)
    with log.database.reading() as connection:
        stored = connection.execute(select(Checkpoint.__table__).order_by(Checkpoint.number)).mappings()
        checkpoints = [Statement.from_row(row) for row in stored]
        choice = Choice(
            since=_midnight(since) if since else None,
            until=_midnight(until) + timedelta(1) if until else None,
        )
        conditions = list(choice.conditions(log.keys))
        chosen = select(Record.__table__).where(*conditions).order_by(Record.sequence)
        rows = connection.execute(chosen.execution_options(yield_per=AT_ONCE)).mappings()
        long = (until or now().date()).toordinal() - (since or date.min).toordinal() > DAYS_AS_DAYS
        figures = Figures(by_month=long).over(dict(row) for row in rows)
    period = f"{since or 'the beginning'} to {until or made[:10]}"
    keys = log.keys
    public = [key.id for key in keys.keys["sign"]]
    html = page(figures, proof, checkpoints, period=period, made=made, keys=public)
    plain = {"period": period, "made": made, "figures": figures.to_dict(), "proof": proof.to_dict()}
    files = {PAGE: html.encode(), FIGURES: (json.dumps(plain, indent=2) + "\n").encode()}
    statement = {
        "unbarb": "audit report 1",
        "log": proof.log,
        "made": made,
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    key, signature = keys.sign(_message(statement))
    signed = {**statement, "key": key, "signature": signature}
    with _told(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, content in (*files.items(), (SIGNATURE, (json.dumps(signed, indent=2) + "\n").encode())):
            (out / name).write_bytes(content)
    return out / PAGE


def check_report(folder: Path, keys: Keyring) -> Checked:
    """Whether the report in `folder` is as it was signed by a key of the keyring.

    Raises:
        InputError: there is no signature to read.
    """
    try:
        signed = json.loads((folder / SIGNATURE).read_text("utf-8"))
        key, signature = str(signed.pop("key")), str(signed.pop("signature"))
        digests = dict(signed["files"])
        log, made = str(signed["log"]), str(signed["made"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{folder / SIGNATURE}: no signature of a report; give the report's folder"
        ) from error
    wrong = []
    if not keys.signed(_message(signed), key, signature):
        wrong.append(f"{SIGNATURE} is not signed by a known key (it names {key})")
    for name in (PAGE, FIGURES):
        try:
            found = sha256((folder / name).read_bytes()).hexdigest()
        except OSError:
            found = "missing"
        if found != digests.get(name):
            wrong.append(f"{name} is {'missing' if found == 'missing' else 'not as it was signed'}")
    return Checked(log, made, key, tuple(wrong))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _message(statement: Mapping[str, Any]) -> bytes:
    return json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()


@contextmanager
def _told(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{out}: the report cannot be written ({error.strerror}); give another folder"
        ) from error
