"""A run as a whole: whoever does it, whenever it is stopped, what comes out is the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest
from corpora import CLEAN, RUDE, THREAT, tree

from unbarb.corpus import clean
from unbarb.corpus.run import Progress
from unbarb.errors import ConfigError, InputError


def corpus(folder: Path, rows: int = 300) -> Path:
    """JSONL with everything that can happen to a row."""
    texts: list[Any] = [
        CLEAN,
        RUDE,
        f"{CLEAN} It is open again.",
        THREAT,
        None,
        7,
        "Das ist doch völlig egal, oder?",
    ]
    lines = [
        json.dumps({"id": at, "text": texts[at % 40] if at % 40 < 7 else f"{CLEAN} {at}"})
        for at in range(rows)
    ]
    folder.mkdir(exist_ok=True)
    (folder / "rows.jsonl").write_text("\n".join(lines) + "\nnot json\n", encoding="utf-8")
    return folder / "rows.jsonl"


def test_workers_change_nothing(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    one, two = tmp_path / "one", tmp_path / "two"
    moved: list[Progress] = []
    first = clean(source, one, workers=1, shard_bytes=5000)
    second = clean(source, two, workers=2, shard_bytes=5000, progress=moved.append)
    assert tree(one) == tree(two)
    assert first == second
    assert len(first.outputs) == 4
    assert first.counts["rows"] == 301
    assert first.counts["rows"] == first.counts["kept"] + first.counts["dropped"] + first.counts["unread"]
    assert (first.counts["dropped"], first.counts["unread"], first.counts["flagged"]) == (8, 9, 8)
    assert [one.rows for one in moved] == sorted(one.rows for one in moved)
    assert moved[-1].share == 1.0
    assert json.loads((one / "manifest.json").read_bytes())["digest"] == first.digest


def test_shards_of_any_size_hold_the_same_rows(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 120)
    whole = clean(source, tmp_path / "whole", workers=1)
    cut = clean(source, tmp_path / "cut", workers=1, shard_bytes=700)
    rows = [b"".join((tmp_path / name / one["file"]).read_bytes() for one in run.outputs)
            for name, run in (("whole", whole), ("cut", cut))]  # fmt: skip
    assert rows[0] == rows[1]
    assert (whole.counts, whole.tallies) == (cut.counts, cut.tallies)
    changes = [
        [
            line
            for path in run.lists["changes"]
            for line in (tmp_path / name / path).read_bytes().splitlines()
        ]
        for name, run in (("whole", whole), ("cut", cut))
    ]
    assert changes[0] == changes[1]


SCRIPT = """
import os, signal, sys
from unbarb.corpus import clean, shard

done = 0
def stop(place, content, write=shard.write_bytes):
    global done
    done += 1
    if done == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    write(place, content)

shard.write_bytes = stop
clean(sys.argv[1], sys.argv[2], workers=1, shard_bytes=5000)
"""


def test_a_run_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    clean(source, tmp_path / "whole", workers=1, shard_bytes=5000)
    killed = tmp_path / "killed"
    ran = subprocess.run([sys.executable, "-c", SCRIPT, source, killed, "3"], check=False, timeout=120)
    assert ran.returncode == -signal.SIGKILL
    assert len(list((killed / ".work" / "done").iterdir())) == 2
    # The third shard's outputs are there without its marker, and a worker's half a file with them.
    assert len(list((killed / "data").iterdir())) == 3
    with pytest.raises(InputError, match="holds a run that was stopped"):
        clean(source, killed, workers=1, shard_bytes=5000, resume=False)
    with pytest.raises(InputError, match=r"settings\.filter: False there, True now"):
        clean(source, killed, workers=1, shard_bytes=5000, filter=True)
    progress: list[Progress] = []
    clean(source, killed, workers=1, shard_bytes=5000, progress=progress.append)
    assert 0 < progress[0].share < 1
    assert tree(killed) == tree(tmp_path / "whole")


def test_workers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 2000)
    script = (
        "import sys\nfrom unbarb.corpus import clean\n"
        "def told(now):\n    if now.rows: print(now.rows, flush=True)\n"
        "if __name__ == '__main__':\n    clean(sys.argv[1], sys.argv[2], workers=2, progress=told,"
        " shard_bytes=10_000, filter=True)\n"
    )
    (tmp_path / "run.py").write_text(script, encoding="utf-8")
    out = tmp_path / "out"
    command = [sys.executable, tmp_path / "run.py", source, out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # workers are at work
        process.kill()
        # The pipe is closed when the last process that holds it has gone: no worker stays behind.
        process.stdout.read()
    clean(source, out, workers=1, shard_bytes=10_000, filter=True)
    clean(source, tmp_path / "whole", workers=1, shard_bytes=10_000, filter=True)
    assert tree(out) == tree(tmp_path / "whole")


def test_a_worker_that_is_killed_costs_nothing(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 600)
    killed: list[int] = []

    def kill(now: Progress) -> None:
        if now.rows and not killed:
            killed.append(active_children()[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)

    clean(source, tmp_path / "killed", workers=2, shard_bytes=5000, filter=True, progress=kill)
    assert killed
    clean(source, tmp_path / "whole", workers=1, shard_bytes=5000, filter=True)
    assert tree(tmp_path / "killed") == tree(tmp_path / "whole")


def test_a_run_that_is_interrupted_leaves_no_worker_behind_and_goes_on(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 600)

    def interrupt(now: Progress) -> None:
        if now.rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        clean(source, tmp_path / "cut", workers=2, shard_bytes=5000, filter=True, progress=interrupt)
    assert active_children() == []
    clean(source, tmp_path / "cut", workers=1, shard_bytes=5000, filter=True)
    clean(source, tmp_path / "whole", workers=1, shard_bytes=5000, filter=True)
    assert tree(tmp_path / "cut") == tree(tmp_path / "whole")


def test_a_run_that_may_overwrite_goes_on_too_when_it_is_given_again(tmp_path: Path) -> None:
    source, out = corpus(tmp_path / "in"), tmp_path / "out"
    options: dict[str, Any] = {"workers": 1, "shard_bytes": 5000, "filter": True, "overwrite": True}

    def first_share(**more: Any) -> float:
        """How much was there when the run began; it is stopped when half of all is done."""
        seen: list[Progress] = []

        def stop(now: Progress) -> None:
            seen.append(now)
            if now.rows and now.share > 0.5:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            clean(source, out, **{**options, "progress": stop, **more})
        return seen[0].share

    clean(source, out, **{**options, "filter": False})
    assert first_share() == 0
    assert first_share() > 0
    assert first_share(resume=False) == 0
    assert first_share(direction="input") == 0
    assert first_share() == 0
    corpus(tmp_path / "in", 310)
    assert first_share() == 0
    clean(source, out, **options)
    clean(source, tmp_path / "whole", workers=1, shard_bytes=5000, filter=True)
    assert tree(out) == tree(tmp_path / "whole")


def test_files_whose_pieces_would_have_one_name_are_refused(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    rows = corpus(folder).read_bytes().splitlines(keepends=True)
    (folder / "rows-00000-of-00004.jsonl").write_bytes(b"".join(rows[:3]))
    with pytest.raises(InputError) as told:
        clean(folder, out, workers=1, shard_bytes=5000)
    assert str(told.value) == (
        f"{folder}/rows-00000-of-00004.jsonl and {folder}/rows.jsonl would both become"
        " rows-00000-of-00004.jsonl; rename one, or clean them apart"
    )
    assert tree(out) == {}
    assert len(clean(folder, out, workers=1, filter=True).outputs) == 2


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 40)
    first = clean(source, tmp_path / "out", workers=1)
    stamp = (tmp_path / "out" / "manifest.json").stat().st_mtime_ns
    assert clean(source, tmp_path / "out", workers=1) == first
    assert (tmp_path / "out" / "manifest.json").stat().st_mtime_ns == stamp
    assert not (tmp_path / "out" / ".work").exists()


def test_a_mistake_leaves_nothing_that_the_next_try_would_stumble_over(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 40)
    with pytest.raises(InputError, match="no column 'txt'; did you mean 'text'"):
        clean(source, tmp_path / "out", columns="txt", filter=True)
    assert tree(tmp_path / "out") == {}
    ran = clean(source, tmp_path / "out", workers=1, filter=True)
    before = tree(tmp_path / "out")
    with pytest.raises(InputError, match=r"settings\.columns"):
        clean(source, tmp_path / "out", columns="txt", filter=True)
    with pytest.raises(InputError, match="no column 'txt'"):
        clean(source, tmp_path / "out", columns="txt", overwrite=True)
    assert tree(tmp_path / "out") == before
    assert clean(source, tmp_path / "out", workers=1, filter=True) == ran


def test_what_was_begun_to_be_removed_is_removed(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 40)
    out = tmp_path / "out"
    clean(source, out, workers=1, filter=True)
    # As a kill leaves it between the manifest and the data, while OUT is being overwritten.
    (out / ".work").mkdir()
    (out / ".work" / "lock").touch()
    (out / "manifest.json").unlink()
    (out / "data" / "old.jsonl").write_text("x", encoding="utf-8")
    clean(source, out, workers=1, filter=True)
    clean(source, tmp_path / "whole", workers=1, filter=True)
    assert tree(out) == tree(tmp_path / "whole")


def test_an_out_of_another_run_is_refused_unless_it_may_be_overwritten(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 40)
    out = tmp_path / "out"
    clean(source, out, workers=1)
    with pytest.raises(InputError, match=r"settings\.policy\.name: 'default' there, 'strict' now"):
        clean(source, out, workers=1, policy="strict")
    corpus(tmp_path / "in", 50)
    with pytest.raises(InputError, match="finished run over other input"):
        clean(source, out, workers=1)
    before = tree(out)
    (out / "mine.txt").write_text("kept", encoding="utf-8")
    clean(source, out, workers=1, overwrite=True)
    assert (out / "mine.txt").exists()
    assert tree(out) != before
    clean(source, tmp_path / "fresh", workers=1)
    assert {**tree(tmp_path / "fresh"), "mine.txt": b"kept"} == tree(out)


def test_a_folder_with_other_files_is_never_written_to(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 4)
    (tmp_path / "out" / "data").mkdir(parents=True)
    (tmp_path / "out" / "data" / "precious.csv").write_text("x", encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=r"holds what no run of unbarb wrote .*precious\.csv"):
            clean(source, tmp_path / "out", overwrite=overwrite)
    assert tree(tmp_path / "out") == {"data/precious.csv": b"x"}


def test_an_out_around_the_input_is_refused(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 4)
    with pytest.raises(InputError, match="lies inside of"):
        clean(source, tmp_path)


def test_an_out_inside_of_the_input_is_no_part_of_it(tmp_path: Path) -> None:
    corpus(tmp_path / "in", 40)
    first = clean(tmp_path / "in", tmp_path / "in" / "cleaned", workers=1, filter=True)
    assert [one["file"] for one in first.inputs] == ["rows.jsonl"]
    assert clean(tmp_path / "in", tmp_path / "in" / "cleaned", workers=1, filter=True) == first


def test_a_file_that_cannot_be_written_says_so_and_the_run_goes_on_later(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in")
    out = tmp_path / "out"
    script = (
        "import resource, sys\nfrom unbarb.corpus import clean\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))\n"
        "clean(sys.argv[1], sys.argv[2], workers=1)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, source, out],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (
        "rows.jsonl: cannot be written (File too large); mend that and run the same command again"
        in ran.stderr
    )
    assert not list((out / "data").iterdir())
    clean(source, out, workers=1)
    clean(source, tmp_path / "whole", workers=1)
    assert tree(out) == tree(tmp_path / "whole")


def test_two_runs_do_not_share_an_out(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 400)
    out = tmp_path / "out"
    seen: list[str] = []

    def another(now: Progress) -> None:
        if not seen:
            with pytest.raises(InputError, match="another run is at work there") as told:
                clean(source, out, workers=1, filter=True)
            seen.append(str(told.value))

    clean(source, out, workers=1, filter=True, progress=another)
    assert len(seen) == 1


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    corpus(tmp_path / "in", 4)
    (tmp_path / "in" / "b.csv").write_text("txt,n\nhi,1\n", encoding="utf-8")
    (tmp_path / "in" / "c.jsonl").write_text('{"body": "x"}\n', encoding="utf-8")
    (tmp_path / "in" / "d.gz").write_bytes(b"x")
    with pytest.raises(InputError) as told:
        clean(tmp_path / "in", tmp_path / "out")
    assert "b.csv: no column 'text'; did you mean 'txt'?" in str(told.value)
    assert "c.jsonl: no column 'text'; there are 'body'" in str(told.value)
    with pytest.raises(
        ConfigError, match=r"engine 'spark' is none of local, ray\nworkers 0 is not 1 or more"
    ):
        clean(tmp_path / "in", tmp_path / "out", engine="spark", workers=0)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no such file, or nothing in it"):
        clean(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(InputError, match="cannot tell the format from the name"):
        clean(tmp_path / "in" / "d.gz", tmp_path / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    source = corpus(tmp_path / "in", 4)
    source.chmod(0)
    with pytest.raises(InputError, match=r"rows\.jsonl: cannot be read \(Permission denied\)"):
        clean(source, tmp_path / "out")


def test_folders_and_globs_keep_their_names(tmp_path: Path) -> None:
    for name in ("a.txt", "deep/b.txt", "deep/_SUCCESS", ".hidden/c.txt", "deep/notes.md", "d.csv"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text\nhello there\n", encoding="utf-8")
    ran = clean(tmp_path / "in", tmp_path / "folder", workers=1, filter=True)
    assert [one["file"] for one in ran.outputs] == ["data/a.txt", "data/d.csv", "data/deep/b.txt"]
    assert list(ran.passed_over) == ["deep/notes.md"]
    ran = clean(f"{tmp_path}/in/**/*.txt", tmp_path / "glob", workers=1, filter=True)
    assert [one["file"] for one in ran.outputs] == ["data/a.txt", "data/deep/b.txt"]
    ran = clean(
        [tmp_path / "in" / "a.txt", tmp_path / "in" / "deep"], tmp_path / "both", workers=1, format="text"
    )
    assert [one["file"] for one in ran.outputs] == ["data/a.txt", "data/b.txt", "data/notes.md"]
