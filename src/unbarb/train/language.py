"""Plain language modelling: every token of a text is learnt from those before it.

There is no prompt and no answer. A text is read as the model's tokenizer begins it, its end is learnt
too, and the first token, which nothing precedes, counts in no loss. A text beyond
``data.max_target_tokens`` becomes several rows with ``data.too_long: cut``; each begins with the last
token of the row before, so that every token is learnt once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from unbarb.data.prepared import Prepared
from unbarb.errors import InputError
from unbarb.train.causal import fit
from unbarb.train.models import load, tokenizer_for
from unbarb.train.rewriters import counts, save, taken
from unbarb.train.run import Run
from unbarb.train.schema import DataPart, TrainRecipe
from unbarb.train.supervised import Encoded, Rows


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> dict[str, Any]:
    """Train on texts into the run's folder and give the last facts of ``run.json``.

    Raises:
        ConfigError: the model or the method cannot be had, or the model's rows cannot be packed.
        InputError: texts cannot be learnt from, the hub cannot be reached, or the disk is too small.
    """
    tokenizer = tokenizer_for(recipe, "causal")
    rows = encode(taken(recipe, prepared), tokenizer, recipe.data, where="train.jsonl")
    dev = encode(prepared.split("dev"), tokenizer, recipe.data, where="dev.jsonl")
    loaded = load(recipe, "causal", tokenizer, run)
    trainer, facts = fit(recipe, loaded, rows, dev, run)
    save(trainer, loaded, None, run, recipe)
    return {**facts, **counts(rows, dev)}


def encode(rows: Sequence[Mapping[str, Any]], tokenizer: Any, data: DataPart, *, where: str) -> Rows:
    """Every text as ids; ``max_target_tokens`` and ``too_long`` of `data` say what becomes of long ones.

    Raises:
        InputError: texts are too long (with ``too_long: error``), or none is left.
    """
    encoded: list[Encoded] = []
    long: list[tuple[str, int]] = []
    for row in rows:
        parts = list(pieces(str(row["id"]), ids(row["text"], tokenizer), data.max_target_tokens))
        if len(parts) > 1:
            long.append((str(row["id"]), sum(len(part.target) for part in parts)))
        if len(parts) == 1 or data.too_long != "drop":
            encoded += parts
    if long and data.too_long == "error":
        name, length = long[0]
        raise InputError(
            f"{where}: {len(long):,} texts are longer than data.max_target_tokens {data.max_target_tokens},"
            f" as {name!r} ({length} tokens); set data.too_long to cut (they become several rows) or drop"
        )
    if rows and not encoded:
        raise InputError(
            f"{where}: data.max_target_tokens {data.max_target_tokens} leaves no text; set more"
        )
    if data.too_long == "drop":
        return Rows(encoded, dropped=len(long))
    return Rows(encoded, cut=len(long))


def ids(text: str, tokenizer: Any) -> list[int]:
    """The ids of a whole text, its end included."""
    found = list(tokenizer(text)["input_ids"])
    end = tokenizer.eos_token_id
    return found if end is None or (found and found[-1] == end) else [*found, end]


def pieces(name: str, found: Sequence[int], longest: int) -> Iterator[Encoded]:
    """A text's ids as rows of at most `longest` learnt tokens behind one that is only read."""
    for start in range(0, len(found) - 1, longest):
        target = tuple(found[start + 1 : start + 1 + longest])
        yield Encoded(name, (found[start],), target, seq2seq=False)
