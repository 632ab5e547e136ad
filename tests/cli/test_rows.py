"""Reading rows: every format, every kind of damage, and good rows around it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.cli.delimited import LINES
from unbarb.cli.rows import BadRow, Columns, Row, from_arguments, from_file
from unbarb.errors import InputError

PLAIN = Columns()


def read(
    path: Path, content: bytes, columns: Columns = PLAIN
) -> tuple[list[tuple[str | None, str]], list[str]]:
    """Good rows as (id, text), bad rows as ``line: reason``."""
    path.write_bytes(content)
    good, bad = [], []
    with from_file(path, columns=columns) as rows:
        for row in rows:
            if isinstance(row, Row):
                good.append((row.id, row.text))
            else:
                bad.append(f"{row.place.removeprefix(f'{path}:')}: {row.reason}")
    return good, bad


def test_arguments_are_texts() -> None:
    rows = list(from_arguments(["one", "\udcff"]))
    assert rows[0] == Row("one", None, "argument 1")
    assert rows[1] == BadRow("argument 2", "not UTF-8: byte 0xff at character 1")


def test_text_is_one_a_line_and_only_line_feeds_end_it(tmp_path) -> None:
    content = "\ufeffone\r\n\n t\u2028wo\x0b\x85 \nlast".encode() + b"\n\xff\xfe\n"
    good, bad = read(tmp_path / "a.txt", content)
    assert [text for _, text in good] == ["one", "", " t\u2028wo\x0b\x85 ", "last"]
    assert bad == ["5: not UTF-8: byte 0xff at byte 1"]


def test_jsonl_keeps_ids_and_tells_what_is_wrong(tmp_path) -> None:
    lines = [
        b'{"text": "a", "id": "x"}', b"", b'{"text": "b", "id": 12}', b'{"text": "c", "id": null}',
        b"{", b"[1]", b'{"txt": "d"}', b'{"text": null}',
        b'{"text": "e", "id": 1.5}', b'{"text": "\\ud800"}',
        b'{"text": "\xff"}', b"[" * 100_000, b'{"text": 1' + b"0" * 5000 + b"}",
        b'{"text": "f", "id": true}',
    ]  # fmt: skip
    good, bad = read(tmp_path / "a.jsonl", b"\n".join(lines))
    assert good == [("x", "a"), ("12", "b"), (None, "c")]
    assert [line.split(":")[0] for line in bad] == [str(number) for number in range(5, 15)]
    assert bad[0].startswith("5: not JSON: ")
    assert bad[1] == "6: a JSON object is needed, not a list"
    assert bad[2] == "7: no field 'text'; did you mean 'txt'?"
    assert bad[3] == "8: field 'text' must be a string, not null"
    assert bad[4] == "9: field 'id' must be a string or a whole number, not a number"
    assert bad[5] == "10: not Unicode text: lone surrogate at character 1"
    assert bad[6] == "11: not UTF-8: byte 0xff at byte 11"
    assert "not JSON that can be read" in bad[7]


def test_jsonl_fields_can_be_named(tmp_path) -> None:
    content = b'{"body": "a", "key": 1}\n{"body": "b"}\n'
    good, bad = read(tmp_path / "a.ndjson", content, Columns("body", "key"))
    assert good == [("1", "a")]
    assert bad == ["2: no field 'key'"]


def test_csv_as_a_spreadsheet_writes_it(tmp_path) -> None:
    content = '\ufeffid,text\r\n1,"a, ""b""\r\nc"\r\n\r\n2,d\r\n'.encode()
    assert read(tmp_path / "a.csv", content) == ([("1", 'a, "b"\r\nc'), ("2", "d")], [])


def test_tsv_with_named_columns(tmp_path) -> None:
    content = b'nr\tbody\tx\n7\the said "no"\t\n'
    assert read(tmp_path / "a.tsv", content, Columns("body", "nr")) == ([("7", 'he said "no"')], [])


def test_csv_ids_are_optional(tmp_path) -> None:
    assert read(tmp_path / "a.csv", b"text\na\n") == ([(None, "a")], [])


def test_a_bad_record_costs_one_line(tmp_path) -> None:
    content = b'id,text\n1,good\n2,"open\n3,good\n4,"a"b\n5\n6,a,b\n7,\xff\n8,"two\nlines"\n'
    good, bad = read(tmp_path / "a.csv", content)
    assert good == [("1", "good"), ("3", "good"), ("8", "two\nlines")]
    assert bad == [
        '3: unbalanced quote: inside a quoted field write "" for "',
        '5: unbalanced quote: inside a quoted field write "" for "',
        "6: 1 columns where the header has 2; quote what needs it",
        "7: 3 columns where the header has 2; quote what needs it",
        "8: not UTF-8: byte 0xff at character 1",
    ]


def test_a_quote_never_closed_costs_one_line_of_a_long_file(tmp_path) -> None:
    rows = [f"{number},text {number}" for number in range(3 * LINES)]
    rows[10] = '10,"open'
    good, bad = read(tmp_path / "a.csv", "\n".join(["id,text", *rows]).encode())
    assert len(good) == 3 * LINES - 1
    assert bad == ["12: unbalanced quote: it is opened here and not closed"]


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        (b"id,txt\n1,a\n", Columns(), "a.csv:1: no column 'text'; did you mean 'txt'?; it has 'id', 'txt'"),
        (b"id,text\n1,a\n", Columns("text", "nr"), "a.csv:1: no column 'nr'"),
        (b"", Columns(), "a.csv:1: the file is empty"),
        (b'"id,text\n1,a\n', Columns(), "a.csv:1: unbalanced quote"),
    ],
)
def test_a_table_without_the_column_is_wrong_use(tmp_path, content, columns, said) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match="1: ") as raised:
        from_file(path, columns=columns)
    assert said in str(raised.value)


def test_packed_files_are_unpacked_and_cut_ones_told(tmp_path) -> None:
    lines = b"".join(f"text number {number}\n".encode() for number in range(50_000))
    packed = gzip.compress(lines)
    good, bad = read(tmp_path / "a.txt.gz", packed)
    assert (len(good), bad) == (50_000, [])
    good, bad = read(tmp_path / "b.txt.gz", packed[: len(packed) // 2])
    assert 0 < len(good) < 50_000
    assert len(bad) == 1
    assert "the rest of the file cannot be read" in bad[0]
    assert read(tmp_path / "c.csv.gz", gzip.compress(b"id,text\n1,a\n")) == ([("1", "a")], [])
    with pytest.raises(InputError, match=r"[Nn]ot a gzip"):
        read(tmp_path / "d.csv.gz", b"id,text\n1,a\n")


def test_a_folder_is_not_a_file(tmp_path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        from_file(tmp_path / "a.txt")


def test_share_grows_to_all(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"text\n" * 100)
    with from_file(path) as rows:
        assert rows.share == 0.0
        assert len(list(rows)) == 100
        assert rows.share == 1.0
    assert from_arguments(["a"]).share is None


def test_memory_does_not_grow_with_the_file(tmp_path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n" + b'1,"some text, and some more of it"\n' * 200_000)
    tracemalloc.start()
    with from_file(path) as rows:
        seen = sum(1 for _ in rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == 200_000
    assert peak < 1_000_000


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=5))
def test_jsonl_gives_back_any_text(tmp_path_factory, texts) -> None:
    path = tmp_path_factory.mktemp("rows") / "a.jsonl"
    content = "".join(json.dumps({"text": text, "id": n}) + "\n" for n, text in enumerate(texts))
    assert read(path, content.encode()) == ([(str(n), text) for n, text in enumerate(texts)], [])


@given(st.binary(max_size=200), st.sampled_from(["a.txt", "a.jsonl", "a.csv", "a.tsv", "a.txt.gz"]))
def test_any_bytes_are_rows_bad_rows_or_wrong_use(tmp_path_factory, content, name) -> None:
    path = tmp_path_factory.mktemp("rows") / name
    try:
        good, bad = read(path, b"text\n" + content if "sv" in name else content)
    except InputError:
        assert name.endswith("sv")
        return
    assert all(text.encode().decode() == text for _, text in good)
    assert all(reason for reason in bad)
