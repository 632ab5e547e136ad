"""A search finds better values, stops hopeless trials, and goes on where it was stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("optuna")

from unbarb.errors import ConfigError
from unbarb.train.reader import load
from unbarb.train.schema import TrainRecipe
from unbarb.train.search import Between, Found, OneOf, Watch, search, space_of

STEPS = 10


class Logistic:
    """Logistic regression by gradient descent: too high a rate leaps about, too low a one crawls."""

    def __init__(self, stop_after: int | None = None) -> None:
        draw = np.random.default_rng(5)
        self.inputs = draw.normal(size=(200, 4))
        self.truth = (self.inputs @ [2.0, -1.0, 0.5, 0.0] + draw.normal(size=200) > 0).astype(float)
        self.seen: list[TrainRecipe] = []
        self.steps = 0
        self.stop_after = stop_after

    def __call__(self, recipe: TrainRecipe, folder: Path, watch: Watch) -> float:
        if self.stop_after is not None and len(self.seen) == self.stop_after:
            raise KeyboardInterrupt
        self.seen.append(recipe)
        weights = np.zeros(4)
        losses = []
        for step in range(1, STEPS + 1):
            guess = 1 / (1 + np.exp(-np.clip(self.inputs @ weights, -30, 30)))
            weights -= recipe.training.learning_rate * self.inputs.T @ (guess - self.truth) / 200
            guess = np.clip(1 / (1 + np.exp(-np.clip(self.inputs @ weights, -30, 30))), 1e-9, 1 - 1e-9)
            losses.append(float(-np.mean(np.log(np.where(self.truth == 1, guess, 1 - guess)))))
            self.steps += 1
            watch(step, losses[-1])
        return min(losses)


def recipe(**method: Any) -> TrainRecipe:
    return load("t5-small-lora").changed(training__learning_rate=0.02, **method)


def carried_out(out: Path, objective: Logistic, trials: int, told: Any = lambda line: None) -> Found:
    start = recipe()
    return search(
        start, objective, out, trials=trials, space=space_of(start), fingerprint="rows", told=told
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Logistic, Found]:
    out = tmp_path_factory.mktemp("search")
    objective = Logistic()
    return out, objective, carried_out(out, objective, 12)


def test_it_finds_a_better_rate_and_writes_the_recipe(whole: tuple[Path, Logistic, Found]) -> None:
    out, _, found = whole
    first = Logistic()(recipe(), out, lambda step, value: None)
    assert found.value < first
    assert found.recipe.training.learning_rate > 0.05
    assert load(out / "best.yaml") == found.recipe
    assert (out / "best.yaml").read_text().startswith("# unbarb train ")
    assert (out / "search.png").read_bytes().startswith(b"\x89PNG")


def test_every_trial_is_a_recipe_within_the_space(whole: tuple[Path, Logistic, Found]) -> None:
    _, objective, found = whole
    assert len(objective.seen) == len(found.trials) == 12
    for one in objective.seen:
        assert 0.002 <= one.training.learning_rate <= 0.2
        assert one.method.alpha == 2 * one.method.rank  # as in the recipe: 16 / 8
        assert one.method.targets in (["q", "v"], "all-linear")
    assert len({one.method.rank for one in objective.seen}) > 1
    assert len({str(one.method.targets) for one in objective.seen}) == 2


def test_hopeless_trials_are_stopped_and_counted(whole: tuple[Path, Logistic, Found]) -> None:
    out, objective, found = whole
    pruned = [one for one in found.trials if one["state"] == "pruned"]
    assert pruned
    assert objective.steps < 12 * STEPS
    assert all(one["steps"] < STEPS for one in pruned)
    lines = [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
    assert lines == found.trials


def test_a_stopped_search_goes_on_and_a_finished_one_does_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        carried_out(tmp_path, Logistic(stop_after=3), 5)
    assert (tmp_path / "best.yaml").is_file()
    objective = Logistic()
    told: list[str] = []
    found = carried_out(tmp_path, objective, 5, told.append)
    assert len(objective.seen) == 2
    assert told[0].startswith("trial 4 of 5: ")
    assert [one["state"] for one in found.trials].count("fail") == 1
    assert carried_out(tmp_path, Logistic(stop_after=0), 5).value == found.value


def test_another_search_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    carried_out(tmp_path, Logistic(), 1)
    with pytest.raises(ConfigError, match="another recipe, set or space"):
        search(recipe(), Logistic(), tmp_path, trials=2, space=space_of(recipe()), fingerprint="others")


def test_the_space_is_of_the_recipe() -> None:
    full = dict(space_of(load("t5-small-full")))
    rate = full.pop("training.learning_rate")
    assert isinstance(rate, Between)
    assert (rate.low, rate.high) == (pytest.approx(3e-5), pytest.approx(3e-3))
    assert full == {}
    chosen = space_of(load("t5-small-lora"), [["q"], ["q", "v"], "all-linear"])
    assert chosen["method.targets"] == OneOf((["q"], ["q", "v"], "all-linear"))
    assert "method.targets" not in space_of(load("bart-base-lora"))
    with pytest.raises(ConfigError, match="trains nothing by steps"):
        space_of(load("naive-bayes"))
    with pytest.raises(ConfigError, match="no adapters"):
        space_of(load("t5-small-full"), ["all-linear"])
