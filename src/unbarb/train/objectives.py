"""The one door to training: a recipe's objective names the module that carries it out.

A module of the list has a function ``train(recipe, prepared, run)`` which checks the rows, trains, writes
``run.model`` and gives the facts that ``run.json`` ends with. It is imported when it is asked for, so that
naive Bayes needs no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError, InputError, MissingExtra
from unbarb.train.run import Run

OBJECTIVES: Mapping[str, str] = {
    "seq2seq": "unbarb.train.seq2seq",
    "causal": "unbarb.train.causal",
    "language": "unbarb.train.language",
    "preference": "unbarb.train.preference",
    "infill": "unbarb.train.infill",
    "generative": "unbarb.train.generative",
    "classification": "unbarb.train.classification",
    "naive_bayes": "unbarb.train.naive_bayes",
    "logistic": "unbarb.train.logistic",
    "bilstm": "unbarb.train.bilstm",
}

KINDS: Mapping[str, str] = {
    "seq2seq": "pairs",
    "causal": "pairs",
    "language": "texts",
    "preference": "preferences",
    "infill": "labelled",
    "generative": "labelled",
    "classification": "labelled",
    "naive_bayes": "labelled",
    "logistic": "labelled",
    "bilstm": "labelled",
}
"""The kind of rows that each objective learns from."""


class Objective(Protocol):
    """Train on the prepared rows into the run's folder and give the last facts of ``run.json``."""

    def __call__(self, recipe: Any, prepared: Prepared, run: Run) -> Mapping[str, Any]: ...


def train(recipe: Any, prepared: Prepared, out: Path | str, *, quiet: bool = False) -> dict[str, Any]:
    """Carry out a recipe on a prepared set and give what ``run.json`` says in the end.

    A folder with an interrupted run of the same recipe and data is gone on with; a finished one is read.

    Raises:
        ConfigError: the objective is unknown, the rows are of another kind, or `out` holds another run.
        InputError: the rows cannot be learnt from, a split leaks, or the disk is too small.
        MissingExtra: the objective needs a package that is not installed.
    """
    carry_out = objective(recipe.objective)
    check_rows(recipe.objective, prepared)
    check_plan(recipe.data.plan, prepared)
    digests = {"data": prepared.digest}
    with Run.begin(out, recipe=as_dict(recipe), digests=digests, quiet=quiet) as run:
        if run.finished:
            return run.facts
        facts = carry_out(recipe, prepared, run)
        return run.finish(**facts)


def objective(name: str) -> Objective:
    """The function that carries out the objective `name`.

    Raises:
        ConfigError: there is none.
        MissingExtra: it needs a package that is not installed.
    """
    if name not in OBJECTIVES:
        raise ConfigError(f"objective {name!r}: trained here are {', '.join(OBJECTIVES)}")
    try:
        module = import_module(OBJECTIVES[name])
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature(f"objective {name}", error.name, "train") from error
    return cast(Objective, module.train)


def check_rows(name: str, prepared: Prepared) -> None:
    """Refuse rows of another kind, no rows, and splits that share a source.

    Raises:
        ConfigError: the set is of another kind.
        InputError: there is nothing to learn from, or what is learnt would be measured again.
    """
    needed = KINDS[name]
    if prepared.kind != needed:
        raise ConfigError(
            f"objective {name} learns from {needed}, and {prepared.folder} holds {prepared.kind};"
            f" prepare a set with `unbarb data prepare --kind {needed}`"
        )
    leaks = prepared.leaks()
    if leaks:
        told = "; ".join(f"{pair} share {len(both):,}, as {both[0]!r}" for pair, both in leaks.items())
        raise InputError(f"{prepared.folder} leaks: {told}; prepare the set anew, it divides by source")
    if not prepared.split("train"):
        raise InputError(
            f"{prepared.folder / 'train.jsonl'} has no rows; prepare the set from a larger corpus"
        )


def check_plan(wanted: str | None, prepared: Prepared) -> None:
    """Refuse a set that was not balanced by the plan a recipe names.

    Raises:
        ConfigError: it was balanced by another one, or by none.
    """
    made = (prepared.manifest.get("plan") or {}).get("name")
    if wanted is not None and made != wanted:
        raise ConfigError(
            f"data.plan is {wanted!r}, and {prepared.folder} was prepared by {made or 'no plan'};"
            f" prepare it with `--plan {wanted}`, or --set data.plan=null"
        )


def as_dict(recipe: Any) -> dict[str, Any]:
    """A recipe's values as plain lists, mappings and scalars."""
    return cast(dict[str, Any], recipe.to_dict())
