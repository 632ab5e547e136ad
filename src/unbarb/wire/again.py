"""When to ask an endpoint again that was busy, and how long to wait before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Answers after which it may go better a moment later."""

LONGEST_PAUSE = 30.0
"""Seconds that a pause of our own choice lasts at most."""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that an endpoint asks to be left alone, from its header ``Retry-After``; None if it does not.

    The header holds whole seconds or a date; what is neither is passed over.
    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    given = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if given.isdecimal() and given.isascii():
        return float(given)
    try:
        date = parsedate_to_datetime(given)
    except ValueError:
        return None
    if date.tzinfo is None:  # a date in the zone "-0000", which says nothing of the zone
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
