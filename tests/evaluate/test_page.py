"""The page: well formed, self-contained, hostile texts harmless, readable in the dark."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

pytest.importorskip("matplotlib")

from unbarb.evaluate.browser import browser
from unbarb.evaluate.page import NOT_MEASURED, page
from unbarb.evaluate.plots import for_table
from unbarb.evaluate.results import Curve, Example, Matrix, Point, Report, Row, Spread, Table
from unbarb.metrics.measured import Measured

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'&amp;</td></table>{{x}}$\\frac_ 中文"
VOID = {"meta", "img", "input", "br", "hr", "use", "path"}


class Structure(HTMLParser):
    """Notes tags, attributes and whether every element is closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.misplaced: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID or "svg" in self.open:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)


def hostile() -> Report:
    """Every place that a text or a name can reach, filled with an attack."""
    figure = Measured(HOSTILE, 0.5, 10, 2, 0.4, 0.6)
    row = Row(HOSTILE, {"joint": figure, HOSTILE: figure}, HOSTILE)
    example = Example(HOSTILE, HOSTILE, HOSTILE, HOSTILE, {"joint": 0.5, HOSTILE: 0.1})
    curves = tuple(
        Curve(kind, HOSTILE, (0.1, 1.0), (0.2, 0.9)) for kind in ("roc", "calibration", "loss", "eval_loss")
    )
    tables = tuple(
        Table(
            suite, HOSTILE, HOSTILE, HOSTILE, (row,), curves, (example,),
            (Matrix(HOSTILE, HOSTILE, (HOSTILE, "b"), ((3, 1), (0, 2))),),
            (Spread(HOSTILE, HOSTILE, 0, 1, (1, 2, 3)),), (Point(HOSTILE, HOSTILE, 0.2, 0.3),),
        )
        for suite in ("comparison", "classifiers", "runs", "agreement", HOSTILE)
    )  # fmt: skip
    return Report(
        tables, 13, HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE},
        {"digest": HOSTILE, "quality": {HOSTILE: figure}, "parts": {HOSTILE: HOSTILE}},
        {HOSTILE: HOSTILE}, title=HOSTILE, agreement=HOSTILE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def attacked() -> str:
    return page(hostile())


def test_no_text_becomes_markup(attacked):
    seen = Structure(attacked)
    assert seen.tags.count("script") == 1
    assert "img" not in seen.tags
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert "<script>alert" not in attacked
    assert attacked.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 20


def test_the_page_is_well_formed_even_so(attacked):
    seen = Structure(attacked)
    assert seen.misplaced == []
    assert seen.open == []


def test_nothing_is_fetched(attacked):
    links = [
        value
        for name, value in Structure(attacked).attributes
        if name in {"src", "href", "xlink:href"} and value
    ]
    assert [link for link in links if not link.startswith("#")] == []
    style = attacked[attacked.index("<style>") : attacked.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_plots_for_every_kind_of_table():
    counts = {table.suite: len(for_table(table)) for table in hostile().tables}
    assert counts == {"comparison": 2, "classifiers": 3, "runs": 1, "agreement": 1, HOSTILE: 0}


def test_worst_examples_come_first_and_those_without_a_number_last():
    examples = [
        Example("a", "middling", "x", "r", {"joint": 0.5}),
        Example("b", "silent", None, "r", {}),
        Example("a", "worst", "x", "r", {"joint": 0.1}),
    ]
    html = browser(examples)
    assert html.index("worst<") < html.index("middling") < html.index("silent")
    assert "<option>a</option><option>b</option>" in html
    assert "nothing may leave" in html
    wrong = [Example("a", "near", "x", "r", {"wrong": 0.1}), Example("a", "far", "x", "r", {"wrong": 0.9})]
    assert browser(wrong).index("far") < browser(wrong).index("near")


def test_the_footer_says_what_was_measured_or_that_nothing_was():
    assert "not measured here" in NOT_MEASURED
    assert f"<footer>{NOT_MEASURED}</footer>" in page(Report((), 13, "test"))
    assert "<footer>Pearson .9</footer>" in page(Report((), 13, "test", agreement="Pearson .9"))
