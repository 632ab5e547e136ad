"""Where files are: folders of this machine, or ``s3://bucket/key`` at an S3-compatible server.

What is local is opened plainly and takes its name only when it is whole; an object of S3 appears when it
is whole by itself. Credentials and the endpoint come from the environment alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from unbarb.errors import InputError, MissingExtra

REMOTE = "s3://"
PART = ".part"
"""How names of local files end, behind a dot before them, that are not whole yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file: where it is, its size in bytes, and a mark that changes when it is written to again."""

    uri: str
    bytes: int
    stamp: str


def is_remote(uri: str) -> bool:
    """Whether it is an object of S3.

    Raises:
        InputError: it is an address of another kind.
    """
    if "://" in uri and not uri.startswith(REMOTE):
        raise InputError(f"{uri}: give a path of this machine, or {REMOTE}bucket/key")
    return uri.startswith(REMOTE)


def join(folder: str, name: str) -> str:
    """The place called `name`, with ``/`` between its parts, inside `folder`."""
    return f"{folder.rstrip('/')}/{name}"


def is_inside(uri: str, folder: str) -> bool:
    """Whether `uri` is `folder` or lies in it."""
    if is_remote(uri) or is_remote(folder):
        return join(uri, "").startswith(join(folder, ""))
    return Path(uri).resolve().is_relative_to(Path(folder).resolve())


@contextmanager
def told(uri: str, doing: str) -> Iterator[None]:
    """Say of what goes wrong with a file which file it was, and what to do.

    Raises:
        InputError: in place of any OSError.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"{uri}: cannot be {doing} ({reason}); mend that and run the same command again"
        ) from error


@contextmanager
def reading(uri: str) -> Iterator[IO[bytes]]:
    """The bytes of a file; it can be sought in.

    Raises:
        InputError: it cannot be read.
    """
    with told(uri, "read"):
        stream = _s3().open_input_file(_key(uri)) if is_remote(uri) else _plain_file(uri)
    with stream:
        yield stream


def _plain_file(uri: str) -> IO[bytes]:
    return Path(uri).open("rb")


@contextmanager
def writing(uri: str) -> Iterator[IO[bytes]]:
    """A file to be written, which has its name only when all is written; folders are made.

    Raises:
        InputError: it cannot be written, as on a disk that is full.
    """
    if is_remote(uri):
        with told(uri, "written"):
            stream = _s3().open_output_stream(_key(uri))
            try:
                yield stream
                stream.close()
            except BaseException:
                # pyarrow would complete the object when it forgets the stream: do it now, and remove it.
                with suppress(OSError):
                    stream.close()
                    _s3().delete_file(_key(uri))
                raise
        return
    path = Path(uri)
    # A name of its own for every attempt, on whatever node: one that was killed is in nobody's way.
    part = path.with_name(f".{path.name}.{uuid4().hex}{PART}")
    with told(uri, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise


def read_bytes(uri: str) -> bytes | None:
    """All of a small file, or None where there is none.

    Raises:
        InputError: it cannot be read.
    """
    if not any(entry.uri == uri for entry in listed(uri)):
        return None
    with reading(uri) as file, told(uri, "read"):
        return file.read()


def write_bytes(uri: str, content: bytes) -> None:
    """Write a small file whole.

    Raises:
        InputError: it cannot be written.
    """
    with writing(uri) as file:
        file.write(content)


def listed(uri: str) -> list[Entry]:
    """The file at `uri`, or all files in the folder, by name; empty where there is nothing.

    Raises:
        InputError: it cannot be listed.
    """
    with told(uri, "read"):
        return _listed_remote(uri) if is_remote(uri) else _listed_local(Path(uri))


def _listed_local(path: Path) -> list[Entry]:
    if path.is_dir():
        files = [
            Path(root, name)
            for root, folders, names in os.walk(path, onerror=_raise)
            # In place, so that the walk does not go down into them.
            if folders.sort() is None
            for name in names
        ]
    else:
        files = [path] if path.is_file() else []
    entries = []
    for file in files:
        status = file.stat()
        entries.append(Entry(str(file), status.st_size, str(status.st_mtime_ns)))
    return sorted(entries, key=lambda entry: entry.uri)


def _raise(error: OSError) -> None:
    raise error


def _listed_remote(uri: str) -> list[Entry]:
    s3 = _s3()
    from pyarrow.fs import FileSelector, FileType

    found = s3.get_file_info(_key(uri))
    infos = [found]
    if found.type == FileType.Directory:
        infos = s3.get_file_info(FileSelector(_key(uri), recursive=True))
    entries = [
        Entry(REMOTE + info.path, info.size, str(info.mtime_ns))
        for info in infos
        if info.type == FileType.File
    ]
    return sorted(entries, key=lambda entry: entry.uri)


def remove_parts(folder: str) -> None:
    """Remove from `folder` what killed processes began to write; at S3 there is nothing to be seen of it.

    Raises:
        InputError: it cannot be removed.
    """
    for entry in [] if is_remote(folder) else listed(folder):
        name = os.path.basename(entry.uri)
        if name.startswith(".") and name.endswith(PART):
            remove(entry.uri)


def remove(uri: str) -> None:
    """Remove a file, or a folder with all that is in it; nothing where there is none.

    Raises:
        InputError: it cannot be removed.
    """
    with told(uri, "removed"):
        if is_remote(uri):
            _remove_remote(_key(uri))
        elif Path(uri).is_dir():
            shutil.rmtree(uri)
        else:
            Path(uri).unlink(missing_ok=True)


def _remove_remote(key: str) -> None:
    from pyarrow.fs import FileType

    kind = _s3().get_file_info(key).type
    if kind == FileType.Directory:
        _s3().delete_dir(key)
    elif kind == FileType.File:
        _s3().delete_file(key)


_CONNECTED: dict[tuple[str | None, ...], Any] = {}


def _s3() -> Any:
    """The S3 file system that the environment describes, connected once a process.

    Raises:
        MissingExtra: pyarrow is not installed.
        InputError: the environment holds no credentials.
    """
    try:
        from pyarrow.fs import S3FileSystem
    except ImportError as error:
        raise MissingExtra.for_feature("a corpus at s3://", "pyarrow", "corpus") from error
    env = os.environ
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")
    key, secret, token, endpoint = (env.get(name) for name in names)
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if not (key and secret) and not (env.get("AWS_WEB_IDENTITY_TOKEN_FILE") and env.get("AWS_ROLE_ARN")):
        raise InputError(
            "s3:// needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
            " (AWS_ENDPOINT_URL too, where it is not Amazon's)"
        )
    known = (key, secret, token, endpoint, region)
    if known not in _CONNECTED:
        options = {"access_key": key, "secret_key": secret, "session_token": token, "region": region}
        if endpoint:
            scheme, _, host = endpoint.rstrip("/").rpartition("://")
            options |= {"endpoint_override": host, "scheme": scheme or "https"}
        _CONNECTED[known] = S3FileSystem(
            **{name: value for name, value in options.items() if value is not None}
        )
    return _CONNECTED[known]


def _key(uri: str) -> str:
    return uri.removeprefix(REMOTE).rstrip("/")
