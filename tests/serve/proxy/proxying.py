"""What tests of the proxy look at: a service in front of a scripted upstream, and its record."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from openai import OpenAI
from scripted_upstream import ScriptedUpstream

from unbarb.audit import Event


class Record:
    """A record in memory that can be waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failures: list[str] = []
        self.failed = threading.Event()

    def append(self, events: Sequence[Event]) -> list[int]:
        self.events.extend(events)
        for event in events:
            if event.error is not None:
                self.failures.append(event.error)
                self.failed.set()
        return list(range(len(events)))

    def clear(self) -> None:
        self.events.clear()
        self.failures.clear()
        self.failed.clear()

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True)
class Proxied:
    """A service in front of `upstream`: its address, its record, and OpenAI's client of it."""

    address: str
    upstream: ScriptedUpstream
    record: Record = field(default_factory=Record)

    def client(self, key: str = "of-the-caller", **settings: Any) -> OpenAI:
        return OpenAI(base_url=f"{self.address}/v1", api_key=key, max_retries=0, **settings)
