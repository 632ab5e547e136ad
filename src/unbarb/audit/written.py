"""What is written of an event: hashes in place of texts, and encrypted texts where the policy says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import isfinite
from typing import Any

from unbarb.audit.event import Event
from unbarb.audit.keys import Keyring
from unbarb.audit.text import Sealed, seal
from unbarb.text import Verdict

LONGEST_NAME = 256
"""Characters kept of ids that a caller chose; of longer ones the end gives way to a hash of the whole."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The values of a record that do not depend on its place in the chain, and its encrypted text."""

    values: Mapping[str, Any]
    text: Sealed | None = None

    @property
    def event(self) -> str:
        return str(self.values["event"])

    def to_dict(self) -> dict[str, Any]:
        return {"values": dict(self.values), "text": self.text.to_dict() if self.text else None}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Entry:
        return cls(raw["values"], Sealed.from_dict(raw["text"]) if raw["text"] else None)


def written(event: Event, keys: Keyring) -> Entry:
    """Hash and encrypt what must not stand in the record in clear."""
    text = _sealed(event, keys)
    values: dict[str, Any] = {
        "event": event.id,
        "time": stamp(event.time),
        "kind": event.kind,
        "surface": event.surface,
        "request": name(event.request),
        "api_key": name(event.key),
        "stream": name(event.stream),
        "piece": event.piece,
        "policy": event.policy["name"] if event.policy else None,
        "policy_digest": event.policy["digest"] if event.policy else None,
        "seconds": _double(event.seconds),
        "error": name(event.error),
        "details": _json(event.details) if event.details else None,
        "hash_key": keys.current("hash").id,
        "subject_hash": keys.hashed(event.subject) if event.subject is not None else None,
        "text_expires": stamp(event.time + timedelta(event.rules.retention_days)) if text else None,
        "text_digest": text.digest if text else None,
        **_decided(event.verdict, keys),
    }
    return Entry(values, text)


def _decided(verdict: Verdict | None, keys: Keyring) -> dict[str, Any]:
    """The columns of a decision; empty where there is none.

    A finding's reason may quote the text, and so may a warning: they are encrypted with it or left out.
    """
    if verdict is None:
        return dict.fromkeys(_OF_A_VERDICT)
    after = verdict.scores_after
    return {
        "text_id": name(verdict.id),
        "direction": verdict.direction,
        "models": _json(verdict.models),
        "action": verdict.action,
        "step": verdict.step,
        "rule": verdict.rule,
        "scores": _json(verdict.scores),
        "scores_after": None if after is None else _json(after),
        "unscored": _json(verdict.unscored),
        "spans": _json([(f.label, f.start, f.end, f.score, f.source) for f in verdict.findings]),
        "edits": _json([(edit.start, edit.end, len(edit.replacement)) for edit in verdict.edits]),
        "meaning": _double(verdict.meaning),
        "not_detoxifiable": int(verdict.not_detoxifiable),
        "coverage": _double(verdict.coverage),
        "language": verdict.language,
        "warnings": len(verdict.warnings),
        "original_hash": keys.hashed(verdict.original),
        "text_hash": None if verdict.text is None else keys.hashed(verdict.text),
    }


_OF_A_VERDICT = (
    "text_id", "direction", "models", "action", "step", "rule", "scores", "scores_after", "unscored",
    "spans", "edits", "meaning", "not_detoxifiable", "coverage", "language", "warnings",
    "original_hash", "text_hash",
)  # fmt: skip


def _sealed(event: Event, keys: Keyring) -> Sealed | None:
    if event.verdict is None or event.rules.text != "encrypted" or not event.store_text:
        return None
    verdict = event.verdict.to_dict()
    kept = {key: verdict[key] for key in ("original", "text", "findings", "edits", "warnings", "message")}
    return seal(_json(kept).encode(), event.id, keys)


def stamp(time: datetime) -> str:
    """UTC to the microsecond, always of the same length: it sorts as text."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def name(given: str | None) -> str | None:
    """An id as it is written: without what a database refuses, and not longer than `LONGEST_NAME`."""
    if given is None:
        return None
    clean = given.encode("utf-8", "replace").decode().replace("\0", "�")
    if len(clean) <= LONGEST_NAME:
        return clean
    ending = "…" + sha256(given.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return clean[: LONGEST_NAME - len(ending)] + ending


def _double(value: float | None) -> float | None:
    """A number that reads back as it was written: SQLite keeps no NaN and no sign of zero."""
    return None if value is None or not isfinite(value) else float(value) + 0.0


def _json(value: Any) -> str:
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), default=dict)
