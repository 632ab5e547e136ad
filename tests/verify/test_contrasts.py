"""The contrast pairs: rewrites that must fall, and their clean neighbours that must not."""

from __future__ import annotations

import json
from collections import Counter
from importlib.resources import files

from unbarb.text import Analysis
from unbarb.verify.verifier import cheap_reasons

FOLDER = files("unbarb") / "data" / "contrast"
NEEDS_A_MODEL = {"still rude"}


def _rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def _rejected(row: dict[str, str]) -> bool:
    return bool(cheap_reasons(Analysis(row["source"], {}), row["candidate"]))


def test_there_are_enough_of_every_kind() -> None:
    rows = _rows("contrasts.jsonl")
    kinds = Counter(row["kind"] for row in rows)
    assert len(rows) >= 300
    assert len({row["source"] for row in rows}) >= 60
    assert min(kinds.values()) >= 9
    assert len(kinds) == 13
    assert all(row["source"] != row["candidate"] for row in rows)


def test_halves_share_no_source() -> None:
    rows = _rows("contrasts.jsonl") + _rows("clean.jsonl")
    halves = {half: {row["source"] for row in rows if row["half"] == half} for half in ("tune", "held")}
    assert not halves["tune"] & halves["held"]


def test_cheap_checks_alone_reject_most_of_what_is_not_about_rudeness() -> None:
    rows = [row for row in _rows("contrasts.jsonl") if row["kind"] not in NEEDS_A_MODEL]
    for half in ("tune", "held"):
        found = [_rejected(row) for row in rows if row["half"] == half]
        assert sum(found) >= 0.85 * len(found), (half, sum(found), len(found))


def test_what_changes_facts_or_sides_is_rejected_nearly_always() -> None:
    for kind in ("number changed", "name changed", "url or mention changed", "agents swapped"):
        found = [_rejected(row) for row in _rows("contrasts.jsonl") if row["kind"] == kind]
        assert sum(found) >= 0.9 * len(found), kind


def test_clean_rewrites_of_the_same_sources_pass() -> None:
    rows = _rows("clean.jsonl")
    assert sum(map(_rejected, rows)) <= 0.05 * len(rows)
