"""``unbarb check`` and ``unbarb rewrite``, with a guard that needs no model."""

from __future__ import annotations

import json
import os
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from unbarb import cli

SCHEMA = json.loads((files("unbarb") / "models" / "verdict.schema.json").read_text("utf-8"))


def verdicts(out: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in out.splitlines()]
    for verdict in found:
        jsonschema.validate(verdict, SCHEMA | {"properties": SCHEMA["properties"] | {"policy": {}}})
    return found


@pytest.mark.parametrize(
    ("texts", "code"),
    [(["hello there"], 0), (["you idiot"], 1), (["hello", "you IDIOT"], 1)],
)
def test_check_tells_by_its_exit_code_whether_something_was_found(run, guard, texts, code) -> None:
    assert run("check", *texts).code == code


def test_rewrite_is_done_when_it_has_rewritten(run, guard) -> None:
    ran = run("rewrite", "you idiot", "--json")
    (verdict,) = verdicts(ran.out)
    assert (ran.code, verdict["text"], verdict["scores_after"]) == (0, "you person", {"toxicity": 0.02})


def test_check_changes_nothing(run, guard) -> None:
    (verdict,) = verdicts(run("check", "you idiot", "--json").out)
    assert (verdict["text"], verdict["action"], verdict["edits"]) == ("you idiot", "rewrite", [])


def test_standard_input_is_read_when_there_are_no_texts_or_a_dash(run, guard) -> None:
    for arguments in ((), ("-",), ("--input", "-")):
        found = verdicts(run("check", "--json", *arguments, stdin="hello\n\nyou idiot é\r\n".encode()).out)
        assert [verdict["original"] for verdict in found] == ["hello", "", "you idiot é"]


def test_standard_input_has_a_format_too(run, guard) -> None:
    found = verdicts(run("check", "--json", "--format", "jsonl", stdin=b'{"text": "hi", "id": 7}\n').out)
    assert [(verdict["id"], verdict["original"]) for verdict in found] == [("7", "hi")]


def test_direction_and_policy_reach_the_guard(run, guard, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(
        "unbarb.cli.job.guard_for", lambda policy, *, carry_out: asked.append((policy, carry_out)) or guard
    )
    run("check", "hi", "--direction", "output", "--policy", "strict")
    run("rewrite", "hi", "--direction", "input")
    assert asked == [("strict", False), ("default", True)]
    assert guard.directions == ["output", "input"]


def test_rows_go_through_in_batches_and_in_order(run, guard, tmp_path) -> None:
    source = tmp_path / "texts.txt"
    source.write_text("".join(f"text {number}\n" for number in range(600)), "utf-8")
    found = verdicts(run("check", "--input", source, "--json").out)
    assert [verdict["original"] for verdict in found] == [f"text {number}" for number in range(600)]
    assert guard.batches == [256, 256, 88]


def test_long_texts_end_a_batch_early(run, guard, tmp_path) -> None:
    source = tmp_path / "texts.txt"
    source.write_text(("a" * 600_000 + "\n") * 5, "utf-8")
    run("check", "--input", source, "--json")
    assert guard.batches == [2, 2, 1]


def test_bad_rows_are_told_and_good_rows_are_done(run, guard, tmp_path) -> None:
    source = tmp_path / "texts.jsonl"
    source.write_bytes(b'{"text": "hello"}\n{"text": 3}\nno\n{"txt": "a"}\n{"text": "you idiot"}\n')
    for command in ("check", "rewrite"):
        ran = run(command, "--input", source, "--json")
        assert ran.code == 3
        assert [verdict["original"] for verdict in verdicts(ran.out)] == ["hello", "you idiot"]
        for line in (2, 3, 4):
            assert f"{source}:{line}: " in ran.err
        assert "did you mean 'txt'" in ran.err
        assert "3 rows could not be read" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "--input", "missing.txt"), "missing.txt: cannot be read (No such file"),
        (("check", "--input", "texts.pdf"), "give --format"),
        (("check", "text", "--input", "texts.txt"), "give one of them"),
        (("check", "text", "--resume"), "--output"),
        (("check", "text", "--direction", "sideways"), "sideways"),
        (("check", "text", "--output", "nowhere/out.jsonl"), "cannot be written"),
        (("check", "text", "--batch", "0"), "--batch"),
        (("chekc", "text"), "chekc"),
    ],
)
def test_wrong_use_is_one_message_and_exit_code_2(
    run, guard, monkeypatch, tmp_path, arguments, said
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run(*arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert ran.out == ""


def test_a_policy_that_is_not_there_is_wrong_use(run) -> None:
    ran = run("check", "text", "--policy", "defualt")
    assert (ran.code, "did you mean 'default'" in ran.err) == (2, True)


def test_nothing_to_read_on_a_terminal_is_wrong_use(run, guard, monkeypatch) -> None:
    monkeypatch.setattr("unbarb.cli.job.sys", FakeSys(stdin_is_tty=True))
    ran = run("check")
    assert (ran.code, "nothing to read" in ran.err) == (2, True)


class FakeSys:
    """The streams of `sys`, but with a terminal to read from."""

    def __init__(self, stdin_is_tty: bool) -> None:
        self.stdin = type("Terminal", (), {"isatty": lambda _: stdin_is_tty})()
        self.stdout, self.stderr = sys.stdout, sys.stderr


def test_output_takes_json_and_the_totals_go_to_standard_error(run, guard, tmp_path) -> None:
    target = tmp_path / "out.jsonl"
    ran = run("rewrite", "you idiot", "hello", "--output", target)
    assert (ran.code, ran.out) == (0, "")
    assert "2 texts: 1 allow, 1 rewrite" in ran.err
    assert [verdict["action"] for verdict in verdicts(target.read_text("utf-8"))] == ["rewrite", "allow"]
    assert list(tmp_path.iterdir()) == [target]


def test_quiet_prints_nothing_but_bad_rows(run, guard, tmp_path) -> None:
    assert run("check", "you idiot", "--quiet") == type(run("check", "x"))(1, "", "")
    source = tmp_path / "texts.txt"
    source.write_bytes(b"ok\n\xff\n")
    ran = run("check", "--input", source, "--quiet")
    assert (ran.code, ran.out, ran.err.count("\n")) == (3, "", 1)


def test_a_pipe_gets_plain_lines(run, guard) -> None:
    ran = run("rewrite", "you idiot warn", "hello", "you IDIOT\x1b[31m")
    assert ran.out.splitlines()[:9] == [
        "rewrite  toxicity 0.97 → 0.02  meaning 0.90  labels.insult",
        "  you «idiot» warn",
        "  → you «person» warn",
        "  ! a warning",
        "allow  toxicity 0.01",
        "  hello",
        "block  toxicity 0.97  labels.insult",
        "  you «IDIOT»␛[31m",
        "  → (withheld)",
    ]
    assert "3 texts: 1 allow, 1 rewrite, 1 block; " in ran.out
    assert "nothing loaded scores doxxing" in ran.out
    assert "\x1b" not in ran.out


def test_a_table_can_be_asked_for_and_works_text_by_text(run, guard) -> None:
    ran = run("rewrite", "you idiot", "hello [red]there", "--view", "table", "--no-color")
    assert guard.batches == [1, 1]
    for said in (
        "original",
        "meaning",
        "you «idiot»",
        "you «person»",
        "0.97 → 0.02",
        "hello [red]there",
        "(unchanged)",
    ):
        assert said in ran.out
    assert ran.out.count("original") == 1
    assert "2 texts: 1 allow, 1 rewrite" in ran.out


def test_a_reader_that_goes_away_is_no_error(guard, monkeypatch) -> None:
    gone = type(
        "Gone",
        (),
        {"write": _broken, "flush": _broken, "fileno": lambda _: os.dup(1), "isatty": lambda _: False},
    )
    monkeypatch.setattr(sys, "stdout", gone())
    job = cli.job.Job(texts=["you idiot"])
    monkeypatch.setattr("unbarb.cli.job.os.dup2", lambda *_: None)
    assert cli.job.run(job, carry_out=False) == cli.job.PIPE_CLOSED


def _broken(*_: object) -> None:
    raise BrokenPipeError


def test_an_interrupted_run_keeps_finished_rows_and_can_be_gone_on_with(run, guard, tmp_path) -> None:
    source, target = tmp_path / "texts.txt", tmp_path / "out.jsonl"
    source.write_bytes(b"one\nyou idiot\n\xff\nthree\nfour\nfive\n")
    arguments = ("check", "--input", source, "--output", target, "--batch", "2")
    guard.stop_after = 1
    stopped = run(*arguments)
    part = Path(f"{target}.part")
    assert (stopped.code, target.exists()) == (130, False)
    assert "--resume" in stopped.err
    assert len(verdicts(part.read_text("utf-8"))) == 2

    guard.stop_after = None
    assert run(*arguments).code == 2, "a part file is not thrown away unasked"
    with part.open("ab") as file:
        file.write(b'{"cut off')
    guard.batches.clear()
    resumed = run(*arguments, "--resume")
    assert (resumed.code, guard.batches, part.exists()) == (3, [2, 1], False)
    assert [v["original"] for v in verdicts(target.read_text("utf-8"))] == [
        "one",
        "you idiot",
        "three",
        "four",
        "five",
    ]
    assert "5 texts: 4 allow, 1 rewrite" in resumed.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"original": "two"}, "of another input"),
        ({"policy": {"name": "x", "digest": "sha256:x"}}, "of another policy"),
        ({"direction": "output"}, "of another --direction"),
        (None, "not JSON"),
    ],
)
def test_a_part_file_of_another_run_is_refused(run, guard, tmp_path, change, said) -> None:
    source, target, part = tmp_path / "texts.txt", tmp_path / "out.jsonl", tmp_path / "out.jsonl.part"
    source.write_text("one\n", "utf-8")
    first = json.loads(run("check", "one", "--json").out)
    part.write_text("no\n" if change is None else json.dumps(first | change) + "\n", "utf-8")
    ran = run("check", "--input", source, "--output", target, "--resume")
    assert (ran.code, f"{part}:1: " in ran.err, said in ran.err) == (2, True, True)


def test_output_may_be_a_device(run, guard) -> None:
    assert run("check", "hello", "--output", "/dev/null").code == 0
    assert not Path("/dev/null.part").exists()
