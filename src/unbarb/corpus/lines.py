"""Formats of lines: cut into records that are never larger than memory, whatever the file holds."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO

LONGEST = 64 << 20
"""Bytes of the longest record that is read; a longer one is passed over and told."""
LINES = 1000
"""A CSV record may span so many lines; beyond, its quote is taken to be unbalanced."""
BOM = b"\xef\xbb\xbf"

TOO_LONG = f"longer than {LONGEST >> 20} MiB"
UNBALANCED = "unbalanced quote: it is opened here and not closed"


@dataclass(slots=True)
class Record:
    """One record as its bytes, line end included; `fault` says why it cannot be one.

    `length` is that in the file; `raw` is cut short where it is too long.
    """

    raw: bytes
    length: int
    lines: int = 1
    fault: str | None = None


def delimiter_of(format: str) -> str | None:
    """What stands between the fields of a table, None for formats without."""
    return {"csv": ",", "tsv": "\t"}.get(format)


def records(stream: IO[bytes], format: str) -> Iterator[Record]:
    """The records of `stream` from where it stands; their lengths add up to all that is read."""
    delimiter = delimiter_of(format)
    lines = _lines(stream)
    return lines if delimiter is None else _tabular(lines, delimiter.encode())


def _lines(stream: IO[bytes]) -> Iterator[Record]:
    while line := stream.readline(LONGEST):
        if len(line) < LONGEST or line.endswith(b"\n"):
            yield Record(line, len(line))
            continue
        length, rest = len(line), line
        while rest and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST)
            length += len(rest)
        yield Record(line[:80], length, fault=TOO_LONG)


def _tabular(lines: Iterator[Record], delimiter: bytes) -> Iterator[Record]:
    """Records of a table, in which a quoted field may span lines.

    A quote that is never closed costs the line it stands in, not the rest of the file.
    """
    # After the delimiter a quote opens a field; what follows the field's last quote pair closes it.
    start = rb"(?:^(?:" + BOM + rb")?|" + re.escape(delimiter) + rb")"
    opening = re.compile(start + rb'"(?:[^"]++|"")*+("?)')
    closing = re.compile(rb'(?:[^"]++|"")*+("?)')
    again: deque[Record] = deque()
    while True:
        taken: list[Record] = []
        inside, size = False, 0
        while not taken or (inside and len(taken) < LINES and size < LONGEST):
            line = again.popleft() if again else next(lines, None)
            if line is None:
                break
            taken.append(line)
            size += line.length
            if line.fault is not None:
                inside = len(taken) > 1
                break
            if inside or b'"' in line.raw:
                inside = _open_after(line.raw, inside, opening, closing)
        if not taken:
            return
        if inside:
            again.extendleft(reversed(taken[1:]))
            yield Record(taken[0].raw, taken[0].length, fault=UNBALANCED)
        elif len(taken) == 1:
            yield taken[0]
        else:
            yield Record(b"".join(line.raw for line in taken), size, len(taken))


def _open_after(line: bytes, inside: bool, opening: re.Pattern[bytes], closing: re.Pattern[bytes]) -> bool:
    """Whether a quoted field is open at the end of `line`, where one was or was not at its start."""
    at = 0
    if inside:
        found = closing.match(line)
        assert found is not None  # the pattern matches everything
        if not found.group(1):
            return True
        at = found.end()
        # A quote behind a closing one begins no field; what is wrong with it the parser tells.
        line = b" " + line[at:]
    return any(not found.group(1) for found in opening.finditer(line))


@dataclass(frozen=True, slots=True)
class Cut:
    """Records of a file that go together: bytes ``[start, end)``, and the number of the first line."""

    start: int
    end: int
    line: int


def cuts(stream: IO[bytes], format: str, size: int) -> tuple[bytes, list[Cut]]:
    """Cut a file between records into pieces of about `size` bytes; a file without rows is one piece.

    Returns:
        What stands before the first row (a byte order mark, a table's header), and the pieces.
    """
    found = records(stream, format)
    first = next(found, None)
    head = b""
    if first is not None and delimiter_of(format):
        head = first.raw
    elif first is not None:
        head = BOM if first.raw.startswith(BOM) else b""
        found = chain([first], found)
    pieces: list[Cut] = []
    start = at = len(head)
    first_line = line = 1 + head.count(b"\n")
    if head == BOM:
        at = 0
    for record in found:
        at += record.length
        line += record.lines
        if at - start >= size:
            pieces.append(Cut(start, at, first_line))
            start, first_line = at, line
    if at > start or not pieces:
        pieces.append(Cut(start, max(at, start), first_line))
    return head, pieces
