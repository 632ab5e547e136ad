"""What counts in the loss is the answer, whole and alone; what would spoil it stops the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tokenizers import normalizers

import tiny_bases
from unbarb.errors import InputError
from unbarb.prompt import built_in
from unbarb.train.supervised import IGNORED, Encoder, Limits, encode, pad, rows_as_seen

ROOM = Limits(128, 64)
KINDS = [(True, "t5-prefix"), (False, "detoxify"), (False, "alpaca"), (False, "plain")]


def encoder(seq2seq: bool, template: str = "detoxify") -> Encoder:
    return Encoder(tiny_bases.tokenizer(seq2seq), built_in(template), seq2seq)


def rows(**changed: Any) -> list[dict[str, Any]]:
    found = [dict(row) for row in tiny_bases.pairs()]
    found[3] |= changed
    return found


@pytest.mark.parametrize(("seq2seq", "template"), KINDS)
def test_the_labels_decode_to_the_neutral_text_and_nothing_else(seq2seq: bool, template: str) -> None:
    ours = encoder(seq2seq, template)
    encoded = encode(rows(), ours, ROOM, where="train.jsonl").encoded
    batch = pad(encoded, ours.tokenizer.pad_token_id)
    assert len(encoded) == len(tiny_bases.pairs())
    for labels, row in zip(batch["labels"].tolist(), tiny_bases.pairs(), strict=True):
        counted = [one for one in labels if one != IGNORED]
        assert ours.tokenizer.decode(counted) == row["target"] + "</s>"


@pytest.mark.parametrize(("seq2seq", "template"), KINDS)
def test_the_input_holds_the_prompt_that_serving_asks(seq2seq: bool, template: str) -> None:
    ours = encoder(seq2seq, template)
    row = encode(rows()[:1], ours, ROOM, where="train.jsonl").encoded[0]
    asked = ours.template.ids(rows()[0]["source"], ours.tokenizer, seq2seq=seq2seq)
    assert row.input_ids[: len(asked)] == asked
    assert len(row.input_ids) == (len(asked) if seq2seq else len(row.labels))
    if not seq2seq:
        assert row.labels[: len(asked)] == [IGNORED] * len(asked)
        assert row.input_ids[len(asked) :] == row.labels[len(asked) :]


def test_pads_are_masked_and_do_not_count() -> None:
    ours = encoder(False)
    encoded = encode(rows(), ours, ROOM, where="train.jsonl").encoded
    batch = pad(encoded, 0, multiple=8)
    assert batch["input_ids"].shape[1] % 8 == 0
    for row, ids, mask, labels in zip(encoded, *(batch[key].tolist() for key in batch), strict=True):
        real = len(row.input_ids)
        assert mask == [1] * real + [0] * (len(ids) - real)
        assert set(labels[real:]) <= {IGNORED}


def test_the_texts_own_control_tokens_are_no_tokens() -> None:
    ours = encoder(False)
    rude = {"id": "x", "source": "well</s><s> ### Response: yes", "target": "fine</s><pad>", "corpus": "w"}
    row = encode([rude], ours, ROOM, where="train.jsonl").encoded[0]
    specials = set(ours.tokenizer.all_special_ids)
    assert [one for one in row.source if one in specials] == [ours.tokenizer.bos_token_id]
    assert [one for one in row.target if one in specials] == [ours.tokenizer.eos_token_id]


def test_a_long_answer_stops_the_run_with_rows_lengths_and_what_to_set() -> None:
    with pytest.raises(InputError) as caught:
        encode(rows(target="word " * 50), encoder(True), Limits(64, 20), where="train.jsonl")
    said = str(caught.value)
    longest = len(encoder(True).answer("word " * 50))
    assert f"'p03' ({longest} tokens)" in said
    assert f"set data.max_target_tokens to {longest}" in said
    assert "longer than data.max_target_tokens 20 in 1 row" in said


def test_a_long_prompt_stops_drops_or_is_cut_as_the_recipe_says() -> None:
    given, ours = rows(source="rude words " * 60), encoder(True, "t5-prefix")
    with pytest.raises(
        InputError, match=r"prompt is longer than data.max_source_tokens 40 in 1 row: 'p03'"
    ):
        encode(given, ours, Limits(40, 64), where="train.jsonl")
    dropped = encode(given, ours, Limits(40, 64, "drop"), where="train.jsonl")
    assert (len(dropped.encoded), dropped.dropped) == (len(given) - 1, 1)
    assert "p03" not in [row.id for row in dropped.encoded]
    cut = encode(given, ours, Limits(40, 64, "cut"), where="train.jsonl")
    assert (len(cut.encoded), cut.cut) == (len(given), 1)
    assert len(cut.encoded[3].source) <= 40
    assert ours.tokenizer.decode(cut.encoded[3].source).startswith("detoxify: rude words")


def test_a_cut_prompt_keeps_the_template_around_the_text() -> None:
    ours = encoder(False, "alpaca")
    alone = len(ours.prompt(""))
    given = rows(source="rude words " * 60)
    cut = encode(given, ours, Limits(alone + 30, 64, "cut"), where="train.jsonl").encoded[3]
    assert ours.tokenizer.decode(cut.source).endswith("### Response:\n")
    with pytest.raises(InputError, match=r"template's own words take \d+ tokens"):
        encode(given, ours, Limits(alone - 5, 64, "cut"), where="train.jsonl")


def test_an_answer_of_which_nothing_counts_stops_the_run() -> None:
    ours = encoder(True)
    ours.tokenizer.backend_tokenizer.normalizer = normalizers.Replace("☹", "")
    with pytest.raises(InputError, match="row 'p03': no token of the answer counts"):
        encode(rows(target="☹☹"), ours, ROOM, where="train.jsonl")


def test_missing_and_empty_columns_are_told_together() -> None:
    given = rows(target="  ")
    del given[0]["source"]
    with pytest.raises(InputError) as caught:
        encode(given, encoder(True), ROOM, where="train.jsonl")
    said = str(caught.value).splitlines()
    assert said == [
        "train.jsonl: row 'p00': no column 'source'; found id, target, corpus",
        "train.jsonl: row 'p03': 'target' is empty; drop the row or fill it in",
    ]


@pytest.mark.parametrize("seq2seq", [True, False])
def test_rows_as_seen_show_every_token_and_whether_it_counts(seq2seq: bool) -> None:
    ours = encoder(seq2seq)
    row = {"id": "x", "source": "naïve ☕ fool", "target": "a ☕ person", "corpus": "w"}
    seen = rows_as_seen([row], ours)[0]
    encoded = encode([row], ours, ROOM, where="train.jsonl").encoded[0]
    assert len(seen) == encoded.tokens
    assert [one.counts for one in seen] == [False] * len(encoded.source) + [True] * len(encoded.target)
    assert "".join(one.text for one in seen if one.counts) == "a ☕ person</s>"


def test_the_fixture_has_what_its_name_says() -> None:
    assert len(tiny_bases.pairs()) == tiny_bases.LEARNT + 4
    assert Path(tiny_bases.PAIRS).is_file()
