"""``unbarb models``: what the package ships, and whether it is whole."""

from __future__ import annotations

import json as json_format
import sys
from typing import Annotated

import typer

from unbarb.cli.cards import HOME, Card, cards, named, problems
from unbarb.cli.paragraphs import paragraphs

DAMAGED = 3
"""Exit code of ``verify``: as for rows, what is there cannot all be used."""


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(
        invoke_without_command=True, rich_markup_mode=None, help="List, show and verify models."
    )
    group.callback()(models)
    group.command("show")(show)
    group.command("verify")(verify)
    app.add_typer(group, name="models")


def models(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One model a line, as JSON.")] = False,
) -> None:
    """List, show and verify the models in the package."""
    if context.invoked_subcommand is not None:
        return
    for card in cards(HOME):
        if json:
            typer.echo(json_format.dumps(card.summary(), ensure_ascii=False))
        else:
            typer.echo("\n".join(_listed(card)))


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name that `unbarb models` lists.")],
    json: Annotated[bool, typer.Option("--json", help="The card as it is in the package.")] = False,
) -> None:
    """Show a model's card: data, licences, recipe, scores, intended use and limits."""
    card = named(HOME, name)
    if json:
        typer.echo(json_format.dumps(card.content, ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join([*_listed(card), "", *paragraphs(card.content)]))


def verify() -> None:
    """Compute the digests of all model files again and compare them with the cards.

    Exit codes: 0 all are whole, 3 some are missing or damaged.
    """
    damaged = False
    for card in cards(HOME):
        found = problems(card)
        damaged = damaged or bool(found)
        for problem in found:
            print(f"unbarb: {card.name}: {problem}", file=sys.stderr)
        state = f"{len(found)} damaged" if found else "whole"
        typer.echo(f"{card.name}: {len(card.files)} files, {state}")
    if damaged:
        print("unbarb: install the package again, or make the model with `unbarb train`", file=sys.stderr)
        raise typer.Exit(DAMAGED)


def _listed(card: Card) -> list[str]:
    size = f"{card.size / 1e6:.1f} MB" if card.size >= 100_000 else f"{card.size / 1e3:.1f} kB"
    lines = [f"{card.name}  {size}  {card.licence}", f"  {card.digest}"]
    return [*lines, f"  {card.purpose}"] if card.purpose else lines
