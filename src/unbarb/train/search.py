"""Search for better values of a recipe: many short runs, the hopeless ones stopped early.

Optuna proposes (tree-structured Parzen estimator) and prunes by the median of earlier trials at the
same step. Trials are kept in ``OUT/search.db`` (SQLite), so that a search that was stopped goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import optuna
from optuna.trial import FrozenTrial, TrialState

from unbarb.errors import ConfigError
from unbarb.train.schema import ADAPTERS, TrainRecipe

matplotlib.use("Agg")

Watch = Callable[[int, float], None]
"""Called with a step and the dev loss there; raises when the trial is not worth going on."""

CarryOut = Callable[[TrainRecipe, Path, Watch], float]
"""Trains a recipe into a folder and gives the best dev loss; calls its `Watch` on the way."""

WARM_TRIALS = 3
"""So many trials run to their end before any is pruned."""


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers from `low` to `high`, drawn by their logarithm."""

    low: float
    high: float

    def suggest(self, trial: optuna.Trial, key: str) -> float:
        return trial.suggest_float(key, self.low, self.high, log=True)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few values of any kind; Optuna is told of them as JSON, which its storage can hold."""

    values: tuple[Any, ...]

    def suggest(self, trial: optuna.Trial, key: str) -> Any:
        return json.loads(trial.suggest_categorical(key, [json.dumps(one) for one in self.values]))


Space = Mapping[str, Between | OneOf]
"""Dotted key of a recipe → where its value is looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search has come to: the trials so far, the best recipe, and its dev loss."""

    trials: list[dict[str, Any]]
    recipe: TrainRecipe
    value: float


def space_of(recipe: TrainRecipe, targets: Sequence[list[str] | str] = ()) -> Space:
    """Where to look, from the recipe's own values: the learning rate, and rank and targets of adapters.

    The rate goes from a tenth to ten times the recipe's. `targets` are those to choose from; without
    any, the recipe's own and ``all-linear``.

    Raises:
        ConfigError: the recipe trains nothing by gradients, or it has no targets to choose.
    """
    if recipe.objective in ("naive_bayes", "logistic") or recipe.method.name == "none":
        raise ConfigError(
            f"{recipe.name} trains nothing by steps ({recipe.objective}, {recipe.method.name}); there is"
            " no learning rate, rank or targets to search for"
        )
    rate = recipe.training.learning_rate
    space: dict[str, Between | OneOf] = {"training.learning_rate": Between(rate / 10, rate * 10)}
    if recipe.model is None or recipe.method.name not in ADAPTERS:
        if targets:
            raise ConfigError(f"{recipe.name} has no adapters; leave --targets out")
        return space
    space["method.rank"] = OneOf(tuple(sorted({4, 8, 16, 32, recipe.method.rank})))
    choices = [json.dumps(one) for one in targets or (recipe.method.targets, "all-linear")]
    if len(set(choices)) > 1:
        space["method.targets"] = OneOf(tuple(json.loads(one) for one in dict.fromkeys(choices)))
    return space


def search(
    recipe: TrainRecipe,
    carry_out: CarryOut,
    out: Path,
    *,
    trials: int,
    space: Space,
    fingerprint: str,
    told: Callable[[str], None] = lambda line: None,
) -> Found:
    """Carry out `trials` trials, those of an earlier process included, and write what came of them.

    `fingerprint` says what was trained on: a search goes on only with the same recipe, rows and space.
    Written are ``trials.jsonl``, ``best.yaml`` and ``search.png``, anew after every trial.

    Raises:
        ConfigError: the folder holds another search, or no trial was finished.
    """
    out.mkdir(parents=True, exist_ok=True)
    study = _study(recipe, out, space, fingerprint)
    while (done := _done(study)) < trials:
        trial = study.ask()
        wanted = _changed(recipe, trial, space)

        def watch(step: int, value: float, trial: optuna.Trial = trial) -> None:
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        try:
            value = carry_out(wanted, out / "trials" / f"{trial.number:03}", watch)
        except optuna.TrialPruned:
            study.tell(trial, state=TrialState.PRUNED)
            told(f"trial {done + 1} of {trials}: stopped early; {_said(trial.params)}")
        except BaseException:
            study.tell(trial, state=TrialState.FAIL)
            raise
        else:
            study.tell(trial, value)
            told(f"trial {done + 1} of {trials}: dev loss {value:.4f}; {_said(trial.params)}")
        _write(study, recipe, space, out)
    _write(study, recipe, space, out)
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        raise ConfigError(f"{out}: no trial was finished; allow more --trials")
    return Found([_row(one) for one in study.trials], _best(study, recipe, space), float(study.best_value))


def _study(recipe: TrainRecipe, out: Path, space: Space, fingerprint: str) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{out / 'search.db'}",
        study_name=recipe.name,
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=recipe.training.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=WARM_TRIALS),
        direction="minimize",
    )
    about = json.dumps({"recipe": recipe.to_dict(), "space": repr(dict(space)), "rows": fingerprint})
    if study.user_attrs.setdefault("about", about) != about:
        raise ConfigError(f"{out}: holds a search over another recipe, set or space; give another --out")
    study.set_user_attr("about", about)
    for one in study.get_trials(states=(TrialState.RUNNING,)):  # a process that was killed left it
        study.tell(one.number, state=TrialState.FAIL)
    return study


def _done(study: optuna.Study) -> int:
    return len(study.get_trials(states=(TrialState.COMPLETE, TrialState.PRUNED)))


def _changed(recipe: TrainRecipe, trial: optuna.Trial, space: Space) -> TrainRecipe:
    """The recipe of a trial. Alpha follows the rank, so that adapters are scaled as they were."""
    values = {key.replace(".", "__"): where.suggest(trial, key) for key, where in space.items()}
    if (rank := values.get("method__rank")) is not None:
        values["method__alpha"] = recipe.method.alpha / recipe.method.rank * rank
    return recipe.changed(**values)


def _best(study: optuna.Study, recipe: TrainRecipe, space: Space) -> TrainRecipe:
    fixed: Any = optuna.trial.FixedTrial(study.best_params)
    return _changed(recipe, fixed, space)


def _row(trial: FrozenTrial) -> dict[str, Any]:
    values = {key: json.loads(one) if isinstance(one, str) else one for key, one in trial.params.items()}
    steps = trial.intermediate_values
    seconds = trial.duration.total_seconds() if trial.duration else None
    return {"trial": trial.number, "state": trial.state.name.lower(), "eval_loss": trial.value, **values,
            "steps": max(steps, default=None), "seconds": seconds}  # fmt: skip


def _said(params: Mapping[str, Any]) -> str:
    values = ((key, f"{one:.3g}" if isinstance(one, float) else one) for key, one in params.items())
    return ", ".join(f"{key} {one}" for key, one in values)


def _write(study: optuna.Study, recipe: TrainRecipe, space: Space, out: Path) -> None:
    lines = [json.dumps(_row(one)) + "\n" for one in study.trials]
    (out / "trials.jsonl").write_text("".join(lines), encoding="utf-8")
    if not study.get_trials(states=(TrialState.COMPLETE,)):
        return
    best = _best(study, recipe, space).to_yaml()
    head = f"# unbarb train {out / 'best.yaml'} --data DIR --out runs/{recipe.name}-best\n#\n"
    about = f"# The best of {_done(study)} trials: dev loss {study.best_value:.6g}.\n"
    (out / "best.yaml").write_text(head + about + best, encoding="utf-8")
    _draw(study, out / "search.png")


def _draw(study: optuna.Study, path: Path) -> None:
    """One panel a searched key: the dev loss of every finished trial over its value."""
    from matplotlib import pyplot

    finished = study.get_trials(states=(TrialState.COMPLETE,))
    keys = sorted({key for one in finished for key in one.params})
    figure, axes = pyplot.subplots(1, len(keys), figsize=(4 * len(keys), 3), squeeze=False, sharey=True)
    for panel, key in zip(axes[0], keys, strict=True):
        values = [one.params[key] for one in finished]
        panel.scatter(values, [one.value for one in finished])
        panel.set_xlabel(key)
        if all(isinstance(one, float) for one in values):
            panel.set_xscale("log")
        else:
            panel.tick_params(axis="x", labelrotation=20)
    axes[0][0].set_ylabel("dev loss")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
