"""CSV and TSV that lose one record, not the rest of the file, to a quote that is out of place.

Quoting as in RFC 4180, read strictly.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

LINES = 1000
"""A record may span so many lines; beyond, its quote is taken to be unbalanced."""

CHARACTERS = 16_000_000


def records(lines: Iterator[tuple[int, str]], delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each record as the number of its first line and its fields, or the reason it cannot be read.

    After a record that cannot be read, reading goes on at the line after its first, so that a
    quote never closed costs one line. Empty lines are passed over.
    """
    csv.field_size_limit(CHARACTERS)  # csv's own limit, 131,072, is shorter than some comments
    again: deque[tuple[int, str]] = deque()
    while True:
        taken: list[tuple[int, str]] = []
        try:
            fields = next(csv.reader(_fed(lines, again, taken), delimiter=delimiter, strict=True))
        except StopIteration:
            return
        except csv.Error as error:
            again.extendleft(reversed(taken[1:]))
            yield taken[0][0], _reason(str(error))
            continue
        if fields:
            yield taken[0][0], fields


def _fed(
    lines: Iterator[tuple[int, str]], again: deque[tuple[int, str]], taken: list[tuple[int, str]]
) -> Iterator[str]:
    """Lines for one record: those given back first; what is handed out is noted in `taken`."""
    while len(taken) < LINES:
        line = again.popleft() if again else next(lines, None)
        if line is None:
            return
        taken.append(line)
        yield line[1]


def _reason(error: str) -> str:
    if "unexpected end of data" in error:
        return "unbalanced quote: it is opened here and not closed"
    if "expected after" in error:
        return 'unbalanced quote: inside a quoted field write "" for "'
    return f"not CSV: {error}"
