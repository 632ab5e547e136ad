"""Thresholds moved from another service's scores to ours: by how much is flagged."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from unbarb.cli import thresholds as command
from unbarb.errors import InputError
from unbarb.serve.thresholds import of_pairs, of_share

SCORES = st.lists(st.floats(0, 1), min_size=1, max_size=50)


def test_a_scale_that_is_only_bent_is_bent_back() -> None:
    theirs = [number / 1000 for number in range(1000)]

    mapped = of_pairs(theirs, [score**3 for score in theirs], 0.8)

    assert mapped.threshold == pytest.approx(0.8**3, abs=0.002)
    assert (mapped.share, mapped.flagged, mapped.alike, mapped.n) == (0.2, 0.2, 1.0, 1000)
    low, high = mapped.interval
    assert low < mapped.threshold < high


def test_texts_need_not_be_ranked_alike() -> None:
    numbers = random.Random(4)
    theirs = [numbers.random() for _ in range(500)]
    ours = [numbers.random() / 2 for _ in range(500)]

    mapped = of_pairs(theirs, ours, 0.9)

    assert mapped.flagged == mapped.share == sum(score >= 0.9 for score in theirs) / 500
    assert mapped.alike is not None
    assert 0.75 < mapped.alike < 0.9


def test_more_texts_make_the_interval_narrower() -> None:
    def width(n: int) -> float:
        low, high = of_share([number / n for number in range(n)], 0.1).interval
        return high - low

    assert width(100) > 2 * width(1000) > 4 * width(10_000)


@given(SCORES, st.floats(0.02, 1))
def test_no_threshold_flags_a_share_that_is_nearer(scores: list[float], share: float) -> None:
    count = round(share * len(scores))
    if count < 1:
        return
    mapped = of_share(scores, share)

    flagged = sum(score >= mapped.threshold for score in scores)
    assert flagged == round(mapped.flagged * mapped.n) >= 1
    assert abs(flagged - count) == min(abs(sum(one >= score for one in scores) - count) for score in scores)


def test_of_two_thresholds_that_are_as_near_the_one_that_flags_more_is_taken() -> None:
    assert of_share([0.1, 0.4, 0.4, 0.9], 0.5).flagged == 0.75


@pytest.mark.parametrize(
    ("theirs", "ours", "at", "told"),
    [
        ([0.5], [0.5, 0.6], 0.5, "1 scores of theirs but 2 of ours"),
        ([0.5], [0.5], 0.6, "none of the 1 texts reaches 0.6 there"),
        ([50.0], [0.5], 0.6, "1 scores of theirs are not from 0 to 1; the first is 50"),
        ([0.9], [float("nan")], 0.6, "1 scores of ours are not from 0 to 1"),
        ([], [], 0.6, "there are no texts"),
    ],
)
def test_what_cannot_be_matched_is_told(
    theirs: Sequence[float], ours: Sequence[float], at: float, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        of_pairs(theirs, ours, at)


@pytest.mark.parametrize(("share", "told"), [(0, "above 0"), (1.1, "up to 1"), (0.1, "less than one")])
def test_a_share_that_is_no_text_is_told(share: float, told: str) -> None:
    with pytest.raises(InputError, match=told):
        of_share([0.1, 0.2], share)


# The command


def run(*arguments: object) -> str:
    app = typer.Typer()
    command.register(app)
    result = CliRunner().invoke(app, ["thresholds", "map", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file)
        write.writerow(["perspective", "score", "text"])
        write.writerows((number / 100, (number / 100) ** 2, f"text, {number}") for number in range(100))
    return path


def test_a_table_with_both_scores_needs_no_model(table: Path) -> None:
    told = run(table, "--at", 0.9, "--ours", "score", "--label", "insult")

    assert "insult: 0.9 there is 0.801 here" in told
    assert "flagged: 10.00% there, 10.00% here; 100.0% of the texts are decided alike" in told
    assert "insult: {threshold: 0.801, action: flag}" in told


def test_a_share_needs_no_scores_of_theirs(table: Path) -> None:
    told = json.loads(run(table, "--share", 0.2, "--ours", "score", "--theirs", "nothing", "--json"))

    assert (told["share"], told["flagged"], told["n"], told["alike"]) == (0.2, 0.2, 100, None)
    assert told["threshold"] == pytest.approx(0.6321, abs=0.001)


def test_texts_are_scored_where_there_are_no_scores(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    texts = {"You are an idiot.": 0.97, "Thank you for the talk.": 0.01, "See you at ten.": 0.02}
    rows = [{"text": text, "perspective": score} for text, score in texts.items()]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")

    told = json.loads(run(path, "--at", 0.8, "--json"))

    assert (told["n"], told["alike"]) == (3, 1.0)
    assert 0.1 < told["threshold"] < 0.9


@pytest.mark.parametrize(
    ("name", "content", "arguments", "told"),
    [
        ("a.csv", "text,perspective\na,0.5\n", [], "give --at"),
        ("a.csv", "text,perspective\na,0.5\n", ["--at", 0.5, "--share", 0.5], "give --at"),
        ("a.csv", "text,score\na,0.5\n", ["--at", 0.5], r"a.csv:2: nothing in 'perspective'; the row has"),
        ("a.csv", "text,perspective\na,high\n", ["--at", 0.5], "a.csv:2: a score is not a number"),
        ("a.csv", 'text,perspective\n"a,0.5\n', ["--at", 0.5], "cannot be read"),
        ("a.txt", "a", ["--at", 0.5], "known are .csv, .tsv and .jsonl"),
        ("a.jsonl", "[1]", ["--at", 0.5], "a.jsonl:1: a JSON object is needed"),
        ("a.jsonl", "{", ["--at", 0.5], "a.jsonl:1: not JSON"),
        (
            "a.csv",
            "text,perspective\na,0.5\n",
            ["--at", 0.5, "--label", "rude"],
            "label 'rude' is not scored",
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    tmp_path: Path, name: str, content: str, arguments: list[object], told: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")

    with pytest.raises(InputError, match=told):
        run(path, *arguments)
