"""The gate's floor: how much it may settle, by what of the ungated detector's findings is right."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from unbarb.cli.calibrate import set_gate_floor
from unbarb.data.examples import Labelled
from unbarb.text import LABELS

CEILINGS = dict.fromkeys(LABELS, 1e-6)
"""So low that every text is found."""


def floor(folder: Path, toxicity: float) -> float:
    """The floor by one text that the gate thinks clean, as toxic as said, and one that it does not."""
    texts = {"The sun shines today.": toxicity, "You are an idiot.": 1.0}
    held_out = [Labelled(text, {"toxicity": value}, None, "jigsaw", text) for text, value in texts.items()]
    return set_gate_floor(folder, held_out, CEILINGS, lost=0.0)


def test_a_false_alarm_is_no_loss_of_the_gates(tiny_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    low = floor(folder, toxicity=1.0)
    assert np.isfinite(np.load(folder / "gate.npz")["shrinkage"]).all()  # nothing is settled under it
    assert floor(folder, toxicity=0.0) > 10 * low
