"""The record of decisions, which shows every tampering. See docs/audit.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unbarb.audit.event import Event

if TYPE_CHECKING:
    from unbarb.audit.log import AuditLog as AuditLog

__all__ = ["DEFAULT_URL", "AuditLog", "Event"]

DEFAULT_URL = "sqlite:///unbarb-audit.db"
"""Where the record is when nothing else is said: a file in the folder that one works in."""


def __getattr__(name: str) -> Any:
    """Import the log when it is first asked for: an event needs no database.

    Raises:
        MissingExtra: a package of the extra 'serve' is not installed.
    """
    if name != "AuditLog":
        raise AttributeError(f"module 'unbarb.audit' has no attribute {name!r}")
    try:
        from unbarb.audit.log import AuditLog
    except ModuleNotFoundError as error:
        from unbarb.errors import MissingExtra

        raise MissingExtra.for_feature("the audit log", error.name or "sqlalchemy", "serve") from error
    return AuditLog
