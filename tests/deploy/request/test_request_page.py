"""What docs/request.md says of options, fields and answers is so."""

from __future__ import annotations

import re
from pathlib import Path

from unbarb.cli import app
from unbarb.deploy.request.checked import Passed
from unbarb.deploy.request.dialects import KINDS
from unbarb.wire.again import AGAIN

PAGE = (Path(__file__).parents[3] / "docs" / "request.md").read_text("utf-8")


def test_every_option_is_one() -> None:
    [command] = [one for one in app(["request"]).registered_commands if one.name == "request"]
    assert command.callback is not None
    named = set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", PAGE))
    known = {name.replace("_", "-") for name in command.callback.__annotations__} | {"no-guard"}
    assert len(named) > 10
    assert named <= known


def test_dialects_and_tasks_are_those_there_are() -> None:
    rows = re.findall(r"^\| (?:`(\w+)` )?\|.*\| `(\w+)` \| `/", PAGE, re.MULTILINE)
    told: dict[str, list[str]] = {}
    for name, task in rows:
        told.setdefault(name or list(told)[-1], []).append(task)
    assert told == {name: list(tasks) for name, tasks in KINDS.items()}


def test_fields_and_statuses_are_all_there() -> None:
    for field in (*Passed("", True).to_dict(), "schema", "id", "original", "request", "error"):
        assert f"`{field}`" in PAGE, field
    for status in AGAIN:
        assert str(status) in PAGE
