"""``unbarb audit``: what it prints, and its exit codes."""

from __future__ import annotations

import csv
import json
import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest
import typer
from audit_events import mixed
from typer.testing import CliRunner, Result

from unbarb.audit import Event
from unbarb.audit.log import AuditLog
from unbarb.cli import audit
from unbarb.errors import UnbarbError

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "audit.db"
    with AuditLog.open(str(path)) as log:
        log.append(mixed(30))
    return path


def run(*arguments: object, code: int = 0, stdin: str | None = None) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    audit.register(app)
    done = CliRunner().invoke(app, ["audit", *map(str, arguments)], input=stdin)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def change(db: Path, statement: str) -> None:
    connection = sqlite3.connect(db)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_verify_says_that_a_record_is_intact(db: Path) -> None:
    assert "intact; 30 records (1 to 30), signed up to record 30" in run("verify", "--log", db).output
    assert json.loads(run("verify", "--log", db, "--json").output)["intact"] is True


def test_verify_names_what_was_changed_and_exits_with_1(db: Path) -> None:
    change(db, "UPDATE audit_records SET action = 'allow' WHERE sequence = 7")
    told = run("verify", "--log", db, code=1).output
    assert told.splitlines()[0] == "edited: record 7: action changed"
    found = json.loads(run("verify", "--log", f"sqlite:///{db}", "--json", code=1).output)
    assert found["tamperings"] == [
        {"kind": "edited", "told": "record 7: action changed", "first": 7, "last": 7, "fields": ["action"]}
    ]


def test_a_copy_put_back_shows_against_a_published_checkpoint(db: Path, tmp_path: Path) -> None:
    """The old state is honest in itself: only what was kept elsewhere can tell."""
    old = {path: path.read_bytes() for path in tmp_path.glob("audit.db*")}
    kept, public = tmp_path / "elsewhere.jsonl", tmp_path / "public"
    public.write_text(run("keys", "public", f"{db}.keys").output)
    with AuditLog.open(str(db)) as log:
        log.append(mixed(5))
    line = run("checkpoint", "--log", db, "-o", kept).output
    assert kept.read_text() == line
    run("verify", "--log", db, "--checkpoints", kept, "--trust", public)
    run("verify", "--log", db, "--checkpoints", kept, "--keys", public)
    for path in tmp_path.glob("audit.db*"):
        path.unlink()
    for path, content in old.items():
        path.write_bytes(content)
        path.chmod(0o600)
    run("verify", "--log", db)
    told = run("verify", "--log", db, "--checkpoints", kept, code=1).output
    assert "cut tail: records 31…35: the end of the log was cut off" in told


def test_show_gives_the_newest_or_those_asked_for(db: Path) -> None:
    lines = run("show", "--log", db, "--limit", 2).output.splitlines()
    assert [line.split()[0] for line in lines] == ["29", "30"]
    shown = run("show", "--log", db, "--kind", "failure", "--json").output.splitlines()
    assert [json.loads(line)["error"] for line in shown] == ["DetectorFailed"] * 3
    text = run(
        "show", "--log", db, "--original", "-", "--texts", stdin="you are an idiot, number 12\n"
    ).output
    assert '["you are an idiot, number 12", "you are wrong"]' in text
    run("show", "--log", db, "--request", "nobody's", code=1)
    run("show", "--log", db, "--from", "2020-01-01", "--to", "2020-12-31", code=1)


def test_an_id_cannot_play_with_the_terminal(db: Path) -> None:
    with AuditLog.open(str(db)) as log:
        log.append([Event.failure("Late", surface="chat", request="\x1b[2Jgone\r\n")])
    shown = run("show", "--log", db, "--limit", 1).output
    assert shown.endswith("\\x1b[2Jgone\\x0d\\x0a\n")


def test_a_checkpoint_that_cannot_be_kept_is_printed_all_the_same(db: Path, tmp_path: Path) -> None:
    with pytest.raises(UnbarbError, match="keep the line above"):
        run("checkpoint", "--log", db, "-o", tmp_path / "nowhere" / "file")
    assert json.loads(run("verify", "--log", db, "--json").output)["checkpoints"] == 1


def test_the_chain_can_be_followed_in_an_export(db: Path, tmp_path: Path) -> None:
    target = tmp_path / "export.jsonl"
    run("export", "--log", db, "-o", target)
    before = None
    for number, line in enumerate(target.read_text().splitlines(), 1):
        record = json.loads(line)
        found, previous = record.pop("digest"), record.pop("previous")
        marks = record.pop("marks")
        values = ["unbarb audit record 1", previous, marks, *record.values()]
        assert sha256(json.dumps(values, separators=(",", ":")).encode()).hexdigest() == found
        assert record["sequence"] == number
        assert before in (None, previous)
        before = found


def test_an_export_can_be_a_table(db: Path, tmp_path: Path) -> None:
    target = tmp_path / "export.csv"
    run("export", "--log", db, "--format", "csv", "-o", target, "--texts", "--last", 10)
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["sequence"] for row in rows] == [str(number) for number in range(1, 11)]
    assert "you are an idiot, number 0" in rows[0]["text"]


def test_erase_and_prune_leave_the_chain_valid(db: Path) -> None:
    assert run("erase", "--log", db, "--subject", "person-0", "--yes").output.endswith("records\n")
    assert json.loads(run("prune", "--log", db, "--json").output) == {"texts": 0, "anchor": None}
    found = json.loads(run("verify", "--log", db, "--json").output)
    assert found["erased"] > 0
    with pytest.raises(UnbarbError, match="give --yes"):
        run("erase", "--log", db, "--subject", "person-1")
    with pytest.raises(UnbarbError, match="whose texts"):
        run("erase", "--log", db, "--yes")


def test_a_report_is_written_and_checked(db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    run("report", "--log", db, "--from", "2020-01-01", "--out", folder)
    assert "as it was made" in run("verify", "--log", db, "--report", folder).output
    (folder / "report.html").write_text("all was well")
    told = run("verify", "--report", folder, "--keys", f"{db}.keys", code=1).output
    assert "report.html is not as it was signed" in told
    with pytest.raises(UnbarbError, match="write a day as"):
        run("report", "--log", db, "--from", "May", "--out", folder)


def test_keys_are_made_rotated_and_published(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    assert run("keys", "create", file).output.count("-") >= 3
    with pytest.raises(UnbarbError, match="is there already"):
        run("keys", "create", file)
    assert "hash-" in run("keys", "rotate", file, "--use", "hash").output
    assert "no key is that old" in run("keys", "rotate", file, "--older-than", 30).output
    with pytest.raises(UnbarbError, match="none of hash, text, sign"):
        run("keys", "rotate", file, "--use", "hsah")
    assert list(json.loads(run("keys", "public", file).output)) == ["schema", "sign"]


def test_what_was_spilled_is_drained(db: Path) -> None:
    with AuditLog.open(str(db)) as log:
        log.spill(mixed(3))
    assert json.loads(run("drain", "--log", db, "--json").output) == {"recorded": 3, "refused": 0}
    assert "33 records" in run("verify", "--log", db).output


def test_tables_are_made_by_command(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    with pytest.raises(UnbarbError, match="there is no audit log"):
        run("verify", "--log", path)
    assert run("migrate", "--log", path).output == f"{path}: at migration 0001\n"
    run("migrate", "--log", path)
    assert "intact; 0 records" in run("verify", "--log", path).output


@pytest.mark.parametrize("content", ["{}", "not json", '{"purpose": "checkpoint"}', "[1]"])
def test_what_is_no_checkpoint_is_refused(db: Path, tmp_path: Path, content: str) -> None:
    file = tmp_path / "checkpoints"
    file.write_text(content)
    with pytest.raises(UnbarbError, match=":1: not a checkpoint"):
        run("verify", "--log", db, "--checkpoints", file)
