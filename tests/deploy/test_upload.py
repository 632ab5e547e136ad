"""An upload is whole, checked, and goes on where it was cut off."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from fault_proxy import Asked, Cut, Fault, Flipped, Unsigned, refusing
from object_store import PART, Store

pytest.importorskip("botocore")

from unbarb.deploy.manifest import NAME, Manifest
from unbarb.deploy.s3.parts import MIB, Part, part_length
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.send import same_part
from unbarb.deploy.s3.upload import Uploaded, upload
from unbarb.errors import InputError

PARTS = 3
BIG = "artifacts/model.safetensors"


def put(store: Store, folder: Path, **options: object) -> Uploaded:
    place = Place(store.bucket, "models/m1")
    settings = {"part": PART, "parallel": 1, **options}
    return upload(store.ours, folder, place, **settings)  # type: ignore[arg-type]


def at_part(number: int, fault: object) -> Fault:
    return lambda asked: fault if asked.part == number else None  # type: ignore[return-value]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_of_it_arrives_and_the_manifest_comes_last(store: Store, folder: Path) -> None:
    moved: list[tuple[str, int, int]] = []
    done = put(store, folder, parallel=4, moved=lambda *told: moved.append(told))
    there = {key.removeprefix("models/m1/"): content for key, content in store.held().items()}
    manifest = Manifest.parse(there.pop(NAME), "here")
    wanted = files(folder)
    assert wanted.pop(".token") == b"hf_secret"
    assert there == wanted
    assert {name: one.sha256 for name, one in manifest.files.items()} == {
        name: sha256(content).hexdigest() for name, content in wanted.items()
    }
    assert str(manifest.files[BIG].checksum).endswith(f"-{PARTS}")
    assert [one.path for one in store.proxy.log if one.method in ("PUT", "POST")][-1].endswith(NAME)
    assert (done.files, done.bytes, done.sent_bytes) == (4, manifest.bytes, manifest.bytes)
    assert moved[-1] == ("uploading", manifest.bytes, manifest.bytes)


def test_the_store_knows_the_sha256_of_each_file(store: Store, folder: Path) -> None:
    put(store, folder)
    manifest = Manifest.parse(store.content(f"models/m1/{NAME}"), "here")
    for name, one in manifest.files.items():
        said = store.client.head_object(
            Bucket=store.bucket, Key=f"models/m1/{name}", ChecksumMode="ENABLED"
        )
        assert said["ChecksumSHA256"] == (one.checksum or "").partition("-")[0], name


def test_an_upload_that_was_cut_off_goes_on_with_the_part_it_was_at(store: Store, folder: Path) -> None:
    store.proxy.fault = at_part(3, Cut())
    with pytest.raises(
        InputError, match=r"part 3 of 3 of artifacts/model\.safetensors.*run the same command again"
    ):
        put(store, folder)
    assert f"models/m1/{NAME}" not in store.held()
    assert store.proxy.parts() == [1, 2, 3]
    store.proxy.clear()
    done = put(store, folder)
    assert store.proxy.parts() == [3]
    assert (done.parts_there, done.files_there) == (2, 1)  # config.json was before it
    assert store.content(f"models/m1/{BIG}") == (folder / BIG).read_bytes()


def test_names_are_taken_as_they_are(store: Store, folder: Path) -> None:
    odd = "größe 1+1 & 100% <x>.bin"
    (folder / BIG).rename(folder / odd)
    store.proxy.fault = at_part(3, Cut())
    with pytest.raises(InputError):
        put(store, folder)
    store.proxy.clear()
    assert put(store, folder).parts_there == 2
    assert store.content(f"models/m1/{odd}") == (folder / odd).read_bytes()
    assert put(store, folder).sent_bytes == 0


def test_parts_are_taken_for_sent_only_when_they_are_the_files_own(store: Store, folder: Path) -> None:
    store.proxy.fault = at_part(3, Cut())
    with pytest.raises(InputError):
        put(store, folder)
    key = f"models/m1/{BIG}"
    (begun,) = store.client.list_multipart_uploads(Bucket=store.bucket)["Uploads"]
    store.client.upload_part(
        Bucket=store.bucket, Key=key, UploadId=begun["UploadId"], PartNumber=2, Body=bytes(PART)
    )
    store.proxy.clear()
    assert put(store, folder).parts_there == 1
    assert store.proxy.parts() == [2, 3]
    assert store.content(key) == (folder / BIG).read_bytes()


def test_a_file_that_changed_since_sends_what_changed(store: Store, folder: Path) -> None:
    store.proxy.fault = at_part(3, Cut())
    with pytest.raises(InputError):
        put(store, folder)
    content = bytearray((folder / BIG).read_bytes())
    content[0] ^= 1
    (folder / BIG).write_bytes(content)
    store.proxy.clear()
    put(store, folder)
    assert store.proxy.parts() == [1, 3]
    assert store.content(f"models/m1/{BIG}") == content


def test_an_upload_begun_with_another_size_of_parts_begins_anew_where_it_must(
    store: Store, folder: Path
) -> None:
    store.proxy.fault = at_part(3, Cut())
    with pytest.raises(InputError):
        put(store, folder)
    store.proxy.clear()
    put(store, folder, part=PART + 1024)
    assert store.proxy.parts() == [1, 2, 3]
    assert store.content(f"models/m1/{BIG}") == (folder / BIG).read_bytes()


def test_what_is_there_is_not_sent_again(store: Store, folder: Path) -> None:
    put(store, folder)
    store.proxy.clear()
    done = put(store, folder)
    assert (done.sent_bytes, done.files_there, done.replaced) == (0, 4, False)
    assert [one.path for one in store.proxy.log if one.method == "PUT"] == [
        f"/{store.bucket}/models/m1/{NAME}"
    ]


@pytest.mark.parametrize(("signal_sent", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_an_upload_that_is_killed_or_stopped_goes_on(
    store: Store, folder: Path, signal_sent: signal.Signals, code: int
) -> None:
    (folder / BIG).write_bytes(bytes(range(256)) * (12 * 2**20 // 256))  # the command's least part is 5 MiB
    reached, dead = threading.Event(), threading.Event()

    def hold(asked: Asked) -> Cut | None:
        if asked.part != 3:
            return None
        reached.set()
        assert dead.wait(180)
        return Cut()  # what had passed of it is not the server's yet

    store.proxy.fault = hold
    command = (
        # Whoever runs the tests in the background has them ignore the signal, and what they start too.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "import sys; from unbarb.cli.deploy import register; import typer; app = typer.Typer();"
        " app.callback()(lambda: None); register(app); app(sys.argv[1:])"
    )
    address = f"s3://{store.bucket}/models/m1"
    options = ["deploy", "upload", str(folder), address, "--part-size", "5", "--parallel", "1"]
    process = subprocess.Popen([sys.executable, "-c", command, *options])
    try:
        assert reached.wait(120)
        process.send_signal(signal_sent)
        if signal_sent == signal.SIGKILL:
            process.wait(60)
        else:
            with pytest.raises(subprocess.TimeoutExpired):  # what is on its way is waited for
                process.wait(2)
        dead.set()
        assert process.wait(60) == code
    finally:
        dead.set()
        process.kill()
    store.proxy.clear()
    assert put(store, folder, part=5 * 2**20).parts_there == 2
    assert store.content(f"models/m1/{BIG}") == (folder / BIG).read_bytes()


def test_a_store_that_has_other_bytes_than_were_sent_is_found_out(store: Store, folder: Path) -> None:
    store.proxy.fault = at_part(2, Flipped())
    with pytest.raises(InputError, match=r"model\.safetensors is not what was sent: the store has 136,192"):
        put(store, folder)
    assert f"models/m1/{NAME}" not in store.held()


@pytest.mark.parametrize("flipped", [False, True])
def test_a_store_that_keeps_no_checksums_has_each_file_read_back(
    store: Store, folder: Path, flipped: bool
) -> None:
    def fault(asked: Asked) -> Unsigned | Flipped | None:
        if asked.method == "HEAD":
            return Unsigned()
        return Flipped() if flipped and asked.part == 2 else None

    store.proxy.fault = fault
    if flipped:
        with pytest.raises(InputError, match=r"model\.safetensors is not what was sent"):
            put(store, folder)
    else:
        put(store, folder)
    read = [one.path.rpartition("/")[2] for one in store.proxy.log if one.method == "GET"]
    assert "model.safetensors" in read


@pytest.mark.parametrize(
    ("size", "asked", "length"),
    [
        (1, 16 * MIB, 16 * MIB),
        (16 * MIB * 10_000, 16 * MIB, 16 * MIB),
        (16 * MIB * 10_000 + 1, 16 * MIB, 17 * MIB),
        (5 * 2**40, 16 * MIB, 525 * MIB),
    ],
)
def test_a_large_file_has_larger_parts_and_never_too_many(size: int, asked: int, length: int) -> None:
    assert part_length(size, asked, Path("model")) == length
    assert -(-size // length) <= 10_000


def test_a_file_that_no_object_holds_is_told() -> None:
    with pytest.raises(InputError, match="are more than an object may have"):
        part_length(5 * 2**30 * 10_000 + 1, 16 * MIB, Path("model"))


def test_a_stores_own_checksum_counts_before_its_etag() -> None:
    part = Part(1, 0, 3, "sha", "md5")
    assert same_part(part, 3, '"md5"', None)
    assert same_part(part, 3, '"of-the-stores-own"', "sha")
    assert not same_part(part, 3, '"md5"', "another")
    assert not same_part(part, 2, '"md5"', "sha")


@pytest.mark.parametrize(
    ("status", "code"), [(507, "InsufficientStorage"), (507, "XMinioStorageFull"), (403, "QuotaExceeded")]
)
def test_a_full_store_says_so_and_the_upload_goes_on_later(
    store: Store, folder: Path, status: int, code: str
) -> None:
    full = refusing(status, code, "Not enough space")
    store.proxy.fault = lambda asked: full if asked.part and asked.part > 1 else None
    with pytest.raises(
        InputError, match=rf"the store is full.*{status} {code}: Not enough space.*make room"
    ):
        put(store, folder)
    store.proxy.clear()
    assert put(store, folder).parts_there == 1


def test_a_507_without_words_says_so_too(store: Store, folder: Path) -> None:
    store.proxy.fault = at_part(2, refusing(507, ""))
    with pytest.raises(InputError, match="the store is full"):
        put(store, folder)


def test_other_files_under_the_address_stop_it(store: Store, folder: Path) -> None:
    store.put("models/m1/model-00002-of-00002.safetensors", b"an older model's")
    store.put("models/m10/config.json", b"a neighbour's")
    with pytest.raises(
        InputError, match=r"holds 1 files .*\(model-00002-of-00002\.safetensors\).*--keep-others"
    ):
        put(store, folder)
    assert len(store.held()) == 2
    put(store, folder, keep_others=True)
    assert len(store.held()) == 7


def test_another_content_is_not_whole_until_it_is_there(store: Store, folder: Path) -> None:
    put(store, folder)
    (folder / "config.yml").write_text("name: another\n")
    store.proxy.clear()
    store.proxy.fault = lambda asked: Cut() if asked.path.endswith("config.yml") and asked.bytes else None
    with pytest.raises(InputError):
        put(store, folder)
    changed = [one for one in store.proxy.log if one.method in ("PUT", "POST", "DELETE")]
    assert [(one.method, one.path.rpartition("/")[2]) for one in changed] == [
        ("DELETE", NAME), ("PUT", "config.yml"),
    ]  # fmt: skip
    store.proxy.clear()
    assert put(store, folder).sent_bytes == len("name: another\n")
    assert json.loads(store.content(f"models/m1/{NAME}"))["files"]["config.yml"]["bytes"] == 14


def test_a_folder_that_is_not_as_its_manifest_says_is_not_uploaded(store: Store, folder: Path) -> None:
    Manifest.of(folder, {"format": "caikit"}).write(folder)
    put(store, folder)
    assert Manifest.parse(store.content(f"models/m1/{NAME}"), "here").layout == {"format": "caikit"}
    (folder / "config.yml").write_text("name: other\n")
    (folder / "empty.txt").unlink()
    with pytest.raises(InputError, match=r"(?s)config\.yml: 12 bytes, not 15.*empty\.txt: missing"):
        put(store, folder)
