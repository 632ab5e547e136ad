"""The record of decisions: opened, appended to, closed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from unbarb.audit import DEFAULT_URL
from unbarb.audit.append import checkpoint, extend
from unbarb.audit.checkpoint import Statement
from unbarb.audit.database import Database, parsed
from unbarb.audit.event import Event
from unbarb.audit.keys import Keyring
from unbarb.audit.spill import Drained, Spill
from unbarb.audit.written import Entry, written
from unbarb.errors import AuditError, ConfigError

log = logging.getLogger("unbarb.audit")

A_FEW = 20
"""Spilled files recorded along with one write, so that no request waits for a long outage's worth."""


class AuditLog:
    """The record: append-only, chained, signed. Threads and processes may share it.

    Made by :meth:`open`.
    """

    def __init__(self, database: Database, keys: Keyring, spilled: Spill) -> None:
        self.database = database
        self.spilled = spilled
        self._waiting = bool(spilled.files)
        self._keys = keys
        self._keys_changed = _changed(keys.path)
        self._turn = threading.Lock()

    @classmethod
    def open(
        cls,
        url: str = DEFAULT_URL,
        *,
        keys: Path | None = None,
        create: bool = True,
        spill: Path | None = None,
    ) -> AuditLog:
        """Open the record at `url`: ``sqlite:///FILE``, the path of such a file, or ``postgresql://…``.

        Args:
            keys: the keyring's file. For SQLite it is ``FILE.keys`` when left out, and made when it is
                missing; for PostgreSQL, which several replicas share, it must be given and be there.
            create: make or migrate tables; otherwise they must be there in their current form.
            spill: the folder for what cannot be written; ``FILE.spill`` when left out, or
                ``unbarb-audit.spill``. What waits there is written with the next events.

        Raises:
            ConfigError: the URL or the keyring cannot be used.
            AuditError: the database failed, or its tables are not in their current form.
        """
        where = parsed(url)
        database = Database(where)
        if database.sqlite:
            _file(Path(where.database or ""), create)
        try:
            keyring = _keyring(keys, Path(f"{where.database}.keys") if database.sqlite else None, create)
            if create:
                database.migrate(keyring)
            else:
                with database.reading() as connection:
                    database.check(connection)
        except BaseException:
            database.engine.dispose()
            raise
        beside = f"{where.database}.spill" if database.sqlite else "unbarb-audit.spill"
        return cls(database, keyring, Spill(spill or Path(beside)))

    @property
    def keys(self) -> Keyring:
        """The keyring; read anew when its file has changed, so that a rotation needs no restart.

        With a file that has gone or is damaged it goes on with the keys that it has.
        """
        changed = _changed(self._keys.path)
        if self._keys.path is not None and changed != self._keys_changed:
            self._keys_changed = changed
            try:
                self._keys = Keyring.load(self._keys.path)
            except ConfigError as error:
                log.warning("the keys from before stay in use: %s", error)
        return self._keys

    def append(self, events: Sequence[Event]) -> list[int]:
        """Write events in one transaction, on the disk when this returns; sequence numbers in their order.

        An event that is on record already, by its id, is not written again: what may have failed can
        be repeated.

        Raises:
            AuditError: they could not be written, or it is not known whether they were.
        """
        return self.write(self.prepared(events))

    def prepared(self, events: Sequence[Event]) -> list[Entry]:
        """The events as they will be written, texts hashed and encrypted."""
        keys = self.keys
        return [written(event, keys) for event in events]

    def write(self, entries: Sequence[Entry]) -> list[int]:
        """Write what :meth:`prepared` gave; see :meth:`append`."""
        if not entries:
            return []
        with self._turn:  # threads take turns here and not in the database, which would have them poll
            try:
                places = self._write(entries)
            except AuditError as error:
                if not _lost_connection(error):
                    raise
                # Pooled connections die with a restart of the database; ids make it safe to repeat.
                places = self._write(entries)
            if self._waiting:
                with suppress(AuditError):  # what waits goes on waiting; these entries are written
                    self._drain(A_FEW)
            return places

    def spill(self, events: Sequence[Event]) -> None:
        """Keep events on the local disk until they can be written; they are written with the next ones.

        For events that :meth:`append` failed to write, where their policy says so: it does not matter
        whether it wrote them after all.

        Raises:
            AuditError: the disk failed too.
        """
        # Without a turn: whoever has it may be waiting for the database.
        self.spilled.write(self.prepared(events), self.keys)
        self._waiting = True

    def drain(self) -> Drained:
        """Write what waits on the local disk.

        Raises:
            AuditError: the record cannot be written; what was not written goes on waiting.
        """
        with self._turn:
            return self._drain()

    def _drain(self, limit: int | None = None) -> Drained:
        self._waiting = False  # first, so that what is spilled meanwhile is not forgotten
        try:
            return self.spilled.drain(self._write, self.keys, limit)
        finally:
            self._waiting = self._waiting or bool(self.spilled.files)

    def _write(self, entries: Sequence[Entry]) -> list[int]:
        with self.database.writing() as connection:
            return extend(connection, entries, self.keys)

    def checkpoint(self) -> Statement:
        """Sign where the chain stands, keep it in the log and give it, to be published elsewhere.

        Raises:
            AuditError: the database failed.
        """
        with self._turn, self.database.writing() as connection:
            return checkpoint(connection, self.keys)

    def close(self) -> None:
        self.database.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _keyring(given: Path | None, beside: Path | None, create: bool) -> Keyring:
    if given is None and beside is None:
        raise ConfigError(
            "an audit log on PostgreSQL needs a file of keys that all replicas have; make one with"
            " 'unbarb audit keys create FILE'"
        )
    path = given or beside
    assert path is not None
    if given is None and create:
        return Keyring.create(path)
    return Keyring.load(path)


def _file(path: Path, create: bool) -> None:
    """Make sure of the SQLite file, which nobody but its owner may read when it is made here."""
    if path.is_file():
        return
    if not create:
        raise AuditError(f"there is no audit log at {path}; give the file of one")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as error:
        raise AuditError(f"the audit log {path} cannot be made: {error.strerror}") from error


def _changed(path: Path | None) -> int:
    try:
        return os.stat(path).st_mtime_ns if path is not None else 0
    except OSError:
        return -1


def _lost_connection(error: AuditError) -> bool:
    return bool(getattr(error.__cause__, "connection_invalidated", False))
