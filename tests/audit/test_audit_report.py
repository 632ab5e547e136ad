"""The report: figures of its period, the proof, and a signature that shows every change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from audit_events import ENCRYPTED, decision, verdict

from unbarb.audit import Event
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.report import check_report, write_report
from unbarb.audit.report.figures import Figures
from unbarb.charts import bars, columns
from unbarb.errors import InputError
from unbarb.policy import Policy


class Text(HTMLParser):
    """The text of a page, and the tags that were opened and not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("meta", "rect"):
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


@pytest.fixture
def log(tmp_path: Path) -> Iterator[AuditLog]:
    with AuditLog.open(str(tmp_path / "audit.db")) as log:
        clean = verdict(
            "a fine day", action="allow", text="a fine day", findings=(), edits=(), step="none", rule="none"
        )
        log.append([decision(n, rules=ENCRYPTED) for n in range(3)])
        log.append([Event.of_verdict(clean, surface="chat", request=f"c{n}") for n in range(5)])
        log.append(
            [
                Event.failure("<script>alert(1)</script>", surface="chat", request="f"),
                Event.policy_change(Policy.load("strict"), before="sha256:00"),
            ]
        )
        log.checkpoint()
        yield log


def figures(folder: Path) -> dict[str, dict[str, object]]:
    read: dict[str, dict[str, object]] = json.loads((folder / "report.json").read_text())
    return read


def test_it_counts_what_is_on_record(log: AuditLog, tmp_path: Path) -> None:
    page = write_report(log, tmp_path / "report")
    counted = figures(page.parent)["figures"]
    assert counted["kinds"] == {"decision": 8, "failure": 1, "policy": 1}
    assert counted["actions"] == {"rewrite": 3, "allow": 5}
    assert counted["steps"] == {"edit": 3, "none": 5}
    assert counted["labels"] == {"insult": 3}
    assert counted["rules"] == {"labels.insult": 3, "none": 5}
    assert counted["surfaces"] == {"native": 3, "chat": 6, "policies": 1}
    assert counted["with_text"] == 3
    assert [model["count"] for model in counted["models"]] == [8]  # type: ignore[attr-defined]
    proof = figures(page.parent)["proof"]
    assert (proof["intact"], proof["records"], proof["checkpoints"]) == (True, 10, 1)


def test_the_page_says_it_and_needs_nothing_beside_it(log: AuditLog, tmp_path: Path) -> None:
    html = write_report(log, tmp_path / "report").read_text()
    page = Text()
    page.feed(html)
    assert page.open == []
    for said in ("The record is intact", "rewritten", "let through", "5 (62.5%)", "strict", "insult"):
        assert said in page.text
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
    for loaded in ("src=", "href=", "url(", "@import"):
        assert loaded not in html
    assert html.count("<svg") >= 5


def test_it_is_of_the_days_asked_for(tmp_path: Path) -> None:
    with AuditLog.open(str(tmp_path / "audit.db")) as log:
        for day in (1, 2, 3):
            time = datetime(2026, 5, day, 23, 59, 59, 999_999, UTC)
            log.append([Event(kind="failure", surface="chat", request="r", error="Late", time=time)])
        page = write_report(log, tmp_path / "report", date(2026, 5, 2), date(2026, 5, 2))
        counted = figures(page.parent)["figures"]
        assert counted["failed_periods"] == {"2026-05-02": 1}
        page = write_report(log, tmp_path / "report", date(2026, 1, 1), date(2026, 12, 31))
        assert figures(page.parent)["figures"]["failed_periods"] == {"2026-05": 3}


def test_tampering_stands_in_the_report(log: AuditLog, tmp_path: Path) -> None:
    with log.database.writing() as connection:
        connection.exec_driver_sql("UPDATE audit_records SET scores = 'x', spans = 'y' WHERE sequence = 2")
    html = write_report(log, tmp_path / "report").read_text()
    assert "tampered with: 1 findings" in html
    assert "record 2: scores, spans changed" in html
    assert "1 records cannot be read" in html


@pytest.mark.parametrize("name", ["report.html", "report.json", "report.sig.json"])
def test_a_changed_report_does_not_pass(log: AuditLog, tmp_path: Path, name: str) -> None:
    folder = write_report(log, tmp_path / "report").parent
    keys = log.keys.public()
    assert check_report(folder, keys).wrong == ()
    assert check_report(folder, Keyring.create(tmp_path / "other")).wrong != ()
    path = folder / name
    changed = (
        path.read_text().replace("2026", "2025") if name.endswith("sig.json") else path.read_text() + " "
    )
    path.write_text(changed.replace('"made": "20', '"made": "19'))
    assert any(name in wrong for wrong in check_report(folder, keys).wrong)
    path.unlink()
    if name == "report.sig.json":
        with pytest.raises(InputError, match="no signature"):
            check_report(folder, keys)
    else:
        assert check_report(folder, keys).wrong == (f"{name} is missing",)


def test_charts_show_nothing_when_there_is_nothing() -> None:
    assert bars({}, "x") == columns([], {}, {}, "x") == "<p>None.</p>"


def test_a_quiet_day_has_its_place() -> None:
    figures = Figures(periods=Counter({"2026-02-27": 4}), failed_periods=Counter({"2026-03-02": 1}))
    assert figures.every_period == ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]
    figures = Figures(by_month=True, periods=Counter({"2025-11": 1, "2026-01": 1}))
    assert figures.every_period == ["2025-11", "2025-12", "2026-01"]


def test_bars_are_as_long_as_their_counts() -> None:
    drawn = bars({"a": 100, "b": 50}, "x")
    assert 'width="380"' in drawn
    assert 'width="190"' in drawn
