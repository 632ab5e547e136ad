"""From files to a prepared set: what is kept is clean and in one split, what is not is counted."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from unbarb.data.augment import Augmentation
from unbarb.data.balance import Plan
from unbarb.data.gather import Options
from unbarb.data.prepare import prepare
from unbarb.data.prepared import Prepared
from unbarb.data.sources import Source, as_kind, from_path
from unbarb.errors import ConfigError, InputError

NAMES = ["alder", "birch", "cedar", "dogwood", "elm", "fir", "gum", "hazel", "ironwood", "juniper"]


def table(path: Path, rows: list[tuple[str, ...]], *columns: str) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture
def pairs(tmp_path: Path) -> Source:
    """300 sentences, half of them with two rewrites, and one row for every reason to drop one."""
    rows = []
    for number in range(300):
        bad = f"the {NAMES[number % 10]} idiot of house {number * 7919} talks {NAMES[number // 30]} rot"
        rows.append((bad, f"the person of house {number * 7919} is wrong"))
        if number % 2:
            rows.append((bad.upper() + "!!!!", f"house {number * 7919} errs"))
    rows += [
        rows[0],
        ("so dumb", "So dumb!"),
        ("what crap", " "),
        (f"{rows[0][0]} s", "he is wrong"),
        ("see <b>this</b> crap at http://a.b/c", "see &amp; wait"),
    ]
    path = table(tmp_path / "pairs.csv", rows, "bad", "good")
    return from_path(path, ["source=bad", "target=good"])


@pytest.fixture
def labelled(tmp_path: Path) -> Source:
    rows = []
    for number in range(600):
        threat, toxic = number % 20 == 0, number % 3 == 0 or number % 20 == 0
        text = f"{NAMES[number % 10]} {number * 104729} {NAMES[number // 60]} people {number * 31337}"
        rows.append((text, int(toxic), int(threat)))
    path = table(tmp_path / "posts.csv", rows, "post", "toxic", "threat")
    return from_path(path, ["text=post", "label:toxicity=toxic", "label:threat=threat"])


def test_every_row_is_kept_or_counted(pairs: Source, tmp_path: Path) -> None:
    done = prepare([pairs], tmp_path / "set")
    kept = sum(done.manifest["rows"].values())
    assert done.manifest["drops"] == {"duplicate": 1, "unchanged": 1, "empty": 1, "near_duplicate": 1}
    assert done.manifest["read"] == 455 == kept + 4
    assert done.kind == "pairs"
    assert min(done.manifest["rows"].values()) > 0


def test_no_source_is_in_two_splits_however_it_is_spelt(pairs: Source, tmp_path: Path) -> None:
    done = prepare([pairs], tmp_path / "set")
    assert done.leaks() == {}
    assert done.manifest["leaks"]["shared_sources"] == 0
    leak = done.manifest["leaks"]["of_a_split_by_row"]
    assert leak["share"] == 0.1
    assert leak["leaked"] == pytest.approx(0.6, abs=0.06)  # of 455 rows 300 share their source


def test_both_sides_of_a_pair_go_into_one_split_also_as_labelled_texts(tmp_path: Path) -> None:
    rows = [(f"an awful text about {word}", f"words on {word}") for word in map(str, range(300))]
    source = from_path(table(tmp_path / "pairs.csv", rows, "source", "target"))
    made = prepare([as_kind(source, "labelled")], tmp_path / "set", Options(near=None))
    splits = {row["text"]: name for name in ("train", "dev", "test") for row in made.rows(name)}
    assert len(splits) == 600
    assert set(splits.values()) == {"train", "dev", "test"}
    assert all(splits[toxic] == splits[neutral] for toxic, neutral in rows)


def test_texts_are_clean_and_what_is_kept_is_kept(pairs: Source, tmp_path: Path) -> None:
    done = prepare([pairs], tmp_path / "set")
    rows = [row for split in ("train", "dev", "test") for row in done.rows(split)]
    (cleaned,) = [row for row in rows if "crap at" in row["source"]]
    assert (cleaned["source"], cleaned["target"]) == ("see this crap at", "see & wait")
    assert {row["corpus"] for row in rows} == {"pairs"}
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_same_input_gives_the_same_bytes(pairs: Source, labelled: Source, tmp_path: Path) -> None:
    options = Options(augment=(Augmentation("leet", 0.3),), instruct=True)
    one, other = (prepare([pairs], tmp_path / name, options) for name in ("one", "other"))
    for name in [*one.manifest["files"], "manifest.json"]:
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()
    assert (
        prepare([pairs], tmp_path / "seed", Options(seed=14)).digest
        != prepare([pairs], tmp_path / "b").digest
    )


def test_a_plan_is_met_in_proportion_and_told(labelled: Source, tmp_path: Path) -> None:
    plan = Plan.of("made", {"train": {"threat": 100, "toxicity": 200, "none": 300}})
    done = prepare([labelled], tmp_path / "set", Options(plan=plan))
    told = done.manifest["plan"]["splits"]["train"]
    assert done.manifest["rows"]["train"] == sum(told["taken"].values())
    assert told["taken"]["threat"] == told["there"]["threat"]
    assert told["scale"] == pytest.approx(told["there"]["threat"] / 100, abs=1e-3)
    assert told["taken"]["none"] == pytest.approx(3 * told["taken"]["threat"], abs=1)
    assert done.manifest["drops"]["not_in_plan"] == 600 - sum(done.manifest["rows"].values())
    assert done.labels == ("toxicity", "threat")


def test_only_train_is_augmented_and_every_made_row_says_so(labelled: Source, tmp_path: Path) -> None:
    ways = (Augmentation("leet", 0.5), Augmentation("stars", 0.5))
    done = prepare([labelled], tmp_path / "set", Options(augment=ways))
    made = [row for row in done.rows("train") if "meta" in row]
    counted = done.manifest["augmented"]
    assert sum(counted.values()) == len(made)
    assert min(counted["leet"], counted["stars"]) > 200
    assert not [row for split in ("dev", "test") for row in done.rows(split) if "meta" in row]
    ids = {row["id"] for row in done.rows("train")}
    assert {row["meta"]["of"] for row in made} <= ids


def test_rows_for_a_rare_label_go_to_train_and_count_for_the_plan(labelled: Source, tmp_path: Path) -> None:
    comments = [(str(n), f"I will hurt all {NAMES[n % 10]} {n * 7907} of you now.") for n in range(40)]
    typed = (
        table(tmp_path / "c.csv", comments, "comment_id", "text"),
        table(tmp_path / "a.csv", [(n, n) for n, _ in comments], "annotation", "comment_id"),
        table(
            tmp_path / "s.csv",
            [(n, "Threat", 2, 9) for n, _ in comments],
            "annotation",
            "type",
            "start",
            "end",
        ),
    )
    options = Options(
        augment=(Augmentation("minority:threat", 1.0),),
        plan=Plan.of("made", {"train": {"threat": 1000, "none": 10}, "short": "take"}),
    )
    done = prepare([labelled], tmp_path / "set", options, typed=typed)
    made = [row for row in done.rows("train") if "meta" in row]
    assert len(made) == done.manifest["augmented"]["minority:threat"] == 40
    assert made[0]["labels"] == {"toxicity": 1.0, "threat": 1.0}
    assert made[0]["meta"].items() > {"augmented": "minority:threat", "of": "civil"}.items()
    assert not [row for split in ("dev", "test") for row in done.rows(split) if row["corpus"] == "civil"]
    assert done.manifest["plan"]["splits"]["train"]["there"]["threat"] > 40


def test_no_sentence_of_a_held_out_comment_is_added_to_train(tmp_path: Path) -> None:
    comments = [
        (
            str(n),
            f"<b>The {NAMES[n % 10]} road</b> is closed {n * 7907}.  I will hurt you {n * 104_729} now.",
        )
        for n in range(60)
    ]
    spans = [(n, "Threat", text.index("I will"), len(text)) for n, text in comments]
    typed = (
        table(tmp_path / "c.csv", comments, "comment_id", "text"),
        table(tmp_path / "a.csv", [(n, n) for n, _ in comments], "annotation", "comment_id"),
        table(tmp_path / "s.csv", spans, "annotation", "type", "start", "end"),
    )
    source = from_path(
        table(tmp_path / "rows.csv", [(text, 1) for _, text in comments], "t", "y"),
        ["text=t", "label:threat=y"],
    )
    shares = {"train": 0.5, "dev": 0.25, "test": 0.25}
    options = Options(shares=shares, near=None, augment=(Augmentation("minority:threat", 1.0),))
    done = prepare([source], tmp_path / "set", options, typed=typed)
    train = list(done.rows("train"))
    held = [row["text"] for split in ("dev", "test") for row in done.rows(split)]
    made = [row["text"] for row in train if "meta" in row]
    assert len(made) == len(train) / 2 > 10
    assert not [text for text in made if any(text in other for other in held)]
    assert done.manifest["drops"] == {"augmented_into_test": len(held)}


def test_texts_labelled_otherwise_and_in_other_corpora(tmp_path: Path) -> None:
    mapping = ["text=t", "label:toxicity=y"]
    rows = [("One thing", 0), ("one  thing!", 1), ("One thing.", 0), ("other thing altogether", 1)]
    one = from_path(table(tmp_path / "one.csv", rows, "t", "y"), mapping)
    two = from_path(table(tmp_path / "two.csv", [("one thing", 1)], "t", "y"), mapping)
    done = prepare([one, two], tmp_path / "set", Options(shares={"train": 1.0, "dev": 0.0, "test": 0.0}))
    assert done.manifest["drops"] == {"duplicate_with_other_labels": 1, "duplicate": 1}
    assert [row["id"] for row in done.rows("train")] == ["one-1", "one-4", "two-1"]


def test_all_rows_that_cannot_be_used_are_told_and_nothing_is_written(tmp_path: Path) -> None:
    path = table(tmp_path / "rows.csv", [("a b", "1"), ("c d", "maybe"), ("e f", "7")], "t", "y")
    source = from_path(path, ["text=t", "label:toxicity=y"])
    with pytest.raises(InputError) as said:
        prepare([source], tmp_path / "set")
    assert "rows.csv:3" in str(said.value)
    assert "'maybe', no number from 0 to 1" in str(said.value)
    assert "rows.csv:4" in str(said.value)
    assert "--skip-faults" in str(said.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]
    done = prepare([source], tmp_path / "set", Options(skip_faults=True))
    assert done.manifest["drops"] == {"unreadable": 2}


def test_options_that_do_not_go_together_are_told_at_once(pairs: Source, tmp_path: Path) -> None:
    options = Options(
        shares={"train": 0.5, "dev": 0.1, "test": 0.1},
        plan=Plan.of("made", {"train": {"threat": 1}}),
        augment=(Augmentation("minority:threat", 1.0),),
    )
    with pytest.raises(ConfigError) as said:
        prepare([pairs], tmp_path / "set", options)
    assert "add up to 1" in str(said.value)
    assert "plan made counts labels, and these are pairs" in str(said.value)
    assert "minority:threat adds labelled rows" in str(said.value)


def test_nothing_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    source = from_path(table(tmp_path / "rows.csv", [("", "x")], "a", "b"), ["source=a", "target=b"])
    with pytest.raises(InputError, match=r"nothing to train on is left of 1 rows \(1 empty\)"):
        prepare([source], tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_limit_and_longest_are_kept_to(tmp_path: Path) -> None:
    rows = [(f"{NAMES[number]} " * (number + 1), f"{number} of them") for number in range(10)]
    source = from_path(table(tmp_path / "rows.csv", rows, "a", "b"), ["source=a", "target=b"])
    only_train = {"train": 1.0, "dev": 0.0, "test": 0.0}
    done = prepare([source], tmp_path / "set", Options(shares=only_train, limit=8, longest=5))
    assert done.manifest["read"] == 8
    assert done.manifest["drops"] == {"too_long": 3}
    assert [len(row["source"].split()) for row in done.rows("train")] == [1, 2, 3, 4, 5]


def test_instruction_files_stand_in_the_manifest(pairs: Source, tmp_path: Path) -> None:
    done = prepare([pairs], tmp_path / "set", Options(instruct=True))
    assert "train.instruct.json" in done.manifest["files"]
    rows = json.loads((done.folder / "train.instruct.json").read_text("utf-8"))
    assert [row["output"] for row in rows] == [row["target"] for row in done.rows("train")]
    (done.folder / "train.instruct.json").write_text("[]")
    with pytest.raises(InputError, match=r"train\.instruct\.json is not the file that the manifest knows"):
        Prepared.load(done.folder)


def test_dropped_rows_can_be_looked_at(pairs: Source, tmp_path: Path) -> None:
    done = prepare([pairs], tmp_path / "set", Options(keep_dropped=True))
    rows = [json.loads(line) for line in (done.folder / "dropped.jsonl").read_text("utf-8").splitlines()]
    assert {row["reason"] for row in rows} == set(done.manifest["drops"])
    (unchanged,) = [row for row in rows if row["reason"] == "unchanged"]
    assert (unchanged["source"], unchanged["target"]) == ("so dumb", "So dumb!")
    assert "dropped.jsonl" in done.manifest["files"]


def test_progress_is_told_step_by_step(pairs: Source, tmp_path: Path) -> None:
    told: dict[str, tuple[int, int | None]] = {}
    done = prepare([pairs], tmp_path / "set", progress=lambda step, *rows: told.update({step: rows}))
    kept = sum(done.manifest["rows"].values())
    assert list(told.items()) == [
        ("reading and cleaning", (455, None)),
        ("finding near-duplicates", (302, 302)),
        ("writing", (kept, kept)),
    ]
