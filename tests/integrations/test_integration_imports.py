"""An integration loads only what its framework brings; without that it says what to install."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from unbarb.errors import MissingExtra

FOREIGN = (
    "fastapi",
    "starlette",
    "pydantic",
    "sqlalchemy",
    "langchain_core",
    "litellm",
    "guardrails",
    "torch",
)


def test_the_asgi_middleware_needs_no_package_of_others() -> None:
    code = f"import sys, unbarb.integrations.asgi; print([one for one in {FOREIGN} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("langchain", "langchain.agents.middleware"),
        ("litellm", "litellm.exceptions"),
        ("guardrails", "guardrails.validator_base"),
    ],
)
def test_a_missing_package_is_named_with_its_cure(
    module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, package.partition(".")[0], None)
    monkeypatch.delitem(sys.modules, f"unbarb.integrations.{module}", raising=False)
    with pytest.raises(MissingExtra, match=rf"pip install 'unbarb\[{module}\]'"):
        importlib.import_module(f"unbarb.integrations.{module}")
