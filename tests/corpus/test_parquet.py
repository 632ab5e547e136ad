"""Parquet: values, types, packing and row groups stay; texts are found wherever columns nest them."""

from __future__ import annotations

import base64
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from corpora import CLEAN, RUDE, THREAT

from unbarb.corpus.arrow_texts import plain, replaced
from unbarb.errors import InputError

MESSAGES = pa.list_(
    pa.struct([("role", pa.string()), ("content", pa.large_string()), ("at", pa.timestamp("ns"))])
)

MAP = pa.map_(pa.string(), pa.int64())


def written(table: pa.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    pq.write_table(table, stream, **options)
    return stream.getvalue()


def read(content: bytes) -> pa.Table:
    return pq.read_table(io.BytesIO(content))


def test_schema_packing_groups_and_clean_values_stay(cleaned) -> None:
    stamps = pa.array([1, None, 3, 4, 5], pa.timestamp("ns"))
    table = pa.table(
        {
            "id": pa.array([10, 11, 12, 13, 14], pa.uint64()),
            "text": pa.array([CLEAN, None, RUDE, THREAT, ""], pa.large_string()),
            "kind": pa.array(["a", "b", "a", "b", "a"]).dictionary_encode(),
            "at": stamps,
            "raw": pa.array([b"\xff", b"", None, b"x", b"y"]),
        }
    ).replace_schema_metadata({"about": "a test"})
    content = written(table, row_group_size=2, compression={"id": "none", "text": "zstd", "kind": "gzip",
                                                            "at": "snappy", "raw": "snappy"})  # fmt: skip
    ran = cleaned({"a.parquet": content})
    after = read(ran.data("a.parquet"))
    assert after.schema.equals(table.schema, check_metadata=True)
    kept = table.filter(pa.array([True, True, True, False, True]))
    assert after.drop_columns("text").equals(kept.drop_columns("text"))
    texts = after["text"].to_pylist()
    assert (texts[:2], texts[3]) == ([CLEAN, None], "")
    assert texts[2] not in (RUDE, None)
    old, new = (pq.ParquetFile(io.BytesIO(one)).metadata for one in (content, ran.data("a.parquet")))
    packing = [[one.row_group(0).column(at).compression for at in range(5)] for one in (old, new)]
    assert packing[0] == packing[1]
    assert [new.row_group(at).num_rows for at in range(new.num_row_groups)] == [2, 1, 1]
    assert [(one["row"], one["id"]) for one in ran.list("changes")] == [(3, "12")]
    assert [(one["row"], one["id"]) for one in ran.list("dropped")] == [(4, "13")]


def test_only_the_chosen_role_of_a_chat_is_cleaned(cleaned) -> None:
    chat = [
        {"role": "user", "content": RUDE, "at": 1},
        {"role": "assistant", "content": CLEAN, "at": None},
        {"role": "assistant", "content": RUDE, "at": 3},
    ]
    table = pa.table({"messages": pa.array([None, [], chat, chat[:2]], MESSAGES)})
    ran = cleaned({"a.parquet": written(table)}, columns="messages", roles="assistant")
    after = read(ran.data("a.parquet"))
    assert after.schema.equals(table.schema)
    assert after.slice(0, 2).equals(table.slice(0, 2))
    assert after.slice(3).equals(table.slice(3))
    found = plain(after["messages"].chunk(0))[2]
    assert [one["content"] for one in found[:2]] == [RUDE, CLEAN]
    assert found[2]["content"] != RUDE
    assert [one["where"] for one in ran.list("changes")] == ["messages[2].content"]


STRUCT = pa.struct([("x", pa.int64()), ("t", pa.string())])
NESTED: tuple[tuple[Any, list[Any], Any, Any], ...] = (
    (pa.string(), ["a", None, "b"], (), "c"),
    (pa.string_view(), ["a", None, "b"], (), "c"),
    (pa.dictionary(pa.int8(), pa.string()), ["a", None, "b"], (), "c"),
    (STRUCT, [{"x": 1, "t": "a"}, None, {"x": 2, "t": "b"}], ("t",), {"x": 2, "t": "c"}),
    (pa.list_(pa.string()), [["a"], None, ["x", "b"]], (1,), ["x", "c"]),
    (pa.large_list(STRUCT), [[], None, [None, {"x": 3, "t": "b"}]], (1, "t"), [None, {"x": 3, "t": "c"}]),
)


@pytest.mark.parametrize(("kind", "values", "path", "wanted"), NESTED)
def test_a_text_is_replaced_and_its_neighbours_stay(
    kind: Any, values: list[Any], path: Any, wanted: Any
) -> None:
    array = pa.array([values[2], *values], kind)[1:]  # a slice, whose offsets do not begin at 0
    after = replaced(array, {2: {path: "c"}})
    assert after.type == kind
    assert after.to_pylist() == [*values[:2], wanted]
    after.validate(full=True)


def test_types_that_python_cannot_hold_do_not_matter_beside_a_text(cleaned) -> None:
    kind = pa.struct([("text", pa.string()), ("at", pa.timestamp("ns"))])
    table = pa.table({"a": pa.array([{"text": RUDE, "at": 1}, None, {"text": None, "at": 3}], kind)})
    ran = cleaned({"a.parquet": written(table)}, columns="a.text")
    after = read(ran.data("a.parquet"))
    assert pc.struct_field(after["a"], "at").equals(pc.struct_field(table["a"], "at"))
    assert after["a"].null_count == 1
    assert [one["where"] for one in ran.list("changes")] == ["a.text"]


def test_two_columns_inside_of_one_struct_are_both_cleaned(cleaned) -> None:
    inner = pa.struct([("response", pa.string()), ("at", pa.timestamp("ns"))])
    kind = pa.struct([("prompt", pa.string()), ("to", inner)])
    pairs = [
        {"prompt": RUDE, "to": {"response": CLEAN, "at": 1}},
        None,
        {"prompt": CLEAN, "to": {"response": RUDE, "at": 3}},
        {"prompt": RUDE, "to": {"response": RUDE, "at": None}},
        {"prompt": None, "to": None},
    ]
    table = pa.table({"pair": pa.array(pairs, kind)})
    ran = cleaned({"a.parquet": written(table)}, columns=["pair.prompt", "pair.to.response"])
    assert ran.counts == {"rows": 5, "kept": 5, "changed": 3, "texts": 6}
    wanted = [(1, "pair.prompt"), (3, "pair.to.response"), (4, "pair.prompt"), (4, "pair.to.response")]
    assert [(one["row"], one["where"]) for one in ran.list("changes")] == wanted
    after = read(ran.data("a.parquet"))["pair"].chunk(0)
    assert after.slice(1, 1).equals(table["pair"].chunk(0).slice(1, 1))
    assert "idiot" not in str(after)


NOT_TEXT = pa.array([b"ok", b'a "\xff"', None, b"ok"]).view(pa.string())
"""Strings as another writer may leave them: Arrow and Parquet do not check them."""


def test_a_string_that_is_not_utf8_costs_its_row_and_no_more(cleaned) -> None:
    table = pa.table(
        {
            "text": pa.array([RUDE.encode(), CLEAN.encode(), b"\xff\xfe", RUDE.encode()]).view(pa.string()),
            "note": NOT_TEXT,
            "at": pa.array([1, 2, 3, 4], pa.timestamp("ns")),
        }
    )
    ran = cleaned({"a.parquet": written(table)})
    assert ran.counts == {"rows": 4, "kept": 3, "changed": 2, "unread": 1, "texts": 3}
    assert (
        read(ran.data("a.parquet"))
        .drop_columns("text")
        .equals(table.filter(pa.array([True, True, False, True])).drop_columns("text"))
    )
    (unread,) = ran.list("unread")
    assert (unread["row"], unread["reason"]) == (3, "not UTF-8: byte 0xff at byte 1")
    assert unread["content"] is None
    kept = base64.b64decode(unread["content_base64"])
    assert kept.startswith(b'{"text": "\xff\xfe", "note": null, "at": "1970-01-01')


DICTIONARY = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0], pa.int32()), NOT_TEXT[:2])
BROKEN: tuple[tuple[Any, str], ...] = (
    (DICTIONARY, "text"),
    (pa.StructArray.from_arrays([NOT_TEXT], ["b"]), "text.b"),
    (pa.ListArray.from_arrays(pa.array([0, 1, 2, 3, 4], pa.int32()), NOT_TEXT), "text"),
    (NOT_TEXT.cast(pa.large_binary()).view(pa.large_string()), "text"),
)


@pytest.mark.parametrize(("broken", "column"), BROKEN)
def test_no_kind_of_column_lets_a_string_that_is_not_utf8_stop_the_run(
    cleaned, broken: Any, column: str
) -> None:
    rude = pa.array([CLEAN, CLEAN, CLEAN, RUDE])
    table = pa.table({"text": broken, "rude": rude, "map": pa.array([[("k", 1)]] * 4, MAP)})
    ran = cleaned({"a.parquet": written(table)}, columns=[column, "rude"])
    assert read(ran.data("a.parquet")).num_rows == 3
    assert ran.counts["changed"] == 1
    (unread,) = ran.list("unread")
    assert (unread["row"], unread["reason"]) == (2, "not UTF-8: byte 0xff at byte 4")
    kept = base64.b64decode(unread["content_base64"])
    assert b'a \\"\xff\\"' in kept
    assert kept.endswith(b'"map": [["k", 1]]}')


def test_row_groups_go_together_or_are_cut_and_nothing_is_lost(cleaned) -> None:
    texts = [f"{CLEAN} No. {at} {'x' * 50}" for at in range(3000)]
    table = pa.table({"text": texts, "n": range(3000)})
    small = written(table, row_group_size=100, compression="none", use_dictionary=False)
    large = written(table, row_group_size=3000, compression="none", use_dictionary=False)
    ran = cleaned({"small.parquet": small, "large.parquet": large}, filter=True, shard_bytes=40_000)
    for name in ("small", "large"):
        shards = [one for one in ran.manifest.outputs if one["of"] == f"{name}.parquet"]
        assert 4 < len(shards) < 30
        tables = [pq.read_table(ran.out / one["file"]) for one in shards]
        assert [one["rows"] for one in shards] == [one.num_rows for one in tables]
        assert pa.concat_tables(tables).equals(table)


def test_what_is_wrong_with_columns_is_told_at_once(cleaned) -> None:
    table = pa.table({"Text": [CLEAN], "n": [1], "when": [datetime(2024, 1, 1)]})
    with pytest.raises(InputError) as told:
        cleaned({"a.parquet": written(table)}, columns=["text", "n"], id_column="when")
    assert "no column 'text'; did you mean 'Text'?" in str(told.value)
    assert "column 'n' holds int64, no texts; columns with texts are 'Text'" in str(told.value)
    assert "column 'when' holds timestamp" in str(told.value)


def test_a_file_that_is_no_parquet_is_told(cleaned, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.parquet: not a Parquet file that can be read"):
        cleaned({"a.parquet": b"PAR1 it is not"})
    assert not (tmp_path / "out" / "data").exists()


def test_a_column_of_nulls_holds_no_texts(cleaned) -> None:
    table = pa.table({"text": pa.nulls(3), "n": range(3)})
    assert read(cleaned({"a.parquet": written(table)}).data("a.parquet")).equals(table)


def test_a_file_without_rows_stays_one(cleaned) -> None:
    table = pa.table({"text": pa.array([], pa.string())})
    ran = cleaned({"a.parquet": written(table)})
    assert read(ran.data("a.parquet")).equals(table)
