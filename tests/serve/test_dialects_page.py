"""docs/dialects.md is true: its examples run, its tables are those of the code."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import httpx2
import pytest

from unbarb.serve.dialects.moderations import ALL_OF, ANY_OF, CATEGORIES
from unbarb.serve.dialects.perspective_checks import LABEL_OF, UNSUPPORTED
from unbarb.serve.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "dialects.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:8000"
PYTHON = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("number", [0, 1])
def test_the_python_runs(live: str, number: int) -> None:
    assert len(PYTHON) == 2
    *lines, last = PYTHON[number].replace(ADDRESS, live).splitlines()
    names: dict[str, object] = {}

    exec("\n".join(lines), names)
    value = eval(last, names)
    names["client"].close()  # type: ignore[attr-defined]

    assert value if isinstance(value, float) else value[:2] == (True, True)


def test_the_commands_are_answered(live: str) -> None:
    assert len(COMMANDS) == 3
    for command in COMMANDS:
        _, address, *options = shlex.split(command.replace(ADDRESS, live))
        given = dict(zip(options[::2], options[1::2], strict=True))
        answer = httpx2.post(address, json=json.loads(given["--json"]))
        assert answer.status_code == 200, command
        assert "idiot" in answer.text


def test_every_attribute_of_perspectives_is_named() -> None:
    text = section("Perspective")
    for name, label in LABEL_OF.items():
        assert f"| `{name}` | `{label}` |" in text
    for name in UNSUPPORTED:
        assert f"`{name}`" in text or name.endswith("_EXPERIMENTAL")
    assert "`…_EXPERIMENTAL`" in text


def test_every_category_of_openais_is_told_with_its_labels() -> None:
    rows = [line for line in section("OpenAI moderations").splitlines() if line.startswith("| `")]
    told = {
        category: set(re.findall(r"`([^`]+)`", row.split("|")[2]))
        for row in rows
        for category in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    labels = {category: set(of) for category, of in {**ANY_OF, **ALL_OF}.items()}
    for category in ("self-harm", "sexual/minors"):  # two in one row
        assert labels.pop(category) < told.pop(category)

    assert {category: of for category, of in told.items() if of} == labels
    assert {category for category, of in told.items() if not of} == {
        category for category in CATEGORIES if category not in {**ANY_OF, **ALL_OF}
    }


def test_every_dialect_of_the_page_is_one() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `/", PAGE, re.MULTILINE)

    assert rows == ["perspective", "moderations", "fms", "kserve"]
    assert set(rows) <= set(Settings().dialects)
