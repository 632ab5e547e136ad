"""Published tables are known by their columns; anything else goes by a mapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unbarb.data.corpora import Corpora
from unbarb.data.layouts import layouts
from unbarb.data.readers.paranmt import Limits
from unbarb.data.records import Fault
from unbarb.data.sources import all_named, as_kind, from_path, named, one_kind
from unbarb.errors import ConfigError, InputError

# As published: an index without a name, the slip in lenght_diff, and sides in either order.
PARANMT = """\treference\ttranslation\tsimilarity\tlenght_diff\tref_tox\ttrn_tox
0\tIf they are late, wait.\tif the idiots are late, wait.\t0.785171\t0.010309\t0.014195\t0.981983
1\tYou're a damn fool.\tYou are not wise.\t0.749687\t0.071429\t0.999039\t0.065473
2\tshut up\tbe quiet\t0.919051\t0.268293\t0.85\t0.01
3\tI hate the fools\tI dislike them\t0.5\t0.1\t0.98\t0.01
4\tgo to hell now\tgo\t0.7\t0.7\t0.98\t0.01
5\tdumb\tdumber\t0.9\t0.1\t0.98\t0.97
"""

PROMPT = {
    "filename": "0766186-bc7f2a64cb271f5f56cf6f25570cd9ed.txt",
    "begin": 340,
    "end": 564,
    "challenging": False,
    "prompt": {
        "text": "they are an idiot",
        "profanity": 0.25,
        "sexually_explicit": 0.01,
        "identity_attack": 0.12,
        "flirtation": 0.07,
        "threat": 0.01,
        "insult": 0.9,
        "severe_toxicity": 0.3,
        "toxicity": 0.92,
    },
    "continuation": {
        "text": ", he said",
        "severe_toxicity": None,
        "toxicity": 0.1,
        "profanity": None,
        "sexually_explicit": None,
        "identity_attack": None,
        "flirtation": None,
        "threat": None,
        "insult": None,
    },
}

KAGGLE = (
    '"id","comment_text","toxic","severe_toxic","obscene","threat","insult","identity_hate"\n'
    '"0000997932d777bf","Explanation\nWhy the edits?",0,0,0,0,0,0\n'
    '"0002bcb3da6cb337","you are ""vile""",1,1,1,0,1,0\n'
)


def rows(path: Path, *columns: str, **options: object) -> list[object]:
    return list(from_path(path, columns, **options).rows())


def test_paranmt_pairs_are_turned_toxic_side_first_and_filtered(tmp_path: Path) -> None:
    path = tmp_path / "filtered.tsv"
    path.write_text(PARANMT, "utf-8")
    source = from_path(path)
    assert (source.kind, source.layout) == ("pairs", "ParaNMT-detox")
    first, second, *reasons = source.rows()
    assert (first["source"], first["target"]) == (
        "if the idiots are late, wait.",
        "If they are late, wait.",
    )
    assert (second["source"], second["target"]) == ("You're a damn fool.", "You are not wise.")
    assert first["meta"] == {"toxicity": {"source": 0.981983, "target": 0.014195}, "similarity": 0.785171}
    assert reasons == ["no_neutral_side", "similarity", "length", "no_neutral_side"]


def test_limits_of_paranmt_may_differ(tmp_path: Path) -> None:
    path = tmp_path / "filtered.tsv"
    path.write_text(PARANMT, "utf-8")
    wide = Limits(toxic=0.5, neutral=0.5, similarity=(0, 1), length=1)
    assert sum(isinstance(row, dict) for row in rows(path, limits=wide)) == 5
    with pytest.raises(ConfigError, match="0 ≤ neutral ≤ toxic ≤ 1"):
        Limits(toxic=0.2, neutral=0.9)


def test_a_score_that_is_none_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "filtered.tsv"
    path.write_text(PARANMT.replace("0.981983", "high"), "utf-8")
    fault = rows(path)[0]
    assert isinstance(fault, Fault)
    assert fault.place == "filtered.tsv:2"
    assert "could not convert string to float: 'high'" in fault.reason


def test_real_toxicity_prompts_give_both_parts_with_the_scores_they_have(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    unscored = {**PROMPT, "continuation": {"text": "x", "toxicity": None}}
    path.write_text(json.dumps(PROMPT) + "\n" + json.dumps(unscored) + "\n")
    prompt, continuation, _, reason = rows(path)
    assert prompt["labels"]["toxicity"] == 0.92
    assert prompt["labels"]["obscene"] == 0.25
    assert "flirtation" not in prompt["labels"]
    assert continuation["labels"] == {"toxicity": 0.1}
    assert continuation["meta"] == {
        "part": "continuation",
        "challenging": False,
        "prompt": "they are an idiot",
    }
    assert reason == "unscored"
    assert (prompt["id"], continuation["id"]) == ("prompts-1-1", "prompts-1-2")


def test_real_toxicity_prompts_as_pairs_to_write_on(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(json.dumps(PROMPT) + "\n")
    source = from_path(path, kind="pairs")
    (row,) = source.rows()
    assert (source.kind, row["source"], row["target"]) == ("pairs", "they are an idiot", ", he said")
    assert row["meta"]["toxicity"] == {"source": 0.92, "target": 0.1}


def test_the_kaggle_train_file_needs_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text(KAGGLE)
    first, second = rows(path)
    assert first["text"] == "Explanation\nWhy the edits?"
    assert second["labels"] == {
        "toxicity": 1.0,
        "severe_toxicity": 1.0,
        "obscene": 1.0,
        "threat": 0.0,
        "insult": 1.0,
        "identity_attack": 0.0,
    }
    assert second["corpus"] == "train"


def test_civil_comments_are_known_from_the_hub_and_from_kaggle(tmp_path: Path) -> None:
    rest = "severe_toxicity,obscene,threat,insult,identity_attack"
    (tmp_path / "hub.csv").write_text(
        f"text,toxicity,{rest},sexual_explicit\nhm,0.8,0.0,0.1,0.0,0.7,0.2,0.0\n"
    )
    (tmp_path / "kaggle.csv").write_text(f"id,target,comment_text,{rest}\n7,0.8,hm,0.0,0.1,0.0,0.7,0.2\n")
    for name in ("hub.csv", "kaggle.csv"):
        (row,) = rows(tmp_path / name)
        assert row["labels"] == {
            "toxicity": 0.8,
            "severe_toxicity": 0.0,
            "obscene": 0.1,
            "threat": 0.0,
            "insult": 0.7,
            "identity_attack": 0.2,
        }
        assert from_path(tmp_path / name).layout == "Civil Comments"


def test_paradetox_is_known_from_its_repository_and_from_the_hub(tmp_path: Path) -> None:
    (tmp_path / "paradetox.tsv").write_text(
        "toxic\tneutral1\tneutral2\tneutral3\nwhat crap\ta pity\tsad\t\nhm\t\t\t\n"
    )
    first, second, reason = rows(tmp_path / "paradetox.tsv")
    assert [(row["source"], row["target"]) for row in (first, second)] == [
        ("what crap", "a pity"),
        ("what crap", "sad"),
    ]
    assert reason == "no_neutral"
    (tmp_path / "hub.tsv").write_text("en_toxic_comment\ten_neutral_comment\nwhat crap\ta pity\n")
    (row,) = rows(tmp_path / "hub.tsv")
    assert (row["source"], row["target"]) == ("what crap", "a pity")


def test_prepared_rows_are_read_back_with_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(
        '{"id": "a", "source": "s", "chosen": "c", "rejected": "r", "corpus": "x", "meta": {"by": 1}}\n'
    )
    (row,) = rows(path)
    assert row == {
        "id": "mine-a",
        "source": "s",
        "chosen": "c",
        "rejected": "r",
        "meta": {"by": 1},
        "corpus": "mine",
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": 5, "labels": {"toxicity": 1}}', "'text' must be text, not int"),
        (
            '{"text": "a", "labels": {"toxicity": 1.5}}',
            "label 'toxicity' must be a number from 0 to 1, not 1.5",
        ),
        (
            '{"text": "a", "labels": {"toxicity": NaN}}',
            "label 'toxicity' must be a number from 0 to 1, not nan",
        ),
        ('{"text": "a", "labels": {"toxicity": 1}, "meta": [1]}', "'meta' must be an object"),
        ('{"text": "a", "labels": ["toxicity"]}', "not as labelled rows is: AttributeError"),
        ('{"text": "\\ud83d", "labels": {"toxicity": 1}}', "half of a surrogate pair stands alone"),
        ('{"text": "a", "labels": {"toxicity": "high"}}', "could not convert string to float: 'high'"),
    ],
)
def test_rows_that_cannot_be_used_are_faults_with_their_line(line: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"text": "fine", "labels": {"toxicity": 0}}\n' + line + "\n")
    _, fault = rows(path)
    assert isinstance(fault, Fault)
    assert fault.place == "rows.jsonl:2"
    assert said in fault.reason


def test_a_table_of_ones_own_goes_by_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("bad,good\nwhat crap,a pity\n")
    (row,) = rows(path, "source=bad", "target=good")
    assert row == {"id": "own-1", "source": "what crap", "target": "a pity", "corpus": "own"}


def test_an_unknown_table_says_how_to_map_it(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("bad,good\nx,y\n")
    with pytest.raises(
        InputError, match=r"its columns \(bad, good\) are of no known table; say which is what"
    ):
        from_path(path)
    with pytest.raises(InputError, match="no column 'god'; did you mean 'good'"):
        from_path(path, ["source=bad", "target=god"])


def test_every_layout_has_its_columns_and_no_two_the_same() -> None:
    found = [(layout.kind, layout.columns) for layout in layouts()]
    assert len(set(found)) == len(found) == 12


def test_corpora_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / "davidson.csv").write_text("hate_votes,offensive_votes,neither_votes,text\n1,2,1,a b\n")
    source = named("davidson", Corpora(tmp_path))
    (row,) = source.rows()
    assert row["id"] == "davidson-1"
    assert row["labels"] == {"toxicity": 0.75, "identity_attack": 0.25}
    assert source.licence == "MIT"
    with pytest.raises(ConfigError, match="no corpus 'davison' that can be prepared"):
        named("davison", Corpora(tmp_path))
    with pytest.raises(ConfigError, match="where is davidson"):
        all_named(["davidson"], None)


def test_pairs_as_labelled_rows_and_preferences_as_pairs(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("source\ttarget\nwhat crap\ta pity\n")
    source = as_kind(from_path(tmp_path / "pairs.tsv"), "labelled")
    assert [(row["id"], row["text"], row["labels"]) for row in source.rows()] == [
        ("pairs-1-source", "what crap", {"toxicity": 1.0}),
        ("pairs-1-target", "a pity", {"toxicity": 0.0}),
    ]
    (tmp_path / "reviewed.tsv").write_text("source\tchosen\trejected\nwhat crap\ta pity\twhat cr*p\n")
    reviewed = from_path(tmp_path / "reviewed.tsv")
    (row,) = as_kind(reviewed, "pairs").rows()
    assert (row["source"], row["target"]) == ("what crap", "a pity")
    assert as_kind(reviewed, "preferences") is reviewed
    with pytest.raises(ConfigError, match="reviewed has preferences; labelled cannot be made of them"):
        as_kind(reviewed, "labelled")


def test_sources_of_two_kinds_are_no_set(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(KAGGLE)
    (tmp_path / "pairs.tsv").write_text(PARANMT, "utf-8")
    both = [from_path(tmp_path / "train.csv"), from_path(tmp_path / "pairs.tsv")]
    with pytest.raises(
        ConfigError, match="train has labelled, pairs has pairs; prepare them apart, or with --kind"
    ):
        one_kind(both)
    with pytest.raises(ConfigError, match="two sources are called train"):
        one_kind([both[0], both[0]])
    with pytest.raises(ConfigError, match="nothing to prepare"):
        one_kind([])
