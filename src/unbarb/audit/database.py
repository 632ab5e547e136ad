"""The database under the record: opened, brought to the current form of its tables, written and read."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from unbarb.audit.chain import genesis
from unbarb.audit.checkpoint import Statement
from unbarb.audit.event import now
from unbarb.audit.keys import Keyring
from unbarb.audit.models import Head
from unbarb.audit.written import stamp
from unbarb.errors import AuditError, ConfigError

VERSIONS = "audit_version"
"""The table in which Alembic keeps the number of the last migration."""

PATIENCE = 30
"""Seconds that a writer waits for other writers, and for a database that does not answer."""

_ASK_AGAIN = (0.001, 0.004)
"""Seconds, least and most, after which a writer asks SQLite again for the lock."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRES_LOCK = 0x756E62617262  # any number, the same for all who migrate
_migrating = threading.Lock()  # Alembic keeps the environment in one place for the whole process


def parsed(url: str) -> URL:
    """The URL of a record: of SQLite or PostgreSQL, or the path of a SQLite file.

    Raises:
        ConfigError: it is of another kind.
    """
    try:
        given = make_url(url) if "://" in url else URL.create("sqlite", database=url)
    except ArgumentError as error:
        raise ConfigError(f"the audit log cannot be opened: {error}") from error
    kind = given.get_backend_name()
    if kind == "postgresql":
        return given.set(drivername="postgresql+psycopg")
    if kind != "sqlite" or given.database in (None, "", ":memory:"):
        raise ConfigError(
            f"the audit log cannot be at {given.render_as_string()}; give sqlite:///FILE or postgresql://…"
        )
    return given


class Database:
    """Connections for writing, one transaction at a time, and for reading, which sees one moment."""

    def __init__(self, url: URL) -> None:
        self.sqlite = url.get_backend_name() == "sqlite"
        if self.sqlite:
            options: dict[str, Any] = {"connect_args": {"timeout": PATIENCE}}
        else:
            limits = f"-c lock_timeout={PATIENCE}s"
            # A machine that is gone says nothing: without these its silence would be waited out for hours.
            silence = {"tcp_user_timeout": PATIENCE * 1000, "keepalives_idle": PATIENCE}
            options = {"connect_args": {"connect_timeout": PATIENCE, "options": limits, **silence}}
        try:
            # Parameters stay out of error messages: they would go into logs.
            self.engine: Engine = create_engine(url, hide_parameters=True, **options)
        except NoSuchModuleError as error:
            raise ConfigError(f"the audit log cannot be opened: {error}") from error
        self.name = url.render_as_string()
        if self.sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is durable when the block is left, and undone when it is left by an error.

        Raises:
            AuditError: the database failed.
        """
        with (
            self._told("written"),
            self.engine.execution_options(writes=True).connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the record as it was at one moment.

        Raises:
            AuditError: the database failed.
        """
        options: dict[str, Any] = {} if self.sqlite else {"isolation_level": "REPEATABLE READ"}
        with (
            self._told("read"),
            self.engine.execution_options(**options).connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:  # of SQLite's own when the file is opened
            reason = str(error.orig if isinstance(error, DBAPIError) else error).split("\n", 1)[0]
            raise AuditError(f"the audit log {self.name} cannot be {what}: {reason}") from error

    def forget(self) -> None:
        """Overwrite what was deleted, in the log of changes and in dead rows too, as far as can be done.

        Raises:
            AuditError: the database failed.
        """
        if self.sqlite:
            with self._told("cleared"), self.engine.connect() as connection:
                # On the driver's connection, for this must be outside of a transaction.
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            outside = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            with self._told("cleared"), outside.connect() as connection:
                connection.exec_driver_sql("VACUUM audit_texts")

    def version(self, connection: Connection) -> str | None:
        """The number of the last migration; None before the first."""
        context = MigrationContext.configure(connection, opts={"version_table": VERSIONS})
        return context.get_current_revision()

    def migrate(self, keys: Keyring) -> str:
        """Bring the tables to their current form, make the head if there is none, and give the number.

        Raises:
            AuditError: the database failed, or its tables are of a later release.
        """
        with _migrating, self.writing() as connection:
            if not self.sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRES_LOCK})")
            if self.version(connection) != newest():
                self.check(connection, may_be_old=True)
                config = Config(attributes={"connection": connection})
                config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
                command.upgrade(config, "head")
            if connection.execute(select(Head.id)).first() is None:
                connection.execute(insert(Head).values(id=1, **_empty(keys).to_dict()))
        return newest()

    def check(self, connection: Connection, may_be_old: bool = False) -> None:
        """Make sure that the tables are of the form that this release knows.

        Raises:
            AuditError: they are not.
        """
        found = self.version(connection)
        known = [step.revision for step in _steps().walk_revisions()]
        if found is not None and found not in known:
            raise AuditError(
                f"the audit log {self.name} is of a later release (migration {found}, known here up to"
                f" {newest()}); upgrade unbarb"
            )
        if found != newest() and not may_be_old:
            state = f"is at migration {found}" if found else "has no tables yet"
            raise AuditError(f"the audit log {self.name} {state}; run 'unbarb audit migrate'")


def newest() -> str:
    """The number of the newest migration."""
    return str(_steps().get_current_head())


def _steps() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


def _empty(keys: Keyring) -> Statement:
    """The head of a log in which nothing stands yet."""
    log = str(uuid4())
    return Statement(
        purpose="head", number=0, log=log, sequence=0, digest=genesis(log), records=0, time=stamp(now())
    ).signed(keys)


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Commits are on the disk when they return, readers do not wait, what is erased is overwritten."""
    connection.isolation_level = None  # transactions are begun below, not by the driver
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    # A writer takes the lock at once: to take it later, after reading, could fail half-way. It asks again
    # soon: SQLite itself would come to ask every 100 ms, for a lock that is held for two.
    cursor = connection.connection.cursor()
    patient_until = time.monotonic() + PATIENCE
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > patient_until:
                    raise
            time.sleep(random.uniform(*_ASK_AGAIN))
    finally:
        cursor.execute(f"PRAGMA busy_timeout={PATIENCE * 1000:.0f}")
        cursor.close()
