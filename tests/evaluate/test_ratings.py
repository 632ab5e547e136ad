"""Ratings of people: read whatever they are called, and held against the judges."""

from __future__ import annotations

import json

import pytest

from unbarb.errors import ConfigError, InputError
from unbarb.evaluate.ratings import Reading, load_ratings

HEADER = "system\tsource\toutput\treference\ttoxicity\tcontent\tfluency\n"


def test_several_people_are_averaged_and_j_is_the_product(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text(
        HEADER + "a\ts\to\tr\t0\t1\t1\na\ts\to\tr\t1\t1\t1\nb\ts\tp\tr\t0.5\t0.5\t\n", encoding="utf-8"
    )
    ratings = load_ratings(path)
    assert ratings.names == ("a", "b")
    assert ratings.toxicity.tolist() == [0.5, 0.5]
    assert ratings.joint[0] == 0.5
    assert ratings.joint[1] != ratings.joint[1], "nobody graded its fluency"
    assert ratings.means(ratings.joint) == [0.5, None]


def test_other_names_scales_and_directions(tmp_path):
    path = tmp_path / "r.jsonl"
    row = {"team": "a", "source": "s", "output": "o", "STA": 5, "meaning": 3, "fluency": 1}
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    columns = {"system": "team", "toxicity": "STA", "content": "meaning"}
    ratings = load_ratings(path, Reading(columns, (1, 5), "clean"))
    assert (ratings.toxicity[0], ratings.content[0], ratings.fluency[0]) == (0.0, 0.5, 0.0)
    assert ratings.references == ("s",), "without a reference the source stands in"


def test_a_given_j_goes_before_the_product(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("system,source,output,joint\na,s,o,0.25\n", encoding="utf-8")
    assert load_ratings(path).joint.tolist() == [0.25]


def test_a_quote_out_of_place_does_not_swallow_rows(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text(HEADER + 'a\ts\t"he said\tr\t0\t1\t1\nb\ts\to\tr\t0\t1\t1\n', encoding="utf-8")
    with pytest.raises(InputError, match='write "" for "'):
        load_ratings(path)
    path.write_text(HEADER + 'a\ts\t"he said ""no"""\tr\t0\t1\t1\n', encoding="utf-8")
    assert load_ratings(path).outputs == ('he said "no"',)
    path.write_text(HEADER + "a\ts\to\tr\t0\t1\t1\textra\n", encoding="utf-8")
    with pytest.raises(InputError, match="more fields than the header"):
        load_ratings(path)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    path = tmp_path / "r.tsv"
    path.write_text(HEADER + "a\ts\to\tr\t3\tgood\t1\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"toxicity: 3 is outside 0…1; row 1, content: 'good' is not a number"
    ):
        load_ratings(path)
    path.write_text("system\tsource\ttext\na\ts\to\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no column output, toxicity, content, fluency.*--column"):
        load_ratings(path)
    with pytest.raises(InputError, match="no file"):
        load_ratings(tmp_path / "none.tsv")
    path.write_text(HEADER, encoding="utf-8")
    with pytest.raises(InputError, match="no ratings"):
        load_ratings(path)
    with pytest.raises(ConfigError, match="no column is called tone"):
        Reading({"tone": "x"})
    with pytest.raises(ConfigError, match="lowest"):
        Reading(scale=(5, 1))
