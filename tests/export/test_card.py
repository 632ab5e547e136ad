"""What an evaluation measured goes into the card, and leaves the model's digest as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("onnx")

import toy_model
from unbarb.detect.embedded import card_digest
from unbarb.errors import InputError
from unbarb.export.card import add_figures

FIGURE = {"metric": "roc_auc/1", "value": 0.9, "n": 20, "low": 0.8, "high": 0.95, "curve": [0, 1]}


def report(folder: Path) -> Path:
    rows = [{"system": "copy", "figures": {}}, {"system": "unbarb", "figures": {"roc_auc": FIGURE}}]
    tables = [{"suite": "detection", "name": "jigsaw", "data": "abc", "rows": rows}]
    path = folder / "report.json"
    path.write_text(
        json.dumps({"split": "test", "seed": 13, "policy": {}, "judges": {}, "tables": tables}), "utf-8"
    )
    return path


def test_the_card_takes_the_guards_figures_and_keeps_its_digest(tmp_path: Path) -> None:
    folder = toy_model.write(tmp_path / "model")
    before = card_digest(folder)
    add_figures(report(tmp_path), folder)
    card = json.loads((folder / "card.json").read_text("utf-8"))
    (table,) = card["figures"]["tables"]
    assert table["figures"]["roc_auc"] == {key: FIGURE[key] for key in FIGURE if key != "curve"}
    assert card["figures"]["about"]["split"] == "test"
    assert card_digest(folder) == before


def test_a_file_that_is_no_report_is_told(tmp_path: Path) -> None:
    folder = toy_model.write(tmp_path / "model")
    (tmp_path / "report.json").write_text("{}", "utf-8")
    with pytest.raises(InputError, match="cannot be read together"):
        add_figures(tmp_path / "report.json", folder)
