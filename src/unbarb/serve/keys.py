"""API keys: made, hashed, looked up, rotated; a file that is read again when it changes.

A key is ``unbarb_<id>_<secret>``. The secret is 256 random bits, so its SHA-256 at rest is as hard to
turn round as the secret is to guess; slow hashes are for passwords. The id is public: it stands in the
record and in nothing that is secret.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from unbarb.errors import ConfigError

SCOPES = ("check", "rewrite", "proxy", "metrics", "admin")
"""What a key may do; admin may do all of it."""

_KEY = re.compile(r"unbarb_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_NOBODY = sha256(b"nobody").hexdigest()


@dataclass(frozen=True, slots=True)
class Secret:
    """The SHA-256 of one whole key, and until when it is good (UTC, ISO 8601); None: for ever."""

    digest: str
    until: str | None = None

    def good(self, now: datetime) -> bool:
        return self.until is None or now < datetime.fromisoformat(self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One caller: what it may do, under which policies, how often.

    `policies` are those it may name, none meaning every one; `policy` is the one used when a request
    names none; `rate` is requests a minute.
    """

    id: str
    name: str
    scopes: tuple[str, ...] = ("check", "rewrite")
    policies: tuple[str, ...] = ()
    policy: str | None = None
    rate: int | None = None
    created: str = ""
    revoked: bool = False
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    def as_revoked(self) -> Key:
        """The same key, good for nothing."""
        return replace(self, revoked=True, secrets=())

    def may(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes

    def may_use(self, policy: str) -> bool:
        return not self.policies or policy in self.policies or policy == self.policy


def made(key: Key) -> tuple[Key, str]:
    """`key` with a fresh secret beside those it has, and the secret itself, which is kept nowhere."""
    token = f"unbarb_{key.id}_{secrets.token_urlsafe(32)}"
    return replace(key, secrets=(*key.secrets, Secret(_digest(token)))), token


def new_id() -> str:
    """A fresh public id."""
    return secrets.token_hex(6)


def rotated(key: Key, grace: timedelta, now: datetime) -> tuple[Key, str]:
    """`key` with a fresh secret; those it had are good for `grace` more, and run-out ones are dropped."""
    until = (now + grace).isoformat(timespec="seconds")
    kept = tuple(
        one if one.until is not None and one.until < until else replace(one, until=until)
        for one in key.secrets
        if one.good(now) and grace > timedelta(0)
    )
    return made(replace(key, secrets=kept))


def find(keys: Mapping[str, Key], token: str, now: datetime | None = None) -> Key | None:
    """The key that `token` is, if it is known and good; in the same time whether or not the id is known."""
    shape = _KEY.fullmatch(token)
    key = keys.get(shape[1]) if shape else None
    digest = _digest(token)
    moment = now or datetime.now(UTC)
    good = [one.digest for one in key.secrets if one.good(moment)] if key and not key.revoked else []
    # Every digest is compared, and one where there is none, whatever the outcome.
    matches = [hmac.compare_digest(digest, one) for one in good or [_NOBODY]]
    return key if good and any(matches) else None


def read(path: Path) -> dict[str, Key]:
    """The keys of a file, by id.

    Raises:
        ConfigError: it cannot be read, is not valid, or others may read it.
    """
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); make it with `unbarb keys create`"
        ) from error
    # A group may read it: the files of a Kubernetes Secret are root's, and its pod's by their group alone.
    if os.name == "posix" and mode & 0o037:
        raise ConfigError(f"{path}: others may read or write it (mode {mode:04o}); run `chmod 600 {path}`")
    try:
        content = json.loads(text)
        if content.get("schema") != 1:
            raise ValueError("it must be an object with schema 1")
        found = [_key(one) for one in content["keys"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path}: not a file of keys: {error!s:.200}") from error
    return {key.id: key for key in found}


def write(path: Path, keys: Iterable[Key]) -> None:
    """Put `keys` in place of the file at once, readable by its owner alone."""
    content = {"schema": 1, "keys": [asdict(key) for key in keys]}
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


class Keyfile:
    """A file of keys, open for a change: ``with Keyfile(path) as file: file.keys[…] = …``.

    Others that change it wait for their turn. It is written when the block ends well and something changed.

    Raises:
        ConfigError: it is not valid; or it is not there and `create` was not said.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self.keys: dict[str, Key] = {}
        self._create = create

    def __enter__(self) -> Self:
        if self._create:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        elif not self.path.exists():
            read(self.path)  # says what is wrong
        lock = self.path.with_name(f".{self.path.name}.lock")
        self._lock = os.open(lock, os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self.keys = read(self.path) if self.path.exists() else {}
        except BaseException:
            os.close(self._lock)
            raise
        self._before = dict(self.keys)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self.keys != self._before:
                write(self.path, self.keys.values())
        finally:
            os.close(self._lock)


def _key(given: dict[str, Any]) -> Key:
    known = {
        "id", "name", "scopes", "policies", "policy", "rate", "created", "revoked", "secrets",
    }  # fmt: skip
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}; known are {', '.join(sorted(known))}")
    wrong = [scope for scope in given.get("scopes", ()) if scope not in SCOPES]
    if wrong:
        raise ValueError(f"scopes {', '.join(wrong)}; known are {', '.join(SCOPES)}")
    lists: dict[str, Any] = {name: tuple(given[name]) for name in ("scopes", "policies") if name in given}
    lists["secrets"] = tuple(Secret(**one) for one in given["secrets"])
    return Key(**{**given, **lists})


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
