"""What ``unbarb serve`` is told, checked at once; it travels to the workers as JSON in one variable."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Self

from unbarb.audit import DEFAULT_URL
from unbarb.errors import ConfigError
from unbarb.serve.dialects import DIALECTS

VARIABLE = "UNBARB_SERVE"
"""The environment variable that carries the settings to every worker."""

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
PATHS = frozenset({"policies", "keys", "audit_keys"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set, with what holds when nothing is said.

    Seconds are floats, sizes are bytes. `queue` and `batch` count texts, `max_text` characters.

    Raises:
        ConfigError: something is not valid; the message lists all that is wrong.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    dialects: tuple[str, ...] = DIALECTS
    policy: str = "default"
    policies: Path | None = None
    keys: Path | None = None
    unsafe_no_keys: bool = False
    open_metrics: bool = False
    hosts: tuple[str, ...] = ()
    cors: tuple[str, ...] = ()
    audit: str | None = DEFAULT_URL
    audit_keys: Path | None = None
    max_body: int = 4 * 2**20
    max_texts: int = 256
    max_text: int = 200_000
    rate: int | None = None
    deadline: float = 30.0
    body_timeout: float = 15.0
    window: float = 0.002
    batch: int = 64
    queue: int = 2048
    threads: int | None = None
    drain: float = 30.0
    drain_delay: float = 0.0
    reload: float = 1.0
    telemetry: bool = False
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        problems = [*self._wrong_numbers(), *self._wrong_access(), *self._wrong_names()]
        if problems:
            raise ConfigError("\n".join(problems))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """Names that a request's Host may have; empty: any.

        Without keys a page in the user's browser could reach a loopback service under a name of its own
        (DNS rebinding), so there only loopback names are taken.
        """
        return self.hosts or (LOOPBACK_NAMES if self.loopback and self.keys is None else ())

    @property
    def threads_each(self) -> int:
        """Texts that one worker works on side by side: by default the cores are shared out."""
        return self.threads or max(1, min(4, (os.cpu_count() or 1) // self.workers))

    def to_json(self) -> str:
        """The settings for :meth:`from_json`."""
        return json.dumps(asdict(self) | {"options": dict(self.options)}, default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The settings that :meth:`to_json` wrote."""
        given = json.loads(text)
        for name, value in given.items():
            if isinstance(value, list):
                given[name] = tuple(value)
            elif name in PATHS and value is not None:
                given[name] = Path(value)
        return cls(**given)

    @classmethod
    def from_environment(cls) -> Self:
        """The settings of this process: those in `VARIABLE`, or the defaults."""
        return cls.from_json(os.environ.get(VARIABLE, "{}"))

    def _wrong_numbers(self) -> Iterator[str]:
        at_least: dict[str, float] = {
            "workers": 1, "max_body": 1, "max_texts": 1, "max_text": 1, "rate": 1, "batch": 1, "queue": 1,
            "threads": 1, "window": 0.0, "drain": 0.0, "drain_delay": 0.0,
        }  # fmt: skip
        for name, least in at_least.items():
            value = getattr(self, name)
            if value is not None and value < least:
                yield f"{name} is {value}; it must be {least:g} or more"
        if self.queue < self.max_texts:
            yield f"queue is {self.queue}; it must hold one request's texts, max_texts ({self.max_texts})"
        for name in ("deadline", "body_timeout", "reload"):
            if getattr(self, name) <= 0:
                yield f"{name} is {getattr(self, name):g} seconds; it must be more than 0"
        if not 0 <= self.port <= 65535:
            yield f"port is {self.port}; it must be from 0 (any free one) to 65535"

    def _wrong_access(self) -> Iterator[str]:
        if not self.loopback and self.keys is None and not self.unsafe_no_keys:
            yield (
                f"host {self.host} can be reached from other machines and no keys are set; make some with"
                " `unbarb keys create` and give --keys FILE, or say --unsafe-no-keys"
            )
        if self.keys is not None and self.unsafe_no_keys:
            yield "--keys and --unsafe-no-keys are given; give one of them"
        if "*" in self.cors and self.keys is None:
            yield "CORS for every origin (*) needs keys; name the origins, or give --keys FILE"

    def _wrong_names(self) -> Iterator[str]:
        unknown = [name for name in self.dialects if name not in DIALECTS]
        if unknown:
            yield f"dialects {', '.join(unknown)}: not known; there are {', '.join(DIALECTS)}"
        if not self.dialects:
            yield f"dialects is empty; name one or more of {', '.join(DIALECTS)}"
        if self.policies is not None and not self.policies.is_dir():
            yield f"policies {self.policies}: no such folder"
        for name in self.options:
            if name.partition(".")[0] not in DIALECTS or "." not in name:
                yield f"option {name}: give DIALECT.NAME=VALUE, with one of {', '.join(DIALECTS)}"


def converted(given: Mapping[str, str]) -> dict[str, Any]:
    """Settings as they stand on a command line, each made what its field is.

    Raises:
        ConfigError: a name is not known or a value does not fit; the message lists all that is wrong.
    """
    kinds = {one.name: str(one.type).partition(" |")[0] for one in fields(Settings)}
    makers: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "str": str, "Path": Path}
    allowed = [name for name, kind in kinds.items() if kind in makers]
    found, problems = {}, []
    for name, value in given.items():
        if name not in allowed:
            problems.append(f"--set {name}: no such setting; there are {', '.join(allowed)}")
            continue
        try:
            found[name] = makers[kinds[name]](value)
        except ValueError:
            problems.append(f"--set {name}={value}: it must be a number")
    if problems:
        raise ConfigError("\n".join(problems))
    return found
