"""Every format: what is clean keeps its bytes, what is not changes in its texts alone."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import lzma
from typing import Any

import pyarrow as pa
import pytest
from corpora import CLEAN, RUDE, THREAT

from unbarb.corpus import lines
from unbarb.corpus.lines import BOM
from unbarb.errors import InputError

ODD = (
    b'{"text":"fine \\u00fc \\/ here", "n": 123456789012345678901234567890, "f": 1e999,\t"id" : "a" }\r\n',
    b"\n",
    b'{"text": null, "id": 2}\n',
    b'{"text": "", "id": 3}\n',
    b'{"text": "fine too", "id": null, "extra": [NaN, {"text": 1}]}\n',
)


def test_clean_lines_of_json_keep_every_byte(cleaned) -> None:
    content = BOM + b"".join(ODD) + b'{"text": "no line end"}'
    ran = cleaned({"a.jsonl": content})
    assert ran.data("a.jsonl") == content
    assert ran.counts == {"rows": 5, "kept": 5, "texts": 4}


def test_of_a_changed_line_only_the_text_changes(cleaned) -> None:
    line = b' {"big": 123456789012345678901234567890, "text" :"%s", "id":7,"z":[1,  2] }\r\n'
    ran = cleaned({"a.jsonl": b"".join(ODD) + line % RUDE.encode()})
    (change,) = ran.list("changes")
    text = RUDE
    for edit in reversed(change["edits"]):
        assert RUDE[edit["start"] : edit["end"]] == edit["removed"]
        text = text[: edit["start"]] + edit["replacement"] + text[edit["end"] :]
    assert ran.data("a.jsonl") == b"".join(ODD) + line % text.encode()
    assert "idiot" not in text
    assert (change["file"], change["row"], change["id"], change["where"]) == ("a.jsonl", 6, "7", "text")
    assert change["scores"]["toxicity"] > 0.5 > change["scores_after"]["toxicity"]
    assert change["step"] in ("edit", "delete")


def test_a_threat_is_dropped_with_its_reason(cleaned) -> None:
    rows = [{"id": at, "text": text} for at, text in enumerate((CLEAN, THREAT, CLEAN))]
    ran = cleaned({"a.jsonl": b"".join(json.dumps(row).encode() + b"\n" for row in rows)})
    assert [json.loads(line)["id"] for line in ran.data("a.jsonl").splitlines()] == [0, 2]
    (dropped,) = ran.list("dropped")
    assert (dropped["row"], dropped["action"], dropped["text"]) == (2, "block", THREAT)
    assert dropped["reason"].startswith("labels.threat: threat ≥ ")


def test_rows_that_cannot_be_read_are_kept_aside_and_the_run_goes_on(cleaned) -> None:
    bad = {
        b"not json": "not JSON: Expecting value",
        b'{"text": 7}': "text must be a string, not a number",
        b'{"other": "x"}': "no field 'text'",
        b"[1]": "a JSON object is needed, not a list",
        b'{"text": "\\ud800"}': "lone surrogate",
        b'{"text": "a", "text": "b"}': "stands twice",
        b'{"text": "\xff"}': "not UTF-8: byte 0xff",
        b"[" * 20_000: "nested too deeply",
    }
    good = json.dumps({"text": CLEAN}).encode() + b"\n"
    ran = cleaned({"a.jsonl": good + b"".join(line + b"\n" + good for line in bad)})
    assert ran.data("a.jsonl") == good * (len(bad) + 1)
    unread = ran.list("unread")
    assert [one["row"] for one in unread] == [*range(2, 2 + 2 * len(bad), 2)]
    for (line, reason), one in zip(bad.items(), unread, strict=True):
        assert reason in one["reason"]
        kept = one["content"]
        kept = base64.b64decode(one["content_base64"]) if kept is None else kept.encode()
        assert kept == line + b"\n"
    assert ran.manifest.counts["unread"] == len(bad)
    assert sum(ran.manifest.tallies["unread"].values()) == len(bad)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ('{"messages":[{"role":"user","content":"hi","content":"%s"}]}', "messages"),
        ('{"messages":[{"role":"user","content":"%s","content":"hi"}]}', "messages"),
        ('{"a":{"b":"hi","b":"%s"}}', "a.b"),
        ('{"text":"hi","te\\u0078t":"%s"}', "text"),
    ],
)
def test_a_text_behind_a_key_that_stands_twice_does_not_get_through(
    cleaned, line: str, column: str
) -> None:
    bad, good = ((line % text).encode() + b"\n" for text in (RUDE, CLEAN))
    good = good.replace(b'"content":"hi",', b"").replace(b',"content":"hi"', b"")
    good = good.replace(b'"b":"hi",', b"").replace(b'"text":"hi",', b"")
    ran = cleaned({"a.jsonl": good + bad + good}, columns=column)
    assert ran.data("a.jsonl") == good * 2
    (unread,) = ran.list("unread")
    assert (unread["row"], unread["content"]) == (2, bad.decode())
    assert "stands twice in one object; keep one of them" in unread["reason"]


def test_a_table_keeps_quotes_line_ends_and_other_columns(cleaned) -> None:
    content = (
        BOM + b'"id",text,"a ""b"""\r\n'
        b'1,fine,"x, ""y"""\r\n'
        b"\r\n"
        b'"2","%s","two\r\nlines"\r\n'
        b"3,%s,plain\r\n"
        b"4,too,many,columns\r\n"
        b'5,"un"quoted,x\r\n'
        b'6,"a, ""b""",end' % (RUDE.replace("You", 'He said "you').encode(), RUDE.encode())
    ).replace(b'said "you', b'said ""you')
    ran = cleaned({"a.csv": content})
    after = ran.data("a.csv").split(b"\r\n")
    before = content.split(b"\r\n")
    assert after[:3] == before[:3]
    assert after[3].startswith(b'"2","')
    assert after[3].endswith(b'","two')
    assert after[4] == before[4]
    assert after[5].startswith(b"3,")
    assert after[5].endswith(b",plain")
    assert after[6] == before[8]
    assert b"idiot" not in ran.data("a.csv")
    assert [(one["row"], one["id"]) for one in ran.list("changes")] == [(4, "2"), (6, "3")]
    assert [one["row"] for one in ran.list("unread")] == [7, 8]


def test_tabs_separate_too(cleaned) -> None:
    ran = cleaned({"a.tsv": b"text\tn\n%s\t1,2\n" % RUDE.encode()})
    assert ran.data("a.tsv").startswith(b"text\tn\n")
    assert ran.data("a.tsv").endswith(b"\t1,2\n")
    assert ran.counts["changed"] == 1


def test_lines_of_text_keep_their_own_ends(cleaned) -> None:
    parts = CLEAN.encode(), RUDE.encode()
    ran = cleaned({"a.txt": BOM + b"%s\r\n\n  \n%s\r\n%s\n\xff\n%s" % (*parts, *parts)})
    after = ran.data("a.txt").split(b"\n")
    assert after[:3] == [BOM + parts[0] + b"\r", b"", b"  "]
    assert after[3].endswith(b"\r")
    assert after[4] == parts[0]
    assert len(after) == 6
    assert b"idiot" not in ran.data("a.txt")
    assert [one["row"] for one in ran.list("unread")] == [6]
    assert [one["row"] for one in ran.list("changes")] == [4, 7]


def zstandard(content: bytes) -> bytes:
    written = pa.BufferOutputStream()
    with pa.CompressedOutputStream(written, "zstd") as stream:
        stream.write(content)
    return written.getvalue().to_pybytes()


def unzstandard(content: bytes) -> bytes:
    return pa.CompressedInputStream(io.BytesIO(content), "zstd").read()


PACKED: dict[str, tuple[Any, Any]] = {
    "gz": (gzip.compress, gzip.decompress),
    "bz2": (bz2.compress, bz2.decompress),
    "xz": (lzma.compress, lzma.decompress),
    "zst": (zstandard, unzstandard),
}


@pytest.mark.parametrize("ending", PACKED)
def test_packed_files_stay_packed_whole_or_in_shards(cleaned, ending: str) -> None:
    pack, unpack = PACKED[ending]
    rows = [json.dumps({"id": at, "text": f"{CLEAN} No. {at}"}).encode() + b"\n" for at in range(40)]
    content = BOM + b"".join(rows)
    ran = cleaned({f"one.jsonl.{ending}": pack(content)}, filter=True)
    assert unpack(ran.data(f"one.jsonl.{ending}")) == content
    again = cleaned({f"one.jsonl.{ending}": pack(content)}, filter=True, shard_bytes=1000, overwrite=True)
    names = [one["file"] for one in again.manifest.outputs]
    assert names[0] == f"data/one-00000-of-{len(names):05d}.jsonl.{ending}"
    assert len(names) >= 3
    shards = [unpack(again.data(name.removeprefix("data/"))) for name in names]
    assert b"".join(one.removeprefix(BOM) for one in shards) == b"".join(rows)
    assert {path.name for path in again.out.iterdir()} == {"data", "manifest.json", "report.html"}


@pytest.mark.parametrize("ending", PACKED)
def test_a_packed_file_that_is_cut_off_is_told_before_anything_is_written(cleaned, ending: str) -> None:
    content = PACKED[ending][0](b"".join(b'{"text": "%d"}\n' % (at * 7919) for at in range(3000)))
    with pytest.raises(InputError, match=r"one\.jsonl.*cannot be read to its end"):
        cleaned({f"one.jsonl.{ending}": content[: len(content) // 2]}, filter=True)


def test_a_line_that_is_too_long_for_memory_is_passed_over(
    cleaned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "LONGEST", 1000)
    long = json.dumps({"text": "x" * 5000}).encode() + b"\n"
    short = json.dumps({"text": CLEAN}).encode() + b"\n"
    ran = cleaned({"a.jsonl": short + long + short}, filter=True)
    assert ran.data("a.jsonl") == short * 2
    (unread,) = ran.list("unread")
    assert (unread["row"], unread["content"]) == (2, None)
    assert unread["reason"].startswith("longer than ")


def test_every_shard_of_a_table_has_its_header(cleaned) -> None:
    rows = [b'%d,"line\none",x\n' % at for at in range(30)]
    ran = cleaned({"a.csv": b"id,text,y\n" + b"".join(rows)}, filter=True, shard_bytes=100)
    shards = [ran.data(one["file"].removeprefix("data/")) for one in ran.manifest.outputs]
    assert len(shards) > 3
    assert all(one.startswith(b"id,text,y\n") for one in shards)
    assert b"".join(one.removeprefix(b"id,text,y\n") for one in shards) == b"".join(rows)
