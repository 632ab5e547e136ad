"""A report on disk: valid JSON without NaN, a page that needs nothing beside it and hides nothing."""

from __future__ import annotations

import json
import math
import re

import pytest

from unbarb.evaluate.page import number
from unbarb.evaluate.report import as_json, write_report
from unbarb.evaluate.results import Curve, Example, Report, Row, Table, digest_of
from unbarb.metrics.measured import Measured

FIGURE = Measured("roc_auc/1", 0.9712, 812, 3, 0.951, 0.985, seed=13)
DETECTION = Table(
    "detection",
    "talk <b>pages</b>",
    "How well.",
    digest_of(["a"]),
    (
        Row("unbarb", {"roc_auc": FIGURE, "odd": Measured("x/1", math.nan, 1)}, "sha256:1"),
        Row("always clean", {"roc_auc": Measured("roc_auc/1", None, 0, 815)}),
    ),
    curves=(
        Curve("roc", "unbarb", (0, 0.01, 1), (0, 0.8, 1)),
        Curve("calibration", "unbarb", (0.1,), (0.2,)),
    ),
)
REWRITING = Table(
    "rewriting",
    "pairs",
    "Judged.",
    digest_of(["b"]),
    (Row("copy", {"joint": Measured("joint/1", 0.2, 10, low=0.1, high=0.3)}),),
    examples=(
        Example("mine", "you <script>", "you there", "hello", {"toxicity": 0.01}),
        Example("mine", "worse", None, "fine", {}),
    ),
)
REPORT = Report((DETECTION, REWRITING), 13, "test", {"embedded": "sha256:2"}, {"name": "default"})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_report(REPORT, tmp_path_factory.mktemp("out") / "new" / "folder")


def test_json_names_metric_n_interval_seed_digests_and_policy(files):
    read = json.loads(files[0].read_text(encoding="utf-8"))
    figure = read["tables"][0]["rows"][0]["figures"]["roc_auc"]
    assert figure == {
        "metric": "roc_auc/1",
        "value": 0.9712,
        "n": 812,
        "unscored": 3,
        "low": 0.951,
        "high": 0.985,
        "level": 0.95,
        "seed": 13,
    }
    assert read["tables"][0]["data"].startswith("sha256:")
    assert (read["models"], read["policy"]["name"]) == ({"embedded": "sha256:2"}, "default")
    assert (read["schema"], read["seed"], read["split"]) == (1, 13, "test")


def test_no_number_is_null_and_not_zero():
    odd = json.loads(as_json(REPORT))["tables"][0]["rows"][0]["figures"]["odd"]
    assert odd["value"] is None


def test_the_page_stands_alone_and_escapes(files):
    html = files[1].read_text(encoding="utf-8")
    assert html.count("<script>") == 1, "the page's own"
    assert "you &lt;script&gt;" in html
    assert "talk &lt;b&gt;pages" in html
    assert html.count("<svg") == 3
    outside = set(re.findall(r'(?:src|href)="(?!#)([^"]+)"', html))
    assert outside == set()


def test_the_page_says_what_is_not_known(files):
    html = files[1].read_text(encoding="utf-8")
    assert ">.971<small>.951 … .985 · n 812 · 3 unscored<" in html
    assert "unscored</span><small>n 0 · 815 unscored<" in html
    assert "nothing may leave" in html


def test_same_report_same_bytes(files, tmp_path):
    again = write_report(REPORT, tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


@pytest.mark.parametrize(
    ("value", "shown"), [(0.9712, ".971"), (1.0, "1.000"), (-0.05, "−.050"), (54.02, "54.0"), (0.0, ".000")]
)
def test_numbers_read_as_in_a_paper(value, shown):
    assert number(Measured("x/1", value, 1)) == shown
