"""A prepared set is read back as it was written, and one that is not whole is refused with every reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unbarb.data.prepared import MANIFEST, Prepared, write_prepared
from unbarb.errors import InputError


def pair(number: int, source: str, target: str) -> dict:
    return {"id": f"made-{number}", "source": source, "target": target, "corpus": "made"}


PAIRS = {
    "train": [pair(1, "what crap", "what a pity"), pair(2, "so dumb", "not wise\u2028at all")],
    "test": [pair(3, "shut up", "please be quiet")],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_prepared(tmp_path / "set", "pairs", PAIRS, {"sources": [{"name": "made"}]})
    return tmp_path / "set"


def test_rows_come_back_as_they_were_written(folder: Path) -> None:
    prepared = Prepared.load(folder)
    assert prepared.kind == "pairs"
    assert prepared.split("train") == PAIRS["train"]
    assert prepared.split("dev") == []
    assert prepared.manifest["rows"] == {"train": 2, "dev": 0, "test": 1}
    assert prepared.manifest["sources"] == [{"name": "made"}]
    assert prepared.leaks() == {}
    assert not folder.with_name("set.part").exists()


def test_the_digest_is_of_the_rows_alone(folder: Path, tmp_path: Path) -> None:
    digest = Prepared.load(folder).digest
    assert write_prepared(tmp_path / "same", "pairs", PAIRS, {"other": 1}).digest == digest
    assert write_prepared(tmp_path / "less", "pairs", {"train": PAIRS["train"]}).digest != digest


def test_a_file_that_was_changed_by_hand_is_refused(folder: Path) -> None:
    path = folder / "train.jsonl"
    path.write_text(path.read_text("utf-8").replace("pity", "city"), "utf-8")
    (folder / "dev.jsonl").unlink()
    with pytest.raises(InputError) as said:
        Prepared.load(folder)
    assert "train.jsonl is not the file that the manifest knows" in str(said.value)
    assert "dev.jsonl is missing" in str(said.value)


def test_a_manifest_that_was_changed_by_hand_is_refused(folder: Path) -> None:
    path = folder / MANIFEST
    manifest = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**manifest, "digest": "0" * 64}), "utf-8")
    with pytest.raises(InputError, match="the digest is not that of its files"):
        Prepared.load(folder)


def test_all_problems_of_rows_are_told_with_file_and_line(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "source": "what crap", "corpus": "made"},
        pair(2, "so dumb", "  "),
        pair(3, "x", "y") | {"meta": "no"},
    ]
    with pytest.raises(InputError) as said:
        write_prepared(tmp_path / "set", "pairs", {"train": rows})
    assert "train.jsonl:1: no 'target'" in str(said.value)
    assert "train.jsonl:2: 'target' is empty" in str(said.value)
    assert "train.jsonl:3: 'meta' must be an object" in str(said.value)
    assert not (tmp_path / "set").exists()


def test_wrong_labels_are_told(tmp_path: Path) -> None:
    def row(number: int, labels: object) -> dict:
        return {"id": f"made-{number}", "text": f"text {number}", "labels": labels, "corpus": "made"}

    rows = [row(1, {"toxicity": 1}), row(2, {"toxicity": 2}), row(3, {}), row(4, {"toxcity": 0.5})]
    with pytest.raises(InputError) as said:
        write_prepared(tmp_path / "set", "labelled", {"train": rows}, {"labels": ["toxicity"]})
    assert "train.jsonl:2: label 'toxicity' must be a number from 0 to 1, not 2" in str(said.value)
    assert "train.jsonl:3: 'labels' must be an object with at least one label" in str(said.value)
    assert "train.jsonl:4: label 'toxcity' is not one of toxicity" in str(said.value)
    assert "train.jsonl:1" not in str(said.value)


def test_a_source_in_two_splits_is_refused_however_it_is_spelt(tmp_path: Path) -> None:
    leaking = {"train": [pair(1, "What crap!", "what a pity")], "test": [pair(2, "what  CRAP", "how sad")]}
    with pytest.raises(InputError, match=r"train/test: 1 sources stand in both, as 'whatcrap'"):
        write_prepared(tmp_path / "set", "pairs", leaking)


def test_a_folder_in_use_is_not_written_over(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--overwrite"):
        write_prepared(folder, "pairs", PAIRS)
    assert write_prepared(folder, "pairs", {}, overwrite=True).split("train") == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is no prepared set"):
        write_prepared(tmp_path / "mine", "pairs", PAIRS, overwrite=True)


def test_a_folder_that_is_no_set_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`unbarb data prepare` writes one"):
        Prepared.load(tmp_path)
