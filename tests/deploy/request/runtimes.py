"""Model servers of others, each run by a Python environment of its own."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.http import Http


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], folder: Path, port: int, ready: Callable[[Http], object]
) -> Iterator[Http]:
    """The way to a server that `command` starts, when `ready` no longer fails."""
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    ends = monotonic() + 60
    with Http(f"http://127.0.0.1:{port}") as http:
        try:
            while True:
                try:
                    ready(http)
                    break
                except Failure:
                    assert process.poll() is None, process.communicate()[0].decode()
                    assert monotonic() < ends, "the server did not start"
            yield http
        finally:
            process.terminate()
            process.communicate(timeout=30)
