"""``unbarb data``: corpora are listed with true counts, and fetched from what plays the hub here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from unbarb.data import hub
from unbarb.data.corpora import FILES, TABLES, VARIABLE

PAIRS = "toxic\tneutral1\nwhat crap\twhat a pity\nwhat crap\thow sad\nso bad\tso bad\n"
TWEET = {"hate_speech_count": 1, "offensive_language_count": 2, "neither_count": 1, "tweet": "a, b"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "paradetox.tsv").write_text(PAIRS, encoding="utf-8")
    (tmp_path / "edos.csv.gz").write_bytes(
        gzip.compress(b"text,sexist\nWomen cannot think,sexist\nThe shop is closed,not sexist\n")
    )
    (tmp_path / "civil_spans.csv").write_text("annotation,type,start,end\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """What the hub would answer, by repository."""
    found: dict[str, list[dict[str, Any]]] = {}
    monkeypatch.setattr(hub, "_load", lambda repository, configuration, split: found[repository])
    return found


def listed(run, *arguments: str | Path) -> dict[str, dict[str, Any]]:
    ran = run("data", "list", "--json", *arguments)
    assert ran.code == 0
    rows = [json.loads(line) for line in ran.out.splitlines()]
    return {row["name"]: row for row in rows}


def test_every_known_corpus_is_listed_and_counted_where_it_is(run, folder) -> None:
    rows = listed(run, "--data", folder)
    assert list(rows) == [*FILES, *TABLES]
    pairs, posts = rows["paradetox"]["counts"], rows["edos"]["counts"]
    assert (pairs["rows"], pairs["rewrites"]) == (1, 2)
    assert pairs["dropped"] == {"unchanged": 1, "no_neutral": 1}
    assert posts["labels"]["identity_attack"] == {"n": 2, "mean": 0.5}
    assert posts["labels"]["toxicity"] == {"n": 1, "mean": 1.0}
    assert rows["civil"]["missing"] == ["civil_comments.csv", "civil_annotations.csv"]
    assert rows["civil"]["counts"] is None
    origins = [row["origin"] for row in rows.values()]
    assert all(origin["url"].startswith("https://") and origin["licence"] for origin in origins)
    assert {name for name, row in rows.items() if row["hub"]} == set(hub.HUB)


def test_the_view_says_size_labels_and_what_is_missing(run, folder) -> None:
    out = run("data", "list", "--data", folder).out
    assert "paradetox  1 pairs, 2 rewrites (left out: 1 rewrites equal to their source" in out
    assert "toxicity 1.000 of 1, identity_attack 0.500\n" in out
    assert "civil  incomplete" in out
    assert "missing: civil_comments.csv, civil_annotations.csv\n" in out
    assert "`unbarb data fetch davidson`" in out


def test_without_a_folder_the_known_corpora_are_named(run, folder, monkeypatch) -> None:
    rows = listed(run)
    assert list(rows) == [*FILES, *TABLES]
    assert all(row["counts"] is None for row in rows.values())
    assert VARIABLE in run("data", "list").err
    monkeypatch.setenv(VARIABLE, str(folder))
    assert listed(run)["edos"]["counts"]["rows"] == 2


def test_a_folder_without_corpora_and_no_folder_are_told(run, folder) -> None:
    (folder / "empty").mkdir()
    ran = run("data", "list", "--data", folder / "empty")
    assert (ran.code, "holds no corpus" in ran.err, "data fetch" in ran.err) == (2, True, True)
    ran = run("data", "list", "--data", folder / "none")
    assert (ran.code, ran.out, "no folder" in ran.err) == (2, "", True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"text,sexist\nThe shop is closed,not sexist\n")[:-9], "damaged"),
        (gzip.compress(b"text,sexist\nThe shop is closed,not sexist\n")[:12] + b"\xff" * 40, "damaged"),
        (gzip.compress(b"text,sexist\ncaf\xe9,sexist\n"), "damaged"),
        (gzip.compress(b"text\nhello\n"), "no column sexist"),
    ],
    ids=["cut off", "corrupt", "not UTF-8", "no column"],
)
def test_what_cannot_be_read_is_told_and_the_rest_is_listed(run, folder, content, reason) -> None:
    (folder / "edos.csv.gz").write_bytes(content)
    ran = run("data", "list", "--data", folder)
    assert ran.code == 3
    assert "edos  cannot be read" in ran.out
    assert reason in ran.err
    assert "paradetox  1 pairs" in ran.out
    assert "ldnoobw" in ran.out


def test_fetched_files_are_written_once(run, folder, answers) -> None:
    answers["tdavidson/hate_speech_offensive"] = [TWEET]
    home = folder / "new" / "corpora"
    ran = run("data", "fetch", "davidson", "--data", home, "--json")
    assert ran.code == 0
    assert json.loads(ran.out) == {"name": "davidson", "file": str(home / "davidson.csv"), "fetched": True}
    answers.clear()
    assert "was there already" in run("data", "fetch", "davidson", "--data", home).out
    assert listed(run, "--data", home)["davidson"]["counts"]["rows"] == 1


def test_a_packed_file_counts_as_there(run, folder, answers) -> None:
    (folder / "davidson.csv.gz").write_bytes(gzip.compress(b"mine"))
    ran = run("data", "fetch", "davidson", "--data", folder, "--json")
    assert json.loads(ran.out)["file"] == str(folder / "davidson.csv.gz")
    assert not (folder / "davidson.csv").exists()


def test_a_mirror_takes_the_place_of_the_hub(run, folder, answers) -> None:
    answers["my/mirror"] = [TWEET]
    assert run("data", "fetch", "davidson", "--data", folder, "--from", "my/mirror").code == 0
    ran = run("data", "fetch", "davidson", "jigsaw", "--data", folder, "--from", "my/mirror")
    assert (ran.code, "one by one" in ran.err) == (2, True)


@pytest.mark.parametrize(
    ("name", "reason"), [("edos", r"docs/data.md says where"), ("redit", "no corpus has that name")]
)
def test_what_is_not_on_the_hub_is_told(run, folder, name, reason) -> None:
    ran = run("data", "fetch", name, "--data", folder / "new")
    assert (ran.code, reason in ran.err, "paradetox, davidson" in ran.err) == (2, True, True)
    assert not (folder / "new").exists()


def test_fetch_needs_a_folder(run, folder) -> None:
    ran = run("data", "fetch", "davidson")
    assert (ran.code, "give --data FOLDER or set UNBARB_DATA" in ran.err) == (2, True)
