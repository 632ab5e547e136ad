"""``unbarb request``: rows in, checked answers out, and what happens when the endpoint fails."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="needs the extra 'serve'")

from model_endpoint import Endpoint, Reply, Seen, listening, says, streams

TEXTS = [f"text {number}" for number in range(30)]


def echo(seen: Seen, number: int = 0) -> Reply:
    return says({"generated_text": f"you said {seen.body['inputs']}", "finish_reason": "EOS_TOKEN"})


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def _endpoint() -> Iterator[Endpoint]:
    with listening() as found:
        yield found


@pytest.fixture
def endpoint(_endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """Says back what it is asked; clients do not pause between their tries."""
    monkeypatch.setattr("unbarb.deploy.request.client.FIRST_PAUSE", 0.0)
    _endpoint.seen.clear()
    _endpoint.answer = echo
    return _endpoint


@pytest.fixture
def ask(run, endpoint):
    """``ask("text", …)`` → what the command printed, and its exit code."""
    return lambda *arguments, **more: run(
        "request", endpoint.url, "--model", "toy", "--dialect", "caikit", *arguments, **more
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl.gz"
    rows = (json.dumps({"id": f"r{at}", "text": text}) for at, text in enumerate(TEXTS))
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    return path


def test_of_a_single_text_nothing_but_the_answer_is_printed(ask, guard) -> None:
    ran = ask("hello")
    assert (ran.code, ran.out) == (0, "you said hello\n")
    assert ran.err.startswith("1 text: 1 allow; an answer p50 ")


def test_rows_keep_ids_and_order_whatever_the_concurrency(ask, guard, source: Path) -> None:
    one, many = (ask("-i", source, "--json", "-c", number) for number in ("1", "16"))
    assert one.out == many.out
    found = lines(many.out)
    assert [line["id"] for line in found] == [f"r{at}" for at in range(len(TEXTS))]
    assert [line["text"] for line in found] == [f"you said {text}" for text in TEXTS]
    assert {line["verified"] for line in found} == {True}
    assert set(guard.directions) == {"output"}


def test_what_comes_back_is_checked(ask, guard, endpoint: Endpoint) -> None:
    ran = ask("you idiot", "you IDIOT", "hello", "--json")
    rude, shouted, fine = lines(ran.out)
    assert (rude["text"], rude["guard"]["action"]) == ("you said you person", "rewrite")
    assert (shouted["text"], shouted["withheld"]) == (None, ["text"])
    assert (fine["text"], fine["finish"]) == ("you said hello", "stop")
    assert ran.code == 0
    told = ask("you IDIOT")
    assert "(withheld) Withheld." in told.out


def test_without_the_guard_nothing_is_called_verified(ask, guard) -> None:
    (line,) = lines(ask("you idiot", "--no-guard", "--json").out)
    assert (line["text"], line["verified"], line["guard"]) == ("you said you idiot", False, None)
    assert guard.batches == []


def test_what_would_steer_a_terminal_is_shown_harmless(ask, guard, endpoint: Endpoint) -> None:
    endpoint.then(says({"generated_text": "red \x1b[31m\nline"}))
    assert ask("hello").out == "red ␛[31m\nline\n"


def test_parameters_template_and_key_go_along(ask, guard, endpoint: Endpoint, monkeypatch) -> None:
    monkeypatch.setenv("KEY_OF_THE_TEST", "sesame")
    ask("hello", "--set", "temperature=0.5", "--set", "decoding_method=SAMPLING", "--max-tokens", "9",
        "--template", "detoxify", "--key-from", "KEY_OF_THE_TEST")  # fmt: skip
    (seen,) = endpoint.seen
    assert seen.body["parameters"] == {
        "max_new_tokens": 9, "stop_sequences": ["###"], "temperature": 0.5, "decoding_method": "SAMPLING",
    }  # fmt: skip
    assert seen.body["inputs"] == "### Detoxify:\nhello\n\n### detoxified:\n"
    assert seen.headers["authorization"] == "Bearer sesame"


def test_all_that_is_wrong_is_told_and_no_key_with_it(ask, run, guard) -> None:
    ran = run("request", "ftp://me:secret@x", "hello", "-m", "", "--task", "infer", "--key-from", "sk-123",
              "--template", "nope")  # fmt: skip
    assert ran.code == 2
    for said in ("url: it is not http", "holds a password", "key_from: not the name", "template 'nope'"):
        assert said in ran.err
    assert "secret" not in ran.err
    assert "123" not in ran.err
    assert "kserve" in ask("hello", "--task", "infer").err + ask("hello", "-d", "tgis").err
    assert "a classification is not streamed" in ask("x", "--task", "classify", "--stream").err
    assert "without ? and #" in run("request", "http://h/v1?key=1", "x", "-m", "m").err


def test_bad_rows_are_told_and_the_rest_is_asked(ask, guard) -> None:
    ran = ask("--json", "--format", "jsonl", stdin=b'{"text": "one"}\n{"txt": 2}\n{"text": "three"}\n')
    assert ran.code == 3
    assert [line["original"] for line in lines(ran.out)] == ["one", "three"]
    assert "stdin:2: no field 'text'; did you mean 'txt'?" in ran.err
    assert "1 row could not be read" in ran.err


def test_a_text_that_is_refused_is_told_and_the_rest_is_asked(ask, guard, endpoint: Endpoint) -> None:
    def refuses(seen: Seen, _: int) -> Reply:
        wrong = seen.body["inputs"] == "text 3"
        return says({"details": "too long, you idiot", "code": 400}, 400) if wrong else echo(seen)

    endpoint.answer = refuses
    ran = ask(*TEXTS[:6], "--json")
    assert ran.code == 3
    assert [line["error"] is None for line in lines(ran.out)] == [True, True, True, False, True, True]
    assert lines(ran.out)[3]["error"]["status"] == 400
    assert [line["verified"] for line in lines(ran.out)] == [True, True, True, False, True, True]
    assert "argument 4: " in ran.err
    assert "too long, you person" in ran.err
    assert "idiot" not in ran.err + ran.out


def test_an_endpoint_that_goes_away_is_given_up_and_gone_on_with(
    ask, guard, endpoint: Endpoint, source: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    assert ask("-i", source, "-o", whole).code == 0

    def goes(seen: Seen, _: int) -> Reply:
        return echo(seen) if int(seen.body["inputs"].split()[1]) < 10 else says(b"", 503)

    endpoint.answer = goes
    ran = ask("-i", source, "-o", out, "--retries", "1")
    assert ran.code == 2
    assert "8 texts in a row got no answer, the last: " in ran.err
    assert f"finished rows are in {out}.part, go on with --resume" in ran.err
    part = Path(f"{out}.part")
    assert len(part.read_text().splitlines()) == 10
    with part.open("ab") as file:
        file.write(b'{"id": "r10", "origi')  # a line that a kill cut off

    endpoint.answer = echo
    asked_before = len(endpoint.seen)
    assert ask("-i", source, "-o", out, "--resume").code == 0
    assert len(endpoint.seen) - asked_before == 20
    assert out.read_bytes() == whole.read_bytes()


def test_a_run_is_gone_on_with_only_as_it_was_begun(ask, guard, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    ask("-i", source, "-o", out)
    out.rename(f"{out}.part")
    assert "--resume" in ask("-i", source, "-o", out).err
    assert (
        "asked for with other options" in ask("-i", source, "-o", out, "--resume", "--max-tokens", "3").err
    )
    assert "asked for with other options" in ask("-i", source, "-o", out, "--resume", "--no-guard").err
    ran = ask("text 1", "-o", out, "--resume")
    assert (ran.code, "is of another input" in ran.err) == (2, True)
    ran = ask("-i", source, "-o", out, "--resume")
    assert (ran.code, ran.err) == (0, "30 texts: 30 allow\n")


def test_a_few_that_fail_are_no_endpoint_that_has_gone(ask, guard, endpoint: Endpoint) -> None:
    endpoint.answer = lambda seen, _: echo(seen) if seen.body["inputs"][-1] in "05" else says(b"<html>")
    ran = ask(*TEXTS[:12], "--json")
    assert ran.code == 3
    found = lines(ran.out)
    assert [line["original"] for line in found] == TEXTS[:12]
    assert sum(line["error"] is None for line in found) == 3
    assert "9 texts without an answer" in ran.err


def test_a_setup_that_no_text_will_survive_ends_at_once(ask, guard, endpoint: Endpoint) -> None:
    endpoint.answer = lambda seen, _: (
        says({"models": [{"name": "one"}]}) if seen.method == "GET" else says({"details": "no such"}, 404)
    )
    ran = ask(*TEXTS, "--json", "-c", "1")
    assert (ran.code, ran.out) == (2, "")
    assert "status 404: no such; it has the models one" in ran.err


def test_a_person_may_stop_it(ask, guard, endpoint: Endpoint, source: Path, tmp_path: Path) -> None:
    guard.stop_after = 0
    ran = ask("-i", source, "-o", tmp_path / "out.jsonl")
    assert ran.code == 130
    assert "stopped; finished rows are in" in ran.err


def pieces(*said: str) -> list[Any]:
    going = {"details": {"finish_reason": "NOT_FINISHED"}}
    ended = {"generated_text": "", "details": {"finish_reason": "EOS_TOKEN"}}
    return [*({"generated_text": one, **going} for one in said), ended]


def test_a_stream_to_a_file_is_as_an_answer_that_is_not_streamed(ask, guard, endpoint: Endpoint) -> None:
    whole = ask("hello", "--json").out
    endpoint.then(streams(pieces("you ", "said ", "hello")))
    ran = ask("hello", "--json", "--stream")
    assert ran.out == whole
    assert "the first words p50" in ran.err


def test_a_stream_is_printed_as_it_is_checked(ask, endpoint: Endpoint) -> None:
    endpoint.then(streams(pieces("It is fine. ", "You are an idi", "ot. ", "Good ", "bye.")))
    ran = ask("hello", "--stream")
    assert ran.code == 0
    assert ran.out.startswith("It is fine. ")
    assert ran.out.endswith("Good bye.\n")
    assert "idiot" not in ran.out
    assert "1 text: 1 rewrite" in ran.err


def test_what_is_withheld_ends_a_stream(ask, endpoint: Endpoint) -> None:
    said = pieces("It is fine. ", "I will find you and kill you tonight. ", "And more follows here. ")
    endpoint.then(streams(said, stays=True))
    ran = ask("hello", "--stream", "--timeout", "60")
    assert ran.code == 0
    assert ran.out.startswith("It is fine. \n(withheld)")
    assert "kill" not in ran.out
    assert "1 text: 1 block" in ran.err or "1 text: 1 route" in ran.err


def test_scores_are_printed_and_kept(ask, guard, endpoint: Endpoint) -> None:
    endpoint.answer = lambda *_: says({"results": [{"label": "insult", "score": 0.25}]})
    ran = ask("hello", "--task", "classify")
    assert ran.out == "insult 0.25\n"
    (line,) = lines(ask("hello", "--task", "classify", "--json").out)
    assert (line["text"], line["scores"], line["verified"]) == (None, {"insult": 0.25}, True)


def test_a_package_that_is_missing_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['httpx2'] = None; from unbarb.cli import main;"
        " sys.argv = ['unbarb', 'request', 'http://h', 'hello', '-m', 'm']; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "unbarb: unbarb request needs the package 'httpx2': pip install 'unbarb[serve]'\n"
