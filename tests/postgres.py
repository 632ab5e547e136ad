"""A real PostgreSQL for tests and benchmarks: in a temporary folder, on a free port, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import psycopg

_HOMES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


def binary(name: str) -> Path:
    """The newest program of PostgreSQL with this name.

    Raises:
        RuntimeError: it is not installed.
    """
    found = [Path(one) for one in (shutil.which(name),) if one]
    found += sorted(
        (one for home in _HOMES for one in Path("/").glob(f"{home[1:]}/{name}")),
        key=lambda path: [int(part) for part in path.parts[-3].split(".") if part.isdigit()],
        reverse=True,
    )
    if not found:
        raise RuntimeError(
            f"the tests need a real PostgreSQL and found no {name!r}; install it with"
            " 'apt-get install postgresql' (Debian, Ubuntu) or 'brew install postgresql' (macOS)"
        )
    return found[0]


class Postgres:
    """A server of its own; :meth:`database` gives the URL of a new, empty database in it.

    Without `durable` it does not wait for the disk: its data outlives a kill, not a loss of power.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._durable = durable
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None  # it refuses to run as root
        self._home = Path(tempfile.mkdtemp(prefix="unbarb-postgres-"))
        if self._owner:
            os.chown(self._home, self._owner.pw_uid, self._owner.pw_gid)
        self._data = self._home / "data"
        self._run("initdb", "-D", self._data, "-U", "unbarb", "-A", "trust", "-E", "UTF8", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        lax = "" if self._durable else "-c fsync=off -c full_page_writes=off"
        options = (
            f"{lax} -c listen_addresses=127.0.0.1 -p {self.port} -k {self._home} -c max_connections=60"
        )
        self._run(
            "pg_ctl", "-D", self._data, "-l", self._home / "log", "-w", "-t", "60", "-o", options, "start"
        )

    @property
    def version(self) -> str:
        with psycopg.connect(self._url("postgres")) as connection:
            return connection.info.parameter_status("server_version") or ""

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; "immediate" is as if the power had failed."""
        self._run("pg_ctl", "-D", self._data, "-w", "-m", mode, "stop")

    def database(self, template: str = "template1") -> str:
        """The URL of a new database, a copy of `template`, to which nobody may be connected."""
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')  # type: ignore[call-overload]
        return self._url(name)

    def drop(self, url: str) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{url.rsplit("/", 1)[1]}" WITH (FORCE)')  # type: ignore[call-overload]

    def _url(self, name: str) -> str:
        return f"postgresql://unbarb@127.0.0.1:{self.port}/{name}"

    def _run(self, program: str, *arguments: object) -> None:
        owner: dict[str, Any] = {}
        if self._owner:
            owner = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        command: Sequence[str] = [str(binary(program)), *map(str, arguments)]
        # Its output goes to a file: a server that inherits a pipe would keep it open.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(command, stdout=output, stderr=output, cwd="/", check=False, **owner)
            if done.returncode:
                output.seek(0)
                raise RuntimeError(f"{' '.join(command)} failed:\n{output.read().decode()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(RuntimeError):
            self.stop()
        shutil.rmtree(self._home, ignore_errors=True)
