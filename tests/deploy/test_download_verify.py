"""What was uploaded comes back the same, and what is not the same is found."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import typer
from fault_proxy import Cut
from object_store import PART, Store
from typer.testing import CliRunner

pytest.importorskip("botocore")

from unbarb.cli.deploy import register
from unbarb.deploy.manifest import NAME, Entry, Manifest
from unbarb.deploy.s3.check import check
from unbarb.deploy.s3.download import download
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.upload import upload
from unbarb.errors import ConfigError, InputError

BIG = "artifacts/model.safetensors"


@pytest.fixture
def place(store: Store, folder: Path) -> Place:
    """Where the folder lies, uploaded."""
    place = Place(store.bucket, "models/m1")
    upload(store.ours, folder, place, part=PART)
    store.proxy.clear()
    return place


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def run(*arguments: str) -> Any:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, ["deploy", *arguments], catch_exceptions=False)


def test_it_comes_back_the_same(store: Store, place: Place, folder: Path, tmp_path: Path) -> None:
    done = download(store.ours, place, tmp_path / "back")
    back = files(tmp_path / "back")
    assert Manifest.parse(back.pop(NAME), "here").differences(tmp_path / "back") == []
    assert back == files(folder)
    assert done.fetched_bytes == done.bytes == sum(map(len, back.values()))
    assert download(store.ours, place, tmp_path / "back").fetched_bytes == 0


def test_a_download_that_was_cut_off_goes_on(
    store: Store, place: Place, folder: Path, tmp_path: Path
) -> None:
    (folder / BIG).write_bytes(Random(2).randbytes(6 << 20))
    upload(store.ours, folder, place, part=5 << 20)
    store.proxy.clear()
    store.proxy.fault = lambda asked: Cut() if asked.path.endswith("model.safetensors") else None
    with pytest.raises(
        InputError, match=r"model\.safetensors: .*lost on the way.*run the same command again"
    ):
        download(store.ours, place, tmp_path / "back")
    assert not (tmp_path / "back" / NAME).exists()
    begun = (tmp_path / "back" / f"{BIG}.partial").stat().st_size
    assert begun >= 1 << 20
    store.proxy.clear()
    done = download(store.ours, place, tmp_path / "back")
    assert done.fetched_bytes == done.bytes - begun - done_before(folder)
    assert (tmp_path / "back" / BIG).read_bytes() == (folder / BIG).read_bytes()


def done_before(folder: Path) -> int:
    """Bytes of the file that came whole before the one that was cut off."""
    return (folder / "artifacts" / "config.json").stat().st_size


def test_a_file_that_is_not_as_the_manifest_says_does_not_stay(
    store: Store, place: Place, tmp_path: Path
) -> None:
    store.put(f"models/m1/{BIG}", bytes(2 * PART + 5 * 1024))
    with pytest.raises(InputError, match=r"model\.safetensors is not what the manifest says"):
        download(store.ours, place, tmp_path / "back")
    assert not [path for path in (tmp_path / "back").rglob("*model*")]
    assert not (tmp_path / "back" / NAME).exists()


def test_a_full_disk_is_told(store: Store, place: Place, tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs a device that is always full")
    (tmp_path / "back" / "artifacts").mkdir(parents=True)
    (tmp_path / "back" / f"{BIG}.partial").symlink_to(full)
    with pytest.raises(InputError, match="the disk is full; make room, and run it again"):
        download(store.ours, place, tmp_path / "back")


def test_what_will_not_fit_is_not_begun(store: Store, place: Place, tmp_path: Path) -> None:
    found = Manifest.parse(store.content(f"models/m1/{NAME}"), "here")
    huge = Manifest({**found.files, BIG: Entry(10**18, "ab" * 32)})
    store.put(f"models/m1/{NAME}", huge.content())
    with pytest.raises(
        InputError, match=r"1,000,000,000,000,000,036 bytes are to come and .* are free; make room"
    ):
        download(store.ours, place, tmp_path / "back")
    assert [one for one in store.proxy.log if one.path.endswith("model.safetensors")] == []


def test_a_manifest_cannot_write_elsewhere(store: Store, place: Place, tmp_path: Path) -> None:
    for name in ("../outside", "/etc/outside", "a/../../outside", ""):
        wrong = {"schema": 1, "files": {name: {"bytes": 0, "sha256": "00"}}}
        store.put(f"models/m1/{NAME}", json.dumps(wrong).encode())
        with pytest.raises(InputError, match="names files outside of its folder"):
            download(store.ours, place, tmp_path / "back")


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"schema": 1}', b'{"schema": 2, "files": {}}'])
def test_a_manifest_that_is_none_is_told(
    store: Store, place: Place, content: bytes, tmp_path: Path
) -> None:
    store.put(f"models/m1/{NAME}", content)
    with pytest.raises(InputError, match=f"{NAME}"):
        download(store.ours, place, tmp_path / "back")


def test_a_folder_without_a_manifest_is_not_whole(store: Store, tmp_path: Path) -> None:
    store.put("models/m1/config.yml", b"name: half\n")
    with pytest.raises(InputError, match="the upload is not finished"):
        download(store.ours, Place(store.bucket, "models/m1"), tmp_path / "back")


@pytest.mark.parametrize("quick", [False, True])
def test_all_that_is_not_as_the_manifest_says_is_told(store: Store, place: Place, quick: bool) -> None:
    assert check(store.ours, place, quick=quick).problems == ()
    store.client.put_object(
        Bucket=store.bucket,
        Key=f"models/m1/{BIG}",
        Body=bytes(2 * PART + 5 * 1024),
        ChecksumAlgorithm="SHA256",
    )
    store.put("models/m1/config.yml", b"short")
    store.put("models/m1/more.bin", b"more")
    store.client.delete_object(Bucket=store.bucket, Key="models/m1/empty.txt")
    changed, *rest = check(store.ours, place, quick=quick).problems
    assert changed.startswith(f"{BIG}: ")
    assert "SHA-256" in changed
    assert rest == [
        "config.yml: 5 bytes, not 15", "empty.txt: missing", "more.bin: not in the manifest",
    ]  # fmt: skip


def test_a_store_that_keeps_no_sha256_cannot_be_asked(store: Store, place: Place) -> None:
    content = store.content("models/m1/config.yml")
    store.put("models/m1/config.yml", content)
    assert check(store.ours, place).problems == ()
    assert check(store.ours, place, quick=True).problems == (
        "config.yml: the store keeps no SHA-256 of it; verify without --quick",
    )


def test_quick_reads_nothing(store: Store, place: Place) -> None:
    check(store.ours, place, quick=True)
    read = [one.path.rpartition("/")[2] for one in store.proxy.log if one.method == "GET"]
    assert read == [NAME, store.bucket]  # the manifest and the list


def test_the_commands_say_what_they_found(store: Store, place: Place, tmp_path: Path) -> None:
    back = tmp_path / "back"
    assert json.loads(run("download", str(place), str(back), "--json").stdout)["files"] == 4
    for target in (str(place), str(back)):
        said = run("verify", target)
        assert said.exit_code == 0
        assert said.stdout.endswith("4 files, 136,228 bytes: all as the manifest says\n")
    (back / "config.yml").write_text("name: X model\n")
    said = run("verify", str(back), "--json")
    assert said.exit_code == 1
    assert json.loads(said.stdout)["problems"] == ["config.yml: 14 bytes, not 15"]
    with pytest.raises(ConfigError, match="--quick: a folder here keeps no checksums"):
        run("verify", str(back), "--quick")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        run("verify", str(tmp_path))
