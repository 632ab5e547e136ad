"""Half characters in JSON: a surrogate without its other half, which no answer could repeat."""

from __future__ import annotations

import re

# All up to the first lone surrogate, in one pass: plain bytes, escapes that are no surrogates, pairs.
_WHOLE = re.compile(
    rb"(?:[^\\]++|\\[^u]|\\u(?![dD][89a-fA-F])|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*+", re.DOTALL
)
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


# What UTF-8 would make of a surrogate. No whole character has these bytes, and Python's reader of JSON
# takes them.
_RAW = re.compile(rb"\xed[\xa0-\xbf]")


def lone(body: bytes) -> int | None:
    r"""The byte at which half of a surrogate pair, ``\ud83d`` alone, stands in JSON; None: nowhere."""
    if raw := _RAW.search(body):
        return raw.start()
    if b"\\ud" not in body and b"\\uD" not in body:
        return None
    whole = _WHOLE.match(body)
    end = whole.end() if whole else 0
    return end if _HALF.match(body, end) else None
