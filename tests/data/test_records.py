"""The same table reads the same in every format, and what cannot be read is told with its place."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from unbarb.data.records import Fault, Record, open_records
from unbarb.errors import InputError

ROWS = [
    {"comment": 'He said "no",\nthen left', "toxic": "1"},
    {"comment": "café \u2028 naïve\ttab", "toxic": "0"},
]


def delimited(path: Path, delimiter: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)


def write_csv(path: Path) -> None:
    delimited(path, ",")


def write_tsv(path: Path) -> None:
    delimited(path, "\t")


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS), "utf-8")


def write_json(path: Path) -> None:
    path.write_text(json.dumps(ROWS), "utf-8")


def write_parquet(path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(ROWS), path)


def write_saved(path: Path) -> None:
    pytest.importorskip("datasets").Dataset.from_list(ROWS).save_to_disk(str(path))


WRITERS: dict[str, Callable[[Path], None]] = {
    "rows.csv": write_csv,
    "rows.tsv": write_tsv,
    "rows.jsonl": write_jsonl,
    "rows.json": write_json,
    "rows.parquet": write_parquet,
    "saved": write_saved,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_records(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    records = open_records(tmp_path / name)
    assert records.columns == ("comment", "toxic")
    assert [record.values for record in records.rows if isinstance(record, Record)] == ROWS


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "rows.json"])
def test_a_gzipped_file_reads_as_the_plain_one(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress((tmp_path / name).read_bytes()))
    assert [record.values for record in open_records(packed).rows] == ROWS


def test_all_splits_of_a_saved_dataset_are_read(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    parts = {name: datasets.Dataset.from_list([row]) for name, row in zip("ab", ROWS, strict=True)}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    assert [record.values for record in open_records(tmp_path / "saved").rows] == ROWS


def test_the_mark_that_spreadsheets_write_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_bytes(b"\xef\xbb\xbftext,toxic\r\nhello,0\r\n")
    assert open_records(tmp_path / "rows.csv").columns == ("text", "toxic")


def test_inner_objects_are_columns_too(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": {"text": "a", "toxicity": 0.5}, "n": 1}\n')
    assert open_records(tmp_path / "rows.jsonl").columns == (
        "prompt",
        "prompt.text",
        "prompt.toxicity",
        "n",
    )


def test_rows_that_cannot_be_read_are_told_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('text,toxic\n"two\nlines",1\nonly one\na,b,c\n')
    _, short, long = open_records(tmp_path / "rows.csv").rows
    assert short == Fault("rows.csv:4", "1 fields where the header has 2; quote what needs it")
    assert long == Fault("rows.csv:5", "3 fields where the header has 2; quote what needs it")
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n\n[1]\n{"text"\n')
    found = [row for row in open_records(tmp_path / "rows.jsonl").rows if isinstance(row, Fault)]
    assert [fault.place for fault in found] == ["rows.jsonl:3", "rows.jsonl:4"]
    assert found[0].reason == "a JSON object is needed, not list"


def test_a_damaged_archive_is_told_and_what_was_read_stays(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv")
    packed = gzip.compress((tmp_path / "rows.csv").read_bytes() * 2000)
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    *records, last = open_records(tmp_path / "cut.csv.gz").rows
    assert records
    assert isinstance(last, Fault)
    assert "the rest cannot be read" in last.reason


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.xlsx", b"x", "cannot tell the format from the name; known are .csv"),
        ("rows.csv", b"", "the file is empty; a header is needed"),
        ("rows.json", b'{"a": 1}', "a list of objects is needed, not dict"),
        ("rows.parquet", b"x", "cannot be read as Parquet"),
    ],
)
def test_what_is_no_table_is_refused(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        open_records(tmp_path / name)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file or folder"):
        open_records(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="no folder that datasets saved"):
        open_records(tmp_path)
