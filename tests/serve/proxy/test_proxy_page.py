"""docs/proxy.md names every option and every failure of the proxy's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unbarb.errors import ConfigError
from unbarb.serve import proxy
from unbarb.serve.dialects import chat
from unbarb.serve.proxy.upstream import KEY_VARIABLE, PAUSES, Target

PAGE = (Path(__file__).parents[3] / "docs" / "proxy.md").read_text("utf-8")


def test_every_failure_is_named() -> None:
    files = [*Path(proxy.__path__[0]).glob("*.py"), Path(chat.__file__)]
    codes = {code for file in files for code in re.findall(r'code="(\w+)"', file.read_text("utf-8"))}
    assert len(codes) > 5
    assert codes <= set(re.findall(r"`(\w+)`", PAGE))
    assert len(PAUSES) == 2
    assert "after three tries" in PAGE


def test_every_option_is_named() -> None:
    with pytest.raises(ConfigError, match="there are") as raised:
        Target.of({"chat.upstream": "http://model", "chat.nothing": "1"})
    known = str(raised.value).partition("there are ")[2].split(", ")
    assert {f"chat.{name}" for name in known} == set(re.findall(r"--set (chat\.\w+)=", PAGE))
    assert KEY_VARIABLE in PAGE
