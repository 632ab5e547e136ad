"""Rows become token ids and labels: what a model reads, and which tokens count in the loss.

Only the answer counts. A causal model reads prompt and answer as one sequence whose prompt tokens have
the label −100; an encoder-decoder reads the prompt and is taught the answer alone. Prompt and answer are
tokenized apart, as they are when the model is asked, so that no token spans both.

What would spoil a training in silence stops it here: an answer that does not fit, an answer of which
nothing counts, an empty target, a missing column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from unbarb.errors import InputError
from unbarb.prompt import Template

IGNORED = -100
"""The label of a token that does not count (torch's cross entropy leaves it out)."""

SHOWN = 5
"""So many rows are named for a problem, the others counted."""

TooLong = Literal["error", "drop", "cut"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Most tokens of a prompt and of an answer, special tokens included, and what is done beyond them."""

    source: int
    target: int
    too_long: TooLong = "error"

    @classmethod
    def of(cls, data: Any) -> Limits:
        """Those of a recipe's ``data``."""
        return cls(data.max_source_tokens, data.max_target_tokens, data.too_long)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row as token ids. `labels` are as long as `source` and `target` together for a causal model.

    `seq2seq` says which of the two it is for.
    """

    id: str
    source: tuple[int, ...]
    target: tuple[int, ...]
    seq2seq: bool

    @property
    def input_ids(self) -> list[int]:
        return list(self.source if self.seq2seq else self.source + self.target)

    @property
    def labels(self) -> list[int]:
        return list(self.target) if self.seq2seq else [IGNORED] * len(self.source) + list(self.target)

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return len(self.source) + len(self.target)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that can be learnt from, and how many were left out or cut for their length."""

    encoded: list[Encoded]
    dropped: int = 0
    cut: int = 0

    @property
    def mean_tokens(self) -> float:
        return sum(row.tokens for row in self.encoded) / max(1, len(self.encoded))


@dataclass(frozen=True, slots=True)
class Seen:
    """A token as text, and whether it counts in the loss."""

    text: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Encoder:
    """Turns texts and answers into ids, by one template and one tokenizer."""

    tokenizer: Any
    template: Template
    seq2seq: bool

    def prompt(self, text: str) -> list[int]:
        """The ids a model is asked with; special tokens as tokenizer or chat template put them."""
        return self.template.ids(text, self.tokenizer, seq2seq=self.seq2seq)

    def answer(self, target: str | Mapping[str, float]) -> list[int]:
        """The ids a model is taught, its end included."""
        words = self.template.answer(target)
        if self.seq2seq:
            ids = list(self.tokenizer(text_target=words)["input_ids"])
        else:
            ids = list(self.tokenizer(words, add_special_tokens=False)["input_ids"])
        end = self.tokenizer.eos_token_id
        return ids if end is None or (ids and ids[-1] == end) else [*ids, end]

    def cut(self, text: str, limit: int) -> list[int]:
        """The ids of the longest beginning of `text` whose prompt fits; what follows it stays whole."""
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            if len(self.prompt(text[:middle])) <= limit:
                low = middle
            else:
                high = middle - 1
        return self.prompt(text[:low])

    def row(self, row: Mapping[str, Any], target: str) -> Encoded:
        """A row whose answer is in the column `target`."""
        text = row["text"] if target == "labels" else row["source"]
        return Encoded(
            str(row["id"]), tuple(self.prompt(text)), tuple(self.answer(row[target])), self.seq2seq
        )


def encode(
    rows: Sequence[Mapping[str, Any]],
    encoder: Encoder,
    limits: Limits,
    *,
    where: str,
    target: str = "target",
) -> Rows:
    """Every row as ids; `target` is the column with the answer and `where` the file, for messages.

    Raises:
        InputError: a column is missing, a text is empty, an answer or (with ``too_long: error``) a prompt
            is too long, or no token of an answer counts; all at once, with rows, lengths and what to set.
    """
    problems = list(_columns(rows, target, where))
    if problems:
        raise InputError("\n".join(problems))
    encoded = [encoder.row(row, target) for row in rows]
    long_answers = [row for row in encoded if len(row.target) > limits.target]
    long_prompts = [row for row in encoded if len(row.source) > limits.source]
    specials = set(encoder.tokenizer.all_special_ids)
    silent = [row for row in encoded if not set(row.target) - specials]
    if silent:
        problems.append(
            f"{where}: {_named(silent)}: no token of the answer counts in the loss, for the tokenizer keeps"
            " nothing of it; use another base model or drop the rows"
        )
    if limits.too_long != "drop":
        problems += _too_long(long_answers, "answer", "data.max_target_tokens", limits.target, where)
    if limits.too_long == "error":
        problems += _too_long(long_prompts, "prompt", "data.max_source_tokens", limits.source, where)
    if problems:
        raise InputError("\n".join(problems))
    if limits.too_long == "drop":
        out = {id(row) for row in (*long_answers, *long_prompts)}
        kept = [row for row in encoded if id(row) not in out]
        if encoded and not kept:
            raise InputError(
                f"{where}: every row is longer than data.max_source_tokens {limits.source} or"
                f" data.max_target_tokens {limits.target}, so none is left; set more"
            )
        return Rows(kept, dropped=len(encoded) - len(kept))
    long_ids = {id(row) for row in long_prompts}
    cut = [
        _cut(row, given, encoder, limits, where) if id(row) in long_ids else row
        for row, given in zip(encoded, rows, strict=True)
    ]
    return Rows(cut, cut=len(long_prompts))


def rows_as_seen(
    rows: Sequence[Mapping[str, Any]], encoder: Encoder, *, target: str = "target"
) -> list[list[Seen]]:
    """Each row as the model will see it: its tokens in order, with the flag of the loss; nothing is cut.

    The texts of a row's tokens, joined, are what the tokenizer decodes for the whole of it.
    """
    seen = []
    for row in rows:
        encoded = encoder.row(row, target)
        parts = [(encoded.source, False), (encoded.target, True)]
        seen.append(
            [Seen(text, counts) for ids, counts in parts for text in pieces(encoder.tokenizer, ids)]
        )
    return seen


def pieces(tokenizer: Any, ids: Sequence[int]) -> Iterator[str]:
    """The text that each token adds to what stands before it; of a character's tokens, the last has it."""
    told = ""
    for end in range(1, len(ids) + 1):
        text = tokenizer.decode(list(ids[:end]), clean_up_tokenization_spaces=False)
        if end < len(ids):
            text = text.rstrip("\N{REPLACEMENT CHARACTER}")
        yield text[len(told) :]
        told = text if len(text) > len(told) else told


def pad(batch: Sequence[Encoded], pad_id: int, *, multiple: int = 1) -> dict[str, Tensor]:
    """A batch as tensors (rows, longest): ``input_ids``, ``attention_mask`` (1 real, 0 pad), ``labels``.

    Pads have the label −100. Lengths are rounded up to a `multiple`, which the matrix units of GPUs like.
    """
    ids = [row.input_ids for row in batch]
    return {
        "input_ids": padded(ids, pad_id, multiple),
        "attention_mask": padded([[1] * len(one) for one in ids], 0, multiple),
        "labels": padded([row.labels for row in batch], IGNORED, multiple),
    }


def padded(rows: Sequence[Sequence[int]], value: int, multiple: int = 1, *, left: bool = False) -> Tensor:
    """Rows of ids as one tensor (rows, longest), filled up with `value`, before them with `left`."""
    longest = max(map(len, rows))
    width = -(-longest // multiple) * multiple
    filled = torch.full((len(rows), width), value, dtype=torch.long)
    for at, row in enumerate(rows):
        place = slice(width - len(row), width) if left else slice(0, len(row))
        filled[at, place] = torch.tensor(row, dtype=torch.long)
    return filled


def _columns(rows: Sequence[Mapping[str, Any]], target: str, where: str) -> Iterator[str]:
    needed = ("text", "labels") if target == "labels" else ("source", target)
    for column in needed:
        missing = [str(row.get("id")) for row in rows if column not in row]
        empty = [
            str(row.get("id"))
            for row in rows
            if column in row and not (row[column].strip() if isinstance(row[column], str) else row[column])
        ]
        if missing:
            found = ", ".join(next(row for row in rows if column not in row))
            yield f"{where}: {_ids(missing)}: no column {column!r}; found {found}"
        if empty:
            yield f"{where}: {_ids(empty)}: {column!r} is empty; drop the row or fill it in"


def _too_long(long: Sequence[Encoded], what: str, key: str, limit: int, where: str) -> Iterator[str]:
    if not long:
        return
    counts = [len(row.target if what == "answer" else row.source) for row in long]
    shown = zip(long[:SHOWN], counts, strict=False)
    lengths = ", ".join(f"{row.id!r} ({count} tokens)" for row, count in shown)
    more = f" and {len(long) - SHOWN:,} more" if len(long) > SHOWN else ""
    yield (
        f"{where}: the {what} is longer than {key} {limit} in {len(long):,} row{'s' * (len(long) > 1)}:"
        f" {lengths}{more}; set {key} to {max(counts)}, or data.too_long to drop"
        + (" or cut" if what == "prompt" else "")
    )


def _cut(row: Encoded, given: Mapping[str, Any], encoder: Encoder, limits: Limits, where: str) -> Encoded:
    text = given["text"] if "text" in given else given["source"]
    source = encoder.cut(text, limits.source)
    if len(source) > limits.source:
        raise InputError(
            f"{where}: the template's own words take {len(source)} tokens, more than"
            f" data.max_source_tokens {limits.source}; set more"
        )
    return Encoded(row.id, tuple(source), row.target, row.seq2seq)


def _named(rows: Sequence[Encoded]) -> str:
    return _ids([row.id for row in rows])


def _ids(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - SHOWN:,} more" if len(ids) > SHOWN else ""
    return f"row{'s' * (len(ids) > 1)} {', '.join(map(repr, ids[:SHOWN]))}{more}"
