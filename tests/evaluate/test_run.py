"""All suites over small corpora: what they take, what they leave out, and the report they make."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from unbarb.cli import evaluate as command
from unbarb.data.corpora import Corpora
from unbarb.data.split import place
from unbarb.errors import ConfigError, InputError
from unbarb.evaluate.lists import Lists, lines, rows
from unbarb.evaluate.material import Material
from unbarb.evaluate.report import as_json
from unbarb.evaluate.run import SUITES, Bench, run
from unbarb.evaluate.subjects import AlwaysClean, Bare
from unbarb.evaluate.systems import Systems
from unbarb.text import LABELS, Analysis, Word

N = 400


class Shouting:
    """Finds capitals; its gate settles what has none without looking at the words."""

    name, digest, labels = "shouting", "sha256:0", frozenset(LABELS)

    def __init__(self, gate: bool = True) -> None:
        self._gate = gate

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        found = []
        for text in texts:
            score = 0.9 if text.isupper() else 0.1
            words = () if self._gate and score < 0.5 else (Word(0, len(text), score),)
            found.append(Analysis(text, dict.fromkeys(LABELS, score), words=words))
        return found


def write(
    path: Path, header: Sequence[str], table: Sequence[Sequence[object]], delimiter: str = ","
) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *table])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("corpora")
    texts = [(f"YOU NUMBER {i} FOOL", 1) if i % 4 == 0 else (f"good day number {i}", 0) for i in range(N)]
    six = ["text", "toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"]
    write(home / "jigsaw_train.csv", six, [(t, *[v] * 6) for t, v in texts])
    write(
        home / "wiki_natural.csv",
        ["text", "toxic"],
        [(t, 0.5 if i == 0 else v) for i, (t, v) in enumerate(texts)],
    )
    write(home / "toxic_spans_train.csv", ["spans", "text"], [("[0, 1, 2]", t) for t, v in texts if v])
    write(
        home / "paradetox.tsv",
        ["toxic", "neutral1"],
        [(f"damn day {i}", f"day {i}") for i in range(N)],
        "\t",
    )
    write(home / "profanity_en.csv", ["text", "severity_rating"], [("damn", 1)])
    (home / "ldnoobw_en.txt").write_text("darn\n", encoding="utf-8")
    (home / "obfuscated.txt").write_text("# made up\nY0U FOOL\n\nyou f-o-o-l\n", encoding="utf-8")
    (home / "lookalikes.txt").write_text("fool's gold\n", encoding="utf-8")
    pair = {"source": "no, you may not", "candidate": "you may", "kind": "negation"}
    (home / "contrasts.jsonl").write_text(json.dumps(pair) + "\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def bench(folder) -> Bench:
    systems = Systems(
        subjects=(Bare(Shouting()), AlwaysClean()),
        gated=(Shouting(), Shouting(gate=False)),
        models={"shouting": "sha256:0"},
        policy={"name": "made up", "digest": "sha256:1"},
    )
    lists = Lists.of_package().replaced(folder)
    return Bench(systems, Material(Corpora(folder)), lists, home=folder / "judges")


def test_only_the_held_out_side_is_measured(bench):
    material = bench.material
    for side in ("dev", "test"):
        sentences = Material(material.corpora, side=side).pairs()
        assert 5 < len(sentences) < 60
        assert {place(pair.group, 13) for pair in sentences} == {side}


def test_even_votes_are_no_label(folder):
    corpora = Corpora(folder)
    texts = {side: Material(corpora, side=side).detection()[1] for side in ("dev", "test")}
    assert all(found.name == "wiki_natural" for found in texts.values())
    held = {
        t: v for found in texts.values() for t, v in zip(found.texts, found.labels["toxicity"], strict=True)
    }
    assert set(held.values()) <= {0.0, 1.0, None}
    assert held.get("YOU NUMBER 0 FOOL") is None


def test_a_limit_takes_the_same_texts_again(folder):
    few = [Material(Corpora(folder), limit=5).labels().texts for _ in range(2)]
    assert few[0] == few[1]
    assert len(few[0]) == 5


def test_detectors_are_measured_beside_always_clean(bench):
    report = run(bench, ["detection", "labels", "spans", "behaviours", "obfuscation", "gate"])
    tables = {(table.suite, table.name): table for table in report.tables}
    found, blind = tables["detection", "jigsaw"].rows
    assert found.figures["roc_auc"].value == 1.0
    assert blind.figures["roc_auc"].value == 0.5
    assert tables["labels", "jigsaw"].rows[0].figures["mean"].value == 1.0
    assert tables["spans", "toxic_spans"].rows[1].figures["span_f1"].value == 0.0
    assert tables["obfuscation", "own lists"].rows[0].figures["insults found"].value == 0.5
    everything = tables["gate", "detection texts"].rows[0].figures
    assert everything["lost recall"].value == 0.0
    assert 0.5 < everything["settled"].value < 1.0
    assert len(tables["behaviours", "test patterns"].columns) > 5
    assert report.policy["name"] == "made up"
    assert json.loads(as_json(report))["versions"]["unbarb"]


def test_verify_needs_its_system(bench):
    assert bench.systems.accepts is None
    assert run(bench, ["verify"]).tables == ()


class Clean:
    """Judges that find nothing toxic."""

    digest, quality = "sha256:2", ()

    def toxicity(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros(len(texts))


def test_without_lists_of_ones_own_the_package_has_them(bench):
    systems = replace(bench.systems, accepts=lambda sources, candidates: [False] * len(sources))
    own = Bench(systems, bench.material, Lists.of_package(), bench.home, trained=Clean())
    disguised, checked = run(own, ["obfuscation", "verify"]).tables
    assert disguised.name == "lists of the package, held"
    assert disguised.rows[0].figures["insults found"].n >= 300
    assert disguised.rows[0].figures["look-alikes flagged"].n >= 700
    assert checked.name == "contrast pairs (lists of the package, held) and references"
    assert checked.rows[0].figures["contrasts rejected"].n >= 150


def test_wrong_names_say_what_there_is(bench, folder):
    with pytest.raises(ConfigError, match="no suite named 'detect'; there are detection"):
        run(bench, ["detect"])
    with pytest.raises(ConfigError, match="dev, test"):
        Material(Corpora(folder), side="train")
    with pytest.raises(InputError, match=r"contrasts\.jsonl, line 1: give an object"):
        rows(folder / "contrasts.jsonl", "source", "why")
    with pytest.raises(InputError, match="not JSON"):
        rows(folder / "obfuscated.txt", "source")


def test_lists_leave_comments_out(folder):
    assert lines(folder / "obfuscated.txt") == ["Y0U FOOL", "you f-o-o-l"]
    assert rows(folder / "contrasts.jsonl", "kind", "source") == [("negation", "no, you may not")]


def test_the_command_offers_the_suites_there_are():
    assert tuple(SUITES) == command.SUITES
