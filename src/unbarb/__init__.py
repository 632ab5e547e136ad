"""unbarb takes the barbs out of text and keeps the message.

>>> from unbarb import Guard            # doctest: +SKIP
>>> Guard()("you are an idiot").text    # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unbarb.guard import Guard
    from unbarb.policy import Policy
    from unbarb.text import Edit, Finding, Verdict

__version__ = "0.1.0"
__all__ = ["Edit", "Finding", "Guard", "Policy", "Verdict"]

_HOME = {"Guard": "guard", "Policy": "policy", "Edit": "text", "Finding": "text", "Verdict": "text"}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that ``import unbarb`` stays quick."""
    if name not in _HOME:
        raise AttributeError(f"module 'unbarb' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"unbarb.{_HOME[name]}"), name)
