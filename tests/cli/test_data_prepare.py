"""``unbarb data prepare`` and ``stats``, as they are typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from unbarb.data.corpora import VARIABLE
from unbarb.data.prepared import Prepared, write_prepared

WORDS = ["alder", "birch", "cedar", "dogwood", "elm", "fir", "gum", "hazel", "iron", "juniper"]

SIX = (
    "data",
    "prepare",
    "jigsaw",
    "--data",
    "data",
    "--plan",
    "six-labels-7400",
    "--test",
    "0.3",
    "--out",
    "six",
)
"""Prepares the balanced set that several tests look at."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ParaDetox and Jigsaw in small, and a table of one's own."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    pairs = ["toxic\tneutral1\tneutral2\tneutral3"]
    posts = ["text,toxic,severe_toxic,obscene,threat,insult,identity_hate"]
    own = ['"comment, in words",verdict,n']
    for number in range(200):
        name = f"{WORDS[number % 10]} {number * 7919} {WORDS[number // 20]} {number * 104729}"
        second = f"{name} errs" if number % 2 else ""
        pairs.append(f"the idiot of {name}\tthe person of {name}\t{second}\t")
        toxic, threat = int(number % 3 == 0), int(number % 15 == 0)
        posts.append(f"{name},{toxic},{threat},{threat},{threat},{toxic},{threat}")
        own.append(f"{name},{'bad' if toxic else 'fine'},{number}")
    (tmp_path / "data").mkdir()
    for name, lines in (("paradetox.tsv", pairs), ("jigsaw_train.csv", posts)):
        (tmp_path / "data" / name).write_text("\n".join(lines) + "\n")
    (tmp_path / "own.csv").write_text("\n".join(own) + "\n")
    return tmp_path


def test_a_corpus_by_its_name(run, folder: Path) -> None:
    ran = run("data", "prepare", "paradetox", "--data", "data", "--out", "pairs")
    assert ran.code == 0, ran.err
    prepared = Prepared.load(folder / "pairs")
    assert prepared.kind == "pairs"
    assert sum(prepared.manifest["rows"].values()) == 300
    assert f"{prepared.manifest['rows']['train']} train" in ran.out
    assert "read 300 rows: 300 of paradetox as ParaDetox" in ran.out
    assert "sources in two splits: 0" in ran.out
    assert "of the test rows of a 10% split have their source in train (300 rows of 200 sources" in ran.out


def test_the_leak_of_another_split_by_row(run, folder: Path) -> None:
    ran = run(
        "data", "prepare", "paradetox", "--data", "data", "--out", "pairs", "--row-split", "0.05", "--json"
    )
    told = json.loads(ran.out)
    assert told["leaks"]["of_a_split_by_row"]["share"] == 0.05
    assert 0.55 < told["leaks"]["of_a_split_by_row"]["leaked"] < 0.75
    assert told["folder"] == "pairs"


def test_a_file_by_its_path_with_names_of_classes(run, folder: Path) -> None:
    ran = run(
        "data", "prepare", "--input", "own.csv", "--column", "text=comment, in words",
        "--column", "label:toxicity=verdict:bad,awful", "--column", "id=n", "--out", "own",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    (first,) = [row for row in Prepared.load(folder / "own").rows("train") if row["id"] == "own-1"]
    assert first["labels"] == {"toxicity": 0.0}


def test_pairs_and_labelled_rows_together(run, folder: Path) -> None:
    ran = run(
        "data", "prepare", "paradetox", "jigsaw", "--data", "data", "--kind", "labelled", "--out", "both"
    )
    assert ran.code == 0, ran.err
    assert "600 of paradetox as ParaDetox, as labelled; 200 of jigsaw" in ran.out


def test_a_plan_says_how_it_was_scaled(run, folder: Path) -> None:
    ran = run(*SIX)
    assert ran.code == 0, ran.err
    assert "plan six-labels-7400, train:" in ran.out
    assert "of 7,400 rows, scaled by 0.0" in ran.out
    assert "(plan: 400)" in ran.out
    assert "not in the plan" in ran.out


def test_augmentation_and_instructions(run, folder: Path) -> None:
    ran = run(
        "data", "prepare", "paradetox", "--data", "data", "--out", "pairs", "--instruct",
        "--augment", "stars=0.5", "--augment", "leet=0.1",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "training rows: stars" in ran.out
    rows = json.loads((folder / "pairs" / "train.instruct.json").read_text("utf-8"))
    assert set(rows[0]) == {"instruction", "input", "output"}
    assert len(rows) == Prepared.load(folder / "pairs").manifest["rows"]["train"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "nothing to prepare: name corpora (paradetox, jigsaw"),
        (["paradetox"], "where is paradetox? Name its folder by --data FOLDER or UNBARB_DATA"),
        (["paradetoks", "--data", "data"], "no corpus 'paradetoks' that can be prepared"),
        (["davidson", "--data", "data"], "neither davidson.csv nor davidson.csv.gz"),
        (["jigsaw", "paradetox", "--data", "data"], "a set holds rows of one kind"),
        (["--input", "nothing.csv"], "no file or folder nothing.csv"),
        (["--input", "own.csv"], "are of no known table; say which is what"),
        (["--input", "own.csv", "--column", "text=coment", "--column", "label:toxicity=verdict"], "no column 'coment'"),  # noqa: E501
        (["--input", "own.csv", "--column", "text=n", "--column", "label:toxicity=verdict"], "own.csv:2"),
        (["paradetox", "--column", "text=a", "--data", "data"], "--column says what the columns"),
        (["jigsaw", "--data", "data", "--plan", "six-label-7400"], "did you mean 'six-labels-7400'?"),
        (["paradetox", "--data", "data", "--dev", "0.6", "--test", "0.5"], "none may be below 0"),
        (["jigsaw", "--data", "data", "--augment", "minority:threat=1"], "neither civil_comments.csv"),
        (["paradetox", "--data", "data", "--keep", "urls"], "--keep urls: cleaned are markup, addresses"),
        (["paradetox", "--data", "data", "--near", "0.3"], "It must be above 0.5"),
        (["paradetox", "--data", "data", "--push", "pairs"], "a repository is org/name"),
        (["paradetox", "--data", "data", "--out", "own.csv/set"], "own.csv/set cannot be written"),
    ],
)  # fmt: skip
def test_wrong_use_says_what_to_do_and_writes_nothing(
    run, folder: Path, arguments: list[str], said: str
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    ran = run("data", "prepare", "--out", "set", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_set_that_is_there_is_not_written_over(run, folder: Path) -> None:
    arguments = ("data", "prepare", "paradetox", "--data", "data", "--out", "pairs")
    assert run(*arguments).code == 0
    ran = run(*arguments)
    assert (ran.code, "give --overwrite" in ran.err) == (2, True)
    assert run(*arguments, "--seed", "2", "--overwrite").code == 0


def test_an_unreachable_hub_stops_before_any_work(
    run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("HF_TOKEN", "hf_x")
    ran = run("data", "prepare", "paradetox", "--data", "data", "--out", "pairs", "--push", "team/pairs")
    assert ran.code == 2
    assert "http://127.0.0.1:9 cannot be reached" in ran.err
    assert not (folder / "pairs").exists()


def test_stats_draw_before_and_after(run, folder: Path) -> None:
    pytest.importorskip("matplotlib")
    run(*SIX)
    ran = run("data", "stats", "six")
    assert ran.code == 0, ran.err
    written = sorted(path.name for path in (folder / "six-stats").iterdir())
    assert written == ["index.html", "labels.png", "length-text.png", "sources.png", "toxicity-text.png"]
    page = (folder / "six-stats" / "index.html").read_text("utf-8")
    assert page.count("<svg") == 4
    assert not re.search(r"(?:src|href)=[\"']?(?!#)|url\(http", page.replace('xlink:href="#', "")), (
        "from elsewhere"
    )
    assert "not in plan" in page
    assert (folder / "six-stats" / "labels.png").read_bytes().startswith(b"\x89PNG")


def test_stats_are_those_of_the_rows(run, folder: Path) -> None:
    run("data", "prepare", "jigsaw", "--data", "data", "--out", "six")
    told = json.loads(run("data", "stats", "six", "--json").out)
    prepared = Prepared.load(folder / "six")
    assert told["before"]["rows"] == 200
    assert told["train"]["rows"] == prepared.manifest["rows"]["train"]
    insults = sum(row["labels"]["insult"] for row in prepared.rows("train"))
    assert told["train"]["labels"]["insult"] == insults
    assert not (folder / "six-stats").exists()


def test_stats_beside_another_set_or_a_table(run, folder: Path) -> None:
    run("data", "prepare", "jigsaw", "--data", "data", "--out", "six")
    run("data", "prepare", "jigsaw", "--data", "data", "--limit", "50", "--out", "fifty")
    assert (
        json.loads(run("data", "stats", "six", "--before", "fifty", "--json").out)["before"]["rows"] == 50
    )
    mapping = ("--column", "text=comment, in words", "--column", "label:toxicity=verdict:bad")
    told = json.loads(run("data", "stats", "six", "--before", "own.csv", *mapping, "--json").out)
    assert told["before"]["labels"] == {"none": 133, "toxicity": 67}
    ran = run("data", "stats", "six", "--before", "data/paradetox.tsv")
    assert (ran.code, "they cannot be compared" in ran.err) == (2, True)


def test_stats_of_no_set(run, folder: Path) -> None:
    write_prepared(folder / "empty", "pairs", {})
    assert "empty has no rows; there is nothing to draw" in run("data", "stats", "empty").err
    ran = run("data", "stats", "data")
    assert ran.code == 2
    assert "data is no prepared set (no manifest.json); `unbarb data prepare` writes one" in ran.err
