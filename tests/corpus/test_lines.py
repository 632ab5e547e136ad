"""Cutting files of lines: every byte in exactly one piece, and never in the middle of a record."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.corpus import lines
from unbarb.corpus.lines import BOM, UNBALANCED, cuts, records

FIELDS = st.text('ab,"\n\r é;', max_size=12)


def table(rows: list[list[str]]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerows(rows)
    return written.getvalue().encode()


@given(st.lists(st.lists(FIELDS, min_size=2, max_size=2), min_size=1, max_size=20))
def test_records_of_a_table_are_those_of_the_csv_module(rows: list[list[str]]) -> None:
    content = table(rows)
    found = [*records(io.BytesIO(content), "csv")]
    assert b"".join(one.raw for one in found) == content
    assert [next(csv.reader(io.StringIO(one.raw.decode(), newline=""))) for one in found] == rows
    assert sum(one.lines for one in found) == len(content.splitlines(keepends=True)) or b"\r" in content


@given(
    st.binary(max_size=300).map(lambda raw: raw.replace(b"\r", b"")),
    st.sampled_from(["jsonl", "text", "csv", "tsv"]),
    st.integers(1, 80),
)
def test_pieces_cover_a_file_and_read_alone_as_they_do_together(raw: bytes, format: str, size: int) -> None:
    head, pieces = cuts(io.BytesIO(raw), format, size)
    edges = [len(head), *(piece.end for piece in pieces)]
    assert [piece.start for piece in pieces] == edges[:-1]
    assert edges[-1] == len(raw)
    whole = [*records(io.BytesIO(raw[len(head) :]), format)]
    alone = [one for piece in pieces for one in records(io.BytesIO(raw[piece.start : piece.end]), format)]
    assert [(one.raw, one.fault) for one in alone] == [(one.raw, one.fault) for one in whole]
    for piece in pieces:
        assert piece.line == 1 + raw[: piece.start].count(b"\n")


def test_a_piece_ends_as_soon_as_it_is_full() -> None:
    _, pieces = cuts(io.BytesIO(b"123\n" * 10), "text", 8)
    assert [piece.end - piece.start for piece in pieces] == [8] * 5
    assert all(first.end == second.start for first, second in pairwise(pieces))


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_an_empty_file_is_one_piece_without_rows(format: str) -> None:
    assert cuts(io.BytesIO(b""), format, 10) == (b"", [lines.Cut(0, 0, 1)])


def test_head_is_the_mark_or_the_header() -> None:
    assert cuts(io.BytesIO(BOM + b"a\n"), "text", 10)[0] == BOM
    assert cuts(io.BytesIO(BOM + b'"a\nb",c\n1,2\n'), "csv", 10)[0] == BOM + b'"a\nb",c\n'


def test_a_quote_that_is_never_closed_costs_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LINES", 3)
    found = [*records(io.BytesIO(b'1,"open\n2,b\n3,c\n4,"d"\n5,e\n'), "csv")]
    assert [(one.raw, one.fault) for one in found] == [
        (b'1,"open\n', UNBALANCED),
        (b"2,b\n", None),
        (b"3,c\n", None),
        (b'4,"d"\n', None),
        (b"5,e\n", None),
    ]


def test_a_line_that_is_too_long_is_told_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST", 100)
    found = [*records(io.BytesIO(b"a" * 350 + b"\nshort\n"), "jsonl")]
    assert [(one.length, one.fault is None) for one in found] == [(351, False), (6, True)]
    assert len(found[0].raw) < 100
