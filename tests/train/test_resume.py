"""A run killed at a random step and gone on with ends as one that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("transformers")

import torch
from transformers import Trainer

import tiny_bases
from unbarb.data.prepared import Prepared
from unbarb.train.callback import last_checkpoint
from unbarb.train.objectives import train
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe

STEPS, SAVED_EVERY = 36, 6
TOLERANCE = 1e-6
"""Of a loss, relative: on one processor the resumed steps are the same operations on the same numbers."""

CHILD = """
import sys
import torch
torch.set_num_threads(1)
from unbarb.data.prepared import Prepared
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe
recipe, data, out = sys.argv[1:]
train(TrainRecipe.model_validate_json(open(recipe).read()), Prepared.load(data), out, quiet=True)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    tiny_bases.prepared(folder / "set")
    tiny_bases.write("t5", folder / "base", dropout_rate=0.1)
    return folder


def recipe(place: Path, method: str) -> TrainRecipe:
    # Dropout, so that the state of chance matters; adapters begin at zero, so a rate they move at.
    content = tiny_bases.recipe_of(
        "t5", place / "base", method={"name": method, "dropout": 0.1 * (method == "lora")},
        training__max_steps=STEPS, training__save_every=SAVED_EVERY, training__evaluate_every=SAVED_EVERY,
        training__scheduler="linear", training__gradient_accumulation=2, training__batch_size=3,
    )  # fmt: skip
    return TrainRecipe.model_validate(content)


@pytest.mark.parametrize("method", ["full", pytest.param("lora", marks=pytest.mark.slow)])
def test_killed_and_resumed_ends_with_the_same_loss(place: Path, method: str) -> None:
    wanted, data = recipe(place, method), Prepared.load(place / "set")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        whole = train(wanted, data, place / f"whole-{method}", quiet=True)
        out = place / f"killed-{method}"
        killed_at = kill_one(wanted, place, out)
        resumed = train(wanted, data, out, quiet=True)
    finally:
        torch.set_num_threads(threads)
    assert SAVED_EVERY <= killed_at < STEPS
    assert resumed["steps"] == whole["steps"] == STEPS
    assert resumed["best_step"] == whole["best_step"]
    for name in ("loss", "eval_loss"):
        assert resumed["final"][name] == pytest.approx(whole["final"][name], rel=TOLERANCE), name
    logged = [losses(folder) for folder in (place / f"whole-{method}", out)]
    assert logged[0].keys() == logged[1].keys()
    assert len(logged[0]) >= STEPS // 2
    assert logged[1] == pytest.approx(logged[0], rel=TOLERANCE)


def kill_one(wanted: TrainRecipe, place: Path, out: Path) -> int:
    """Start the run in a process and kill it at a random step after its first checkpoint; that step."""
    moment = random.randrange(SAVED_EVERY + 1, STEPS - 2)
    (place / "recipe.json").write_text(json.dumps(wanted.to_dict()), "utf-8")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(place / "recipe.json"), str(place / "set"), str(out)],
        env=environment,
        stderr=subprocess.PIPE,
    )
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until and child.poll() is None:
            if steps_done(out) >= moment and last_checkpoint_there(out):
                child.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
        _, said = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == -signal.SIGKILL, said.decode()[-2000:]
    assert json.loads((out / "run.json").read_text("utf-8"))["status"] == "running"
    return max(losses(out, "loss"))[0]


def steps_done(out: Path) -> int:
    path = out / "metrics.jsonl"
    lines = path.read_text("utf-8").splitlines(keepends=True) if path.is_file() else []
    return max((json.loads(line)["step"] for line in lines if line.endswith("\n")), default=0)


def last_checkpoint_there(out: Path) -> bool:
    return any((out / "checkpoints").glob("checkpoint-*/trainer_state.json"))


def losses(folder: Path, *names: str) -> dict[tuple[int, str], float]:
    wanted = names or ("loss", "eval_loss")
    return {
        (line["step"], name): line[name]
        for line in tiny_bases.lines(folder / "metrics.jsonl")
        for name in wanted
        if name in line
    }


def test_a_checkpoint_that_was_half_written_is_passed_over(tmp_path: Path) -> None:
    for step, files in (
        (10, ("optimizer.pt", "scheduler.pt", "trainer_state.json")),
        (20, ("optimizer.pt",)),
    ):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        for name in files:
            (folder / name).write_text("{}", "utf-8")
    assert last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")
    assert not (tmp_path / "checkpoint-20").exists()
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text('{"epoch": 1', "utf-8")
    assert last_checkpoint(tmp_path) is None


@pytest.mark.parametrize("stopped_at", [3, 6])
def test_a_run_that_goes_on_keeps_its_count_of_looks_without_a_better_loss(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_at: int
) -> None:
    # The first look is the best: weights do not move at this rate, and equal is not better.
    wanted = recipe(place, "full").changed(
        training__patience=2, training__learning_rate=1e-12, training__save_every=2,
        training__evaluate_every=2, method__dropout=0.0,
    )  # fmt: skip
    data, end = Prepared.load(place / "set"), Trainer._load_best_model
    log = Run.log

    def stop(run: Run, step: int, **figures: float) -> None:
        if step >= stopped_at + 2 and "eval_loss" in figures:
            raise KeyboardInterrupt
        log(run, step, **figures)

    def killed(trainer: Trainer) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(Run, "log", stop)
        broken.setattr(Trainer, "_load_best_model", killed)
        with pytest.raises(KeyboardInterrupt):
            train(wanted, data, tmp_path / "run", quiet=True)
    assert Trainer._load_best_model is end
    facts = train(wanted, data, tmp_path / "run", quiet=True)
    # Looks at 2 (the best), 4 and 6, whether it was killed before the last one was kept or after.
    assert facts["steps"] == 6
    assert facts["best_step"] == 2
