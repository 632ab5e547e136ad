"""Every architecture from a recipe to a served rewriter: trained, evaluated, saved, merged, asked again.

Tiny, from random weights; on a base in bfloat16, int8 and NF4. What was trained in few bits is merged into
the base as it was, never into what few bits left of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

from typer.testing import CliRunner

import tiny_bases
from unbarb.cli import app
from unbarb.data.prepared import write_prepared
from unbarb.rewrite.causal import Causal
from unbarb.rewrite.seq2seq import Seq2Seq
from unbarb.text import Analysis
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def answers(name: str, folder: Path) -> list[str]:
    """What the model of a folder, loaded as a policy loads it, makes of the learnt rows."""
    kind = Seq2Seq if name in tiny_bases.SEQ2SEQ else Causal
    asked = [Analysis(row["source"], {}) for row in tiny_bases.pairs()[:8]]
    found = kind(str(folder), candidates=1).propose(asked)
    return [one[0].text if one else "" for one in found]


@pytest.mark.parametrize("held", ["none", "int8", "nf4"])
@pytest.mark.parametrize("name", list(tiny_bases.ALL))
def test_from_a_recipe_to_a_served_rewriter(name: str, held: str, tmp_path: Path) -> None:
    rows = [dict(row) for row in tiny_bases.pairs()[: tiny_bases.LEARNT]]
    dev = [{**row, "id": f"d{at}", "source": f"{row['source']} now"} for at, row in enumerate(rows[:4])]
    prepared = write_prepared(tmp_path / "set", "pairs", {"train": rows, "dev": dev, "test": []})
    base = tiny_bases.write(name, tmp_path / "base", **tiny_bases.wide(name))
    content = tiny_bases.recipe_of(
        name, base, model__dtype="bf16", model__quantization=held,
        method={"name": "lora", "rank": 16, "alpha": 32.0}, training__batch_size=16,
        training__max_steps=30, training__evaluate_every=10, training__save_every=1000,
        training__learning_rate=1e-2,
    )  # fmt: skip
    facts = train(TrainRecipe.model_validate(content), prepared, tmp_path / "run", quiet=True)
    assert facts["final"]["loss"] < tiny_bases.lines(tmp_path / "run" / "metrics.jsonl")[0]["loss"]
    assert len(tiny_bases.lines(tmp_path / "run" / "predictions-dev.jsonl")) == len(dev)
    given = ["export", str(tmp_path / "run"), "--to", "merged", "--out", str(tmp_path / "whole")]
    told = CliRunner().invoke(app(given), [*given, "--dtype", "fp32"])
    assert told.exit_code == 0, told.output
    said = answers(name, tmp_path / "run" / "model")
    assert any(said)
    assert answers(name, tmp_path / "whole") == said
