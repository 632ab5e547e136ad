"""Judges against people: ratings made from the judges agree, turned round they do not; it is kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("scipy")

from tiny_judges import NEUTRAL, THINGS, TOXIC

from unbarb.evaluate.agreement import agreement, keep, known, suspicious
from unbarb.evaluate.judges import Judges
from unbarb.evaluate.ratings import Reading, load_ratings

SYSTEMS = {
    "copy": TOXIC,
    "people": NEUTRAL,
    "short": tuple(f"this {thing} is a mess" for thing in THINGS),
    "silent": tuple("" for _ in THINGS),
}


@pytest.fixture(scope="module")
def ratings_file(judges_folder, tmp_path_factory) -> Path:
    """People who grade as the judges do."""
    judges = Judges.load(judges_folder)
    path = tmp_path_factory.mktemp("ratings") / "ratings.jsonl"
    lines = []
    for name, outputs in SYSTEMS.items():
        scores = judges.score(TOXIC, outputs, NEUTRAL)
        for at, output in enumerate(outputs):
            grades = {
                "toxicity": scores.toxicity[at],
                "content": min(1.0, max(0.0, scores.to_source[at])),
                "fluency": scores.fluency[at],
                "joint": min(1.0, max(0.0, scores.joint[at])),
            }
            row = {"system": name, "source": TOXIC[at], "output": output, "reference": NEUTRAL[at]}
            lines.append(json.dumps(row | {key: float(value) for key, value in grades.items()}) + "\n")
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def report(ratings_file, judges_folder):
    return agreement(load_ratings(ratings_file), Judges.load(judges_folder))


def figure(report, table: int, judge: str, kind: str = "Pearson") -> float:
    row = next(row for row in report.tables[table].rows if row.system == judge)
    return row.figures[kind].value


def test_people_who_grade_as_the_judges_agree(report):
    assert [table.name for table in report.tables] == ["per system", "per item", "means"]
    assert figure(report, 0, "joint") == pytest.approx(1.0)
    assert figure(report, 1, "toxicity") == pytest.approx(1.0)
    assert figure(report, 1, "fluency", "Kendall") == pytest.approx(1.0)
    assert report.tables[2].rows[0].system == "people"
    assert {point.system for point in report.tables[0].points} == set(SYSTEMS)


def test_the_sentence_names_figures_systems_and_rewrites(report):
    assert "40 rated rewrites by 4 systems" in report.agreement
    assert "joint 1.00 (1.00 … 1.00) over systems" in report.agreement


def test_what_says_nothing_is_worth_nothing(report):
    silent = next(row for row in report.tables[2].rows if row.system == "silent")
    assert silent.figures["joint"].value == 0.0
    assert silent.figures["calibrated"].value == 0.0


def test_turned_ratings_are_noticed(ratings_file, judges_folder, report):
    assert suspicious(load_ratings(ratings_file), report) is None
    turned = load_ratings(ratings_file, Reading(toxicity="clean"))
    wrong = agreement(turned, Judges.load(judges_folder))
    assert "--toxicity clean" in str(suspicious(turned, wrong))


def test_it_is_kept_for_these_judges_only(report, tmp_path):
    assert known(tmp_path, report.judges["digest"]) == ""
    keep(report, tmp_path)
    assert known(tmp_path, report.judges["digest"]) == report.agreement
    assert known(tmp_path, "sha256:others") == ""


def test_dress_changes_no_grade_and_a_loop_costs_fluency(judges_folder):
    judges = Judges.load(judges_folder)
    plain = judges.score(TOXIC, NEUTRAL, NEUTRAL)
    dressed = judges.score(TOXIC, [f'"**{text}** 😊"' for text in NEUTRAL], NEUTRAL)
    assert dressed.joint == pytest.approx(plain.joint)
    twice = judges.score(TOXIC, [f"{text} {text}" for text in NEUTRAL], NEUTRAL)
    assert (twice.fluency <= judges.fluency([f"{text} {text}" for text in NEUTRAL]) / 2 + 1e-9).all()
