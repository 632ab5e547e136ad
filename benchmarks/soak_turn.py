"""One request of the soak as its client saw it: a line of the ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from soak_upstream import WELL


@dataclass
class Turn:
    """One request and what came of it. Times are of the monotonic clock, seconds.

    Args:
        kind: what the client did.
        request: the request's id, by which it stands in the record.
        way: how the upstream was told to behave.
        texts: decisions in a complete answer that have no id of their own.
        failure: how the connection broke, where it did.
        error: the code of an error, in an answer or in the middle of a stream.
        decisions: those acknowledged: id, stream, piece, and the text that was given out (None: none).
        received: what a chat's stream said before it ended, however it ended.
        finished: the answer is whole, as far as the client can tell.
        left: the client went away before.
    """

    kind: str
    request: str
    began: float = 0.0
    ended: float = 0.0
    way: str = WELL
    status: int | None = None
    error: str | None = None
    failure: str | None = None
    retry_after: str | None = None
    texts: int = 0
    decisions: list[dict[str, Any]] = field(default_factory=list)
    received: str | None = None
    finished: bool = False
    left: bool = False

    def decided(self, id: str | None, text: Any = False, piece: int | None = None) -> None:
        """Write a decision down; `text` False: what was given out is not in the answer."""
        stream = self.request if piece is not None else None
        self.decisions.append(
            {"id": id, "stream": stream, "piece": piece} | ({} if text is False else {"text": text})
        )

    def failed(self, body: bytes) -> None:
        """Take the code of an error, in whatever envelope."""
        content = json.loads(body)
        inner = content.get("error", content)
        self.error = str(inner.get("code") or inner.get("status"))
