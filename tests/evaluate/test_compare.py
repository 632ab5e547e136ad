"""Any systems side by side: files, runs and policies, aligned by id, with baselines, chance and costs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("scipy")
pytest.importorskip("rouge_score")

from tiny_judges import NEUTRAL, THINGS, TOXIC

from unbarb.data.prepared import write_prepared
from unbarb.errors import InputError, ModelError
from unbarb.evaluate.compare.contenders import contender
from unbarb.evaluate.compare.groups import groups_in
from unbarb.evaluate.compare.items import load_items
from unbarb.evaluate.compare.rewriters import BASELINES, delete_listed
from unbarb.evaluate.compare.run import Comparison, compare
from unbarb.evaluate.page import page
from unbarb.evaluate.report import as_json, read_report, write_report
from unbarb.evaluate.results import Report


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def outputs(texts: tuple[str | None, ...]) -> list[dict[str, object]]:
    return [{"id": f"p{at}", "output": text} for at, text in enumerate(texts)]


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("compare")
    pairs = [
        {"id": f"p{at}", "source": TOXIC[at], "target": NEUTRAL[at], "corpus": "made up"}
        for at in range(len(THINGS))
    ]
    more = [{**pairs[0], "id": "p0b", "target": "the car has a fault"}]
    write_prepared(home / "set", "pairs", {"dev": pairs + more})
    write(home / "good.jsonl", outputs(NEUTRAL))
    write(home / "half.jsonl", outputs((None, *TOXIC[1:])))
    write(
        home / "runs" / "lora" / "predictions-dev.jsonl",
        outputs(tuple(f"this {thing} is bad" for thing in THINGS)),
    )
    (home / "runs" / "lora" / "model").mkdir()
    (home / "runs" / "lora" / "model" / "adapter.bin").write_bytes(b"0" * 2_000_000)
    facts = {"parameters": {"trainable": 1_000, "total": 100_000}, "peak_memory_mb": 512.0, "seconds": 12.5,
             "digests": {"data": "sha256:1"}}  # fmt: skip
    (home / "runs" / "lora" / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    write(
        home / "runs" / "lora" / "metrics.jsonl",
        [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0, "eval_loss": 2.5}],
    )
    return home


@pytest.fixture(scope="module")
def report(home, judges_folder) -> Report:
    systems = [f"good={home / 'good.jsonl'}", str(home / "half.jsonl"), str(home / "runs" / "lora")]
    return compare(Comparison(systems, home / "set", judges=judges_folder))


def figures(report: Report, table: int, system: str) -> dict[str, object]:
    return next(row.figures for row in report.tables[table].rows if row.system == system)


def test_a_source_with_two_references_is_one_text_under_both_ids(home, tmp_path):
    items = load_items(home / "set", "dev")
    assert len(items.texts) == len(THINGS)
    assert items.ids[0] == ("p0", "p0b")
    under_the_other = write(tmp_path / "b.jsonl", [{"id": "p0b", "output": "the car is slow"}])
    assert contender(str(under_the_other), items).outputs[:2] == ("the car is slow", None)


def test_a_run_means_the_dev_side_and_baselines_always_stand_beside(report):
    assert report.split == "dev"
    assert [row.system for row in report.tables[0].rows] == [*BASELINES, "good", "half", "lora"]
    assert figures(report, 0, "copy")["unchanged"].value == 1.0
    assert figures(report, 0, "copy")["edit rate"].value == 0.0
    assert figures(report, 0, "human reference")["chrf"].value == pytest.approx(100)
    assert figures(report, 0, "good")["joint"] == figures(report, 0, "human reference")["joint"]


def test_every_figure_of_the_field_is_there_and_unscored_is_counted(report):
    half = figures(report, 0, "half")
    for name in ("J 2022", "J 2024", "J 2025", "calibrated", "bleu", "rougeL", "toxicity", "acceptable"):
        assert (half[name].n, half[name].unscored) == (len(THINGS) - 1, 1), name
    assert "perplexity" not in half
    assert "unavailable" in report.judges["parts"]["perplexity"]
    assert report.agreement == ""


def test_differences_are_paired_and_corrected(report):
    chance = report.tables[1]
    assert chance.suite == "significance"
    same = figures(report, 1, "good − human reference")
    assert (same["joint"].value, same["p (joint)"].value) == (0.0, 1.0)
    clear = figures(report, 1, "good − copy")
    assert clear["joint"].low > 0
    assert clear["p (joint)"].value < 0.05
    assert not any(row.system == "human reference − copy" for row in chance.rows)


def test_runs_have_costs_and_loss_curves_beside_their_quality(report):
    table = next(table for table in report.tables if table.suite == "runs")
    (row,) = table.rows
    spent = {name: figure.value for name, figure in row.figures.items() if figure.metric == "run.json/1"}
    assert spent == {
        "trained parameters": 1000.0, "all parameters": 100_000.0, "trained share": 0.01,
        "peak memory, MB": 512.0, "seconds": 12.5, "saved, MB": 2.0,
    }  # fmt: skip
    assert row.figures["joint"] == figures(report, 0, "lora")["joint"]
    assert [(curve.kind, curve.y) for curve in table.curves] == [
        ("loss", (3.0, 2.0)),
        ("eval_loss", (2.5,)),
    ]


def test_a_report_is_rebuilt_from_its_json(report, tmp_path):
    data, html = write_report(report, tmp_path)
    again = read_report(tmp_path)
    assert as_json(again) == data.read_text(encoding="utf-8")
    assert page(again) == html.read_text(encoding="utf-8")
    (tmp_path / "report.json").write_text('{"schema": 1, "tables": [{}]}', encoding="utf-8")
    with pytest.raises(InputError, match="not a report of unbarb"):
        read_report(tmp_path)
    with pytest.raises(InputError, match="no report at"):
        read_report(tmp_path / "nowhere")


def test_classifiers_are_compared_label_by_label(tmp_path):
    texts = [f"text {at} about {'women' if at % 2 else 'trains'}" for at in range(40)]
    truth = [
        {"toxicity": float(at % 4 == 0), "insult": 0.5 if at == 3 else float(at % 8 == 0)}
        for at in range(40)
    ]
    data = write(
        tmp_path / "set.jsonl",
        [{"id": at, "text": text, "labels": truth[at]} for at, text in enumerate(texts)],
    )
    perfect = [
        {"id": at, "scores": {name: 0.9 * vote for name, vote in truth[at].items()}} for at in range(40)
    ]
    rash = [{"id": at, "scores": {"toxicity": 0.8 if at % 2 else 0.1, "insult": 0.2}} for at in range(39)]
    report = compare(
        Comparison(
            [str(write(tmp_path / "perfect.jsonl", perfect)), str(write(tmp_path / "rash.jsonl", rash))],
            data,
        )
    )
    names = [(table.suite, table.name) for table in report.tables]
    assert names == [
        ("classifiers", "all labels"),
        ("classifiers", "toxicity"),
        ("classifiers", "insult"),
        ("significance", "all labels"),
        ("identity", "toxicity"),
    ]
    everything = figures(report, 0, "perfect")
    assert (everything["macro F1"].value, everything["Hamming loss"].value, everything["exact"].value) == (
        1,
        0,
        1,
    )
    assert everything["macro F1"].unscored == 1, "the text whose insult is even"
    assert figures(report, 0, "always clean")["macro F1"].value == 0.0
    matrix = {one.system: one.counts for one in report.tables[1].matrices}
    assert matrix["perfect"] == ((30, 0), (0, 10))
    assert sum(map(sum, matrix["rash"])) == 39
    difference = figures(report, 3, "perfect − rash")["macro ROC-AUC"]
    assert difference.value > 0.4
    assert difference.low > 0
    assert (difference.n, difference.unscored) == (38, 2)
    groups = figures(report, 4, "rash")
    assert groups["female"].value == 1.0
    assert figures(report, 4, "perfect")["widest gap"].value == 0.0
    worst = report.tables[0].examples[0]
    assert worst.system == "perfect" or worst.scores["wrong"] > 0


def test_groups_are_whole_words_in_any_case():
    assert groups_in("Some WOMEN said so") == {"female"}
    assert groups_in("the womenfolk") == frozenset()


def test_deleting_listed_words_leaves_ambiguous_ones():
    assert delete_listed()(["what an idiot he is"]) == ["what an he is"]


def test_a_policy_is_a_system(home, tiny_guard, monkeypatch):
    monkeypatch.setattr("unbarb.guard.Guard", lambda **options: tiny_guard)
    items = load_items(home / "set", "dev")
    found = contender("mine=default", items)
    assert found.name == "mine"
    assert found.digest == tiny_guard.policy.digest
    assert [verdict.text for verdict in tiny_guard.batch(items.texts)] == list(found.outputs)


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ([{"output": "x"}], "line 1: no id"),
        ([{"id": "p0", "text": "x"}], "no output, a text; it has id, text"),
        ([{"id": "other", "output": "x"}], "none of its 1 ids is among the 10.*another --split"),
    ],
)
def test_predictions_that_cannot_be_used_are_told(home, tmp_path, rows, wrong):
    path = write(tmp_path / "p.jsonl", rows)
    with pytest.raises(InputError, match=wrong):
        contender(str(path), load_items(home / "set", "dev"))


def test_wrong_use_is_told(home, tmp_path, judges_folder):
    good = str(home / "good.jsonl")
    with pytest.raises(InputError, match="two systems are called good"):
        compare(Comparison([good, good], home / "set", "dev", judges=judges_folder))
    with pytest.raises(ModelError, match="no judges"):
        compare(Comparison([good], home / "set", "dev", judges=tmp_path))
    with pytest.raises(InputError, match="no rows in test"):
        compare(Comparison([good], home / "set", judges=judges_folder))
    with pytest.raises(InputError, match="no policy that loads"):
        contender("nonsense", load_items(home / "set", "dev"))
    with pytest.raises(InputError, match=r"without run\.json"):
        contender(str(home / "set"), load_items(home / "set", "dev"))
    with pytest.raises(InputError, match="no file or prepared set"):
        load_items(tmp_path / "none", "dev")
    with pytest.raises(InputError, match="row 1 has no source"):
        load_items(write(tmp_path / "x.jsonl", [{"a": 1}]), "dev")
