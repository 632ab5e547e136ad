"""A corpus at an S3-compatible server: read there, written there, gone on with there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from corpora import CLEAN, RUDE, tree

from unbarb.corpus import clean, run
from unbarb.errors import InputError

MODULE = pytest.importorskip("moto.server", reason="the object store of these tests needs moto[server]")
ROWS = b"".join(
    json.dumps({"id": at, "text": RUDE if at % 20 == 3 else f"{CLEAN} No. {at}"}).encode() + b"\n"
    for at in range(60)
)


@dataclass(frozen=True)
class Store:
    """A server on loopback with two buckets, and a client that is not ours."""

    client: Any

    def objects(self, bucket: str) -> dict[str, bytes]:
        names = [one["Key"] for one in self.client.list_objects_v2(Bucket=bucket).get("Contents", ())]
        return {
            name: self.client.get_object(Bucket=bucket, Key=name)["Body"].read()
            for name in names
            if not name.endswith("/")
        }


@pytest.fixture(scope="module")
def _server() -> Iterator[Any]:
    server = MODULE.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def store(_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    import boto3

    host, port = _server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    for bucket in ("raw", "clean"):
        client.create_bucket(Bucket=bucket)
    yield Store(client)
    for bucket in ("raw", "clean"):
        for one in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
            client.delete_object(Bucket=bucket, Key=one["Key"])
        client.delete_bucket(Bucket=bucket)
    client.close()


def test_what_is_written_there_is_what_is_written_here(store: Store, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.jsonl", "deep/b.jsonl"):
        (tmp_path / "in" / name).write_bytes(ROWS)
        store.client.put_object(Bucket="raw", Key=f"2024/{name}", Body=ROWS)
    store.client.put_object(Bucket="raw", Key="2024/notes.md", Body=b"x")
    there = clean("s3://raw/2024", "s3://clean/out", workers=1, shard_bytes=2000)
    here = clean(tmp_path / "in", tmp_path / "out", workers=1, shard_bytes=2000)
    assert there.counts == here.counts
    assert there.digest == here.digest
    assert list(there.passed_over) == ["notes.md"]
    found = {name.removeprefix("out/"): body for name, body in store.objects("clean").items()}
    wanted = tree(tmp_path / "out")
    assert found.keys() == wanted.keys()
    for name in wanted.keys() - {"manifest.json", "report.html"}:
        assert found[name] == wanted[name]


def test_globs_and_packed_files_work_there(store: Store, tmp_path: Path) -> None:
    import gzip

    for name in ("a.jsonl.gz", "b.txt"):
        store.client.put_object(Bucket="raw", Key=f"in/{name}", Body=gzip.compress(ROWS))
    ran = clean("s3://raw/in/*.jsonl.gz", tmp_path / "out", workers=1, shard_bytes=2000, filter=True)
    assert [one["file"] for one in ran.inputs] == ["a.jsonl.gz"]
    assert ran.counts["rows"] == 60
    assert ran.counts["dropped"] == 3


def test_a_run_that_was_stopped_goes_on_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.client.put_object(Bucket="raw", Key="a.jsonl", Body=ROWS)
    clean("s3://raw/a.jsonl", "s3://clean/whole", workers=1, shard_bytes=2000, filter=True)
    kept: list[int] = []

    def stopped(now: run.Progress) -> None:
        kept.append(now.rows)
        if len(kept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clean(
            "s3://raw/a.jsonl", "s3://clean/cut", workers=1, shard_bytes=2000, filter=True, progress=stopped
        )
    assert any("/.work/done/" in name for name in store.objects("clean"))
    clean("s3://raw/a.jsonl", "s3://clean/cut", workers=1, shard_bytes=2000, filter=True)
    found = store.objects("clean")
    assert not any("/.work/" in name for name in found)
    for name, body in found.items():
        assert body == found[name.replace("cut/", "whole/", 1)]


def test_a_bucket_that_is_not_there_and_missing_credentials_say_so(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.client.put_object(Bucket="raw", Key="a.jsonl", Body=ROWS)
    with pytest.raises(InputError, match=r"s3://nowhere/a\.jsonl: no such file"):
        clean("s3://nowhere/a.jsonl", tmp_path / "out")
    with pytest.raises(InputError, match=r"s3://nowhere/out.* cannot be written"):
        clean("s3://raw/a.jsonl", "s3://nowhere/out")
    with pytest.raises(InputError, match="gs://raw: give a path of this machine, or s3://bucket/key"):
        clean("gs://raw", tmp_path / "out")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        clean("s3://raw/a.jsonl", tmp_path / "out")
