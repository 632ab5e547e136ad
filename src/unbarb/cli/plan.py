"""``unbarb plan``: what a recipe trains and the memory it takes, before anything is fetched."""

from __future__ import annotations

import json as json_format
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from unbarb.cli.options import pair
from unbarb.errors import MissingExtra

if TYPE_CHECKING:
    from unbarb.train.plan import Plan

TOO_LARGE = 1
PARTS = ("weights", "adapters", "gradients", "optimizer", "activations", "logits")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("plan")(plan)


def plan(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of one that ships.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value, as method.rank=16; repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object; memory in bytes.")] = False,
) -> None:
    """Show what a recipe trains and what memory a step takes, without weights.

    Matched modules, trainable and all parameters, and memory by part for a batch in which every row is
    full. A requested target that matches nothing is an error.

    Exit codes: 0 it fits the device at hand, 1 it does not, 2 the recipe cannot be carried out.
    """
    overrides = dict(pair(one) for one in set_ or [])
    try:
        from unbarb.train.plan import plan as make
        from unbarb.train.reader import load
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb plan", error.name, "train") from error
    settings = load(recipe, overrides)
    with warnings.catch_warnings():
        # What libraries say of a model that is really loaded does not hold for its outline.
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            made = make(settings)
        finally:
            logging.disable(logging.NOTSET)
    if json:
        typer.echo(json_format.dumps(made.to_dict(), indent=2))
    else:
        typer.echo("\n".join(told(made)))
    if not made.fits:
        raise typer.Exit(TOO_LARGE)


def told(plan: Plan) -> Iterator[str]:
    """The lines a person reads."""
    yield f"{plan.recipe}: {plan.architecture}"
    yield from (f"  {line}" for line in plan.targets.lines())
    share = plan.trainable / plan.total
    yield f"trained: {plan.trainable:,} of {plan.total:,} parameters ({share:.4%})"
    rows, *lengths = plan.batch
    yield f"memory for a batch of {rows} × {' + '.join(map(str, lengths))} tokens, at its peak:"
    for name in PARTS:
        yield f"  {name:<12}{size(getattr(plan.memory, name)):>12}"
    yield f"  {'together':<12}{size(plan.memory.peak):>12}"
    verdict = "fits" if plan.fits else "does not fit"
    yield f"{verdict} {plan.device.name} ({size(plan.device.memory)})"


def size(count: int) -> str:
    """Bytes as people say them, in powers of 1024."""
    for unit, bytes_ in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count >= bytes_:
            return f"{count / bytes_:,.2f} {unit}"
    return f"{count / 1024:,.1f} KiB" if count else "–"
