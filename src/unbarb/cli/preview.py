"""``unbarb data preview``: rows as the model will see them, and which tokens count in the loss."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.text import Text

from unbarb.cli.marks import shown
from unbarb.cli.options import pair
from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from unbarb.train.schema import TrainRecipe

COUNTS, READ = "bold green", "dim"
Tokens = list[dict[str, Any]]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("preview")(preview)


def preview(
    prepared: Annotated[Path, typer.Argument(help="A set of `unbarb data prepare`.")],
    recipe: Annotated[str, typer.Option(help="A recipe file, or the name of one that ships.")],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="So many rows.")] = 5,
    split: Annotated[Literal["train", "dev", "test"], typer.Option(help="Of this split.")] = "train",
    model: Annotated[
        Path | None, typer.Option(help="A local folder with the recipe's model; its tokenizer is enough.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value of the recipe; repeatable.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One row a line, as JSON.")] = False,
) -> None:
    """Show the first rows as the model will see them.

    What counts in the loss is bold and green, or stands in «…» where there are no colours. Rows beyond
    the recipe's limits say so.

    Exit codes: 0 done, 2 a set, recipe or tokenizer that cannot be read.
    """
    overrides = dict(pair(one) for one in set_ or [])
    if model is not None:
        overrides |= {"model.name": json_format.dumps(str(model)), "model.revision": "null"}
    try:
        from unbarb.train.reader import load

        told = list(seen(load(recipe, overrides), Prepared.load(prepared), split, rows))
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb data preview", error.name, "train") from error
    console = Console(highlight=False)
    for one in told:
        if json:
            typer.echo(json_format.dumps(one, ensure_ascii=False))
        else:
            console.print(drawn(one, colours=console.is_terminal and not console.no_color), soft_wrap=True)


def seen(recipe: TrainRecipe, prepared: Prepared, split: str, most: int) -> Iterator[dict[str, Any]]:
    """The first rows: ``id``, ``part`` (target, chosen …), ``tokens``, how many, and what is too long.

    Raises:
        ConfigError: the recipe has no base model, or learns from rows of another kind.
    """
    from unbarb.train.models import is_encoder_decoder, load_tokenizer
    from unbarb.train.objectives import check_rows
    from unbarb.train.packaged import packaged
    from unbarb.train.supervised import Encoder, rows_as_seen

    if recipe.model is None:
        raise ConfigError(f"{recipe.name} learns from words; there are no tokens to show")
    if recipe.objective == "infill":
        raise ConfigError(
            f"{recipe.name}: infill hides other words in every epoch, so no row stands as the model will"
            f" see it; the texts themselves are in {prepared.folder / split}.jsonl"
        )
    check_rows(recipe.objective, prepared)
    part = packaged(recipe.model)
    given = prepared.split(split)[:most]
    tokenizer = load_tokenizer(part)
    if recipe.objective == "classification":
        yield from (classified(row, tokenizer, recipe) for row in given)
        return
    both = recipe.objective == "preference"
    seq2seq = recipe.objective == "seq2seq" or (both and is_encoder_decoder(part))
    encoder = Encoder(tokenizer, recipe.build_template(), seq2seq=seq2seq)
    column = "labels" if recipe.objective == "generative" else "target"
    for row in given:
        for target in ("chosen", "rejected") if both else (column,):
            (pieces,) = rows_as_seen([row], encoder, target=target)
            tokens = [{"text": one.text, "counts": one.counts} for one in pieces]
            yield entry(row, target, tokens, recipe)


def classified(row: Mapping[str, Any], tokenizer: Any, recipe: TrainRecipe) -> dict[str, Any]:
    """A row of a classifier: no token counts, the labels do."""
    names = tokenizer.convert_ids_to_tokens(tokenizer(row["text"])["input_ids"])
    tokens = [{"text": f"{name} ", "counts": False} for name in names]
    wanted = {label: row["labels"].get(label) for label in recipe.data.labels}
    return {**entry(row, "labels", tokens, recipe), "labels": wanted}


def entry(row: Mapping[str, Any], part: str, tokens: Tokens, recipe: TrainRecipe) -> dict[str, Any]:
    """What is told of a row."""
    counted = sum(bool(token["counts"]) for token in tokens)
    read = len(tokens) - counted
    limits = {"source": (read, recipe.data.max_source_tokens)}
    if recipe.objective != "classification":
        limits["target"] = (counted, recipe.data.max_target_tokens)
    long = [name for name, (count, most) in limits.items() if count > most]
    return {
        "id": str(row["id"]),
        "part": part,
        "tokens": tokens,
        "read": read,
        "counted": counted,
        "too_long": long,
    }


def drawn(one: Mapping[str, Any], *, colours: bool) -> Text:
    """A row as a person reads it: a line about it, then its tokens."""
    told = f"{one['id']} ({one['part']}): {one['read']} tokens read, {one['counted']} count in the loss"
    if one["too_long"]:
        told += f"; longer than data.max_{'_tokens, data.max_'.join(one['too_long'])}_tokens"
    text = Text(shown(told) + "\n", style="bold")
    line = Text(style="not bold")
    for counts, words in stretches(one["tokens"]):
        if colours:
            line.append(shown(words), style=COUNTS if counts else READ)
        else:
            line.append(f"«{shown(words)}»" if counts else shown(words))
    for label, value in one.get("labels", {}).items():
        line.append(f"\n  {label}: {'unknown' if value is None else format(value, 'g')}")
    return text.append_text(line).append("\n")


def stretches(tokens: Sequence[Mapping[str, Any]]) -> Iterator[tuple[bool, str]]:
    """Neighbouring tokens of one kind as one text."""
    start = 0
    for at in range(1, len(tokens) + 1):
        if at == len(tokens) or tokens[at]["counts"] != tokens[start]["counts"]:
            yield bool(tokens[start]["counts"]), "".join(str(one["text"]) for one in tokens[start:at])
            start = at
