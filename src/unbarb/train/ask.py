"""What the model of a finished run says to rows that it may never have seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from unbarb.errors import InputError
from unbarb.train.schema import TrainRecipe

RECIPE, MODEL = "recipe.yaml", "model"
LABELLED = ("classification", "naive_bayes", "logistic", "bilstm", "generative")
REWRITERS = ("seq2seq", "causal", "preference")


def ask(run: Path, kind: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each of the rows, of the `kind` of their prepared set, with its ``prediction`` or its ``scores``.

    Raises:
        InputError: the run learnt from rows of another kind.
        ModelError: its model does not load.
    """
    recipe = TrainRecipe.model_validate(yaml.safe_load((run / RECIPE).read_text("utf-8")))
    wanted = REWRITERS if kind == "pairs" else LABELLED
    if recipe.objective not in wanted:
        raise InputError(
            f"{run} learnt {recipe.objective}, and {kind} rows are answered by {', '.join(wanted)};"
            " give other --data, or other runs"
        )
    if recipe.objective in LABELLED and recipe.objective != "generative":
        from unbarb.train.classified import classified

        return classified(run / MODEL, rows)
    from unbarb.train.generating import generated

    return generated(run / MODEL, recipe, rows)
