"""Instruction files have the three keys, and the answer that a model should give."""

from __future__ import annotations

import json
from pathlib import Path

from unbarb.data.instruct import REWRITE, instruct, instruction_of, write_instructions

LABELS = ("toxicity", "threat", "insult")


def test_a_pair_asks_for_its_target() -> None:
    made = instruct({"source": "what crap", "target": "a pity"}, "pairs", REWRITE)
    assert made == {"instruction": REWRITE, "input": "what crap", "output": "a pity"}


def test_a_preference_asks_for_the_chosen_one() -> None:
    row = {"source": "what crap", "chosen": "a pity", "rejected": "what cr*p"}
    assert instruct(row, "preferences", REWRITE)["output"] == "a pity"


def test_labels_are_named_in_their_order_and_none_when_there_is_none() -> None:
    asked = instruction_of("labelled", LABELS)
    assert "toxicity, threat, insult" in asked
    row = {"text": "x", "labels": {"insult": 1, "toxicity": 0.5, "threat": 0.4}}
    assert instruct(row, "labelled", asked, LABELS)["output"] == "toxicity, insult"
    assert instruct({"text": "x", "labels": {"toxicity": 0}}, "labelled", asked, LABELS)["output"] == "none"


def test_the_file_is_one_list(tmp_path: Path) -> None:
    rows = [{"source": f'"{number}"\n', "target": "é"} for number in range(3)]
    assert write_instructions(tmp_path / "a.json", rows, "pairs", instruction="Say it.") == 3
    read = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert read[1] == {"instruction": "Say it.", "input": '"1"\n', "output": "é"}
    assert write_instructions(tmp_path / "b.json", [], "pairs") == 0
    assert json.loads((tmp_path / "b.json").read_text("utf-8")) == []
