"""The editing trunk learns in phases: from pairs of corpora, then from written ones beside them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("peft")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from unbarb.data.examples import Labelled, Pair
from unbarb.detect.wordpiece import WordPiece
from unbarb.train.editor import Editor
from unbarb.train.editor_phases import train_editor_in_phases
from unbarb.train.loop import Report
from unbarb.train.recipe import EditorPart, EditorPolish

RUDE = ("you idiot go home", "what a moron he is", "the stupid man left", "go away you fool")
NEUTRAL = ("you go home", "what a man he is", "the man left", "go away")
PAIRS = [Pair(toxic, (neutral,), "toy", toxic) for toxic, neutral in zip(RUDE, NEUTRAL, strict=True)]
OTHERS = [Labelled(text, {"toxicity": 0.0}, None, "toy", text) for text in NEUTRAL]
POLISH = EditorPolish(epochs=1, written=3, seeds=[3, 4], kept=0.5, learning_rate=1e-3)
PART = EditorPart(
    rank=4, epochs=1, pieces_per_batch=256, averaged=1, tags_seen=1, pair_share=1.0, others=4, polish=POLISH
)


def trained(
    base: Path, wordpiece: WordPiece, part: EditorPart, folder: Path
) -> tuple[Editor, list[str], list[str]]:
    """The model, its tags, and the names of the phases that were told of."""
    folder.mkdir(exist_ok=True)
    named: list[str] = []

    def told(name: str) -> Report:
        named.append(name)
        return lambda step, steps, loss: None

    model, tags = train_editor_in_phases(PAIRS, OTHERS, wordpiece, base, part, folder, told)
    return model, tags, named


def test_tags_of_written_pairs_come_behind_those_of_the_corpora(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    _, alone, named = trained(base, wordpiece, replace(PART, polish=EditorPolish()), tmp_path / "alone")
    assert named == ["editing trunk"]
    model, tags, named = trained(base, wordpiece, PART, tmp_path / "both")
    assert named == ["editing trunk", "editing trunk, polish 1 of 2", "editing trunk, polish 2 of 2"]
    assert tags[: len(alone)] == alone
    assert "replace|mistaken" in set(tags) - set(alone)
    assert model.tags.linear.weight.shape[0] == len(tags) == len(set(tags))


def test_polish_ends_between_what_was_and_the_mean_of_what_was_learnt(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    model, _, _ = trained(base, wordpiece, PART, tmp_path)
    before, one, other = (
        torch.load(tmp_path / place / "epoch-0.pt", weights_only=True)
        for place in (".", "polish-3", "polish-4")
    )
    moved = [name for name in before if not torch.equal(one[name], other[name])]
    assert any("lora" in name for name in moved)
    assert any("tags" in name for name in moved)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, 0.5 * before[name] + 0.25 * one[name] + 0.25 * other[name])


def test_an_interrupted_polish_ends_as_an_unbroken_one(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    unbroken, _, _ = trained(base, wordpiece, PART, tmp_path / "unbroken")
    first = replace(PART, polish=replace(POLISH, seeds=[3]))
    trained(base, wordpiece, first, tmp_path / "stopped")
    kept = (tmp_path / "stopped" / "polish-3" / "epoch-0.pt").stat().st_mtime_ns
    resumed, _, _ = trained(base, wordpiece, PART, tmp_path / "stopped")
    assert (tmp_path / "stopped" / "polish-3" / "epoch-0.pt").stat().st_mtime_ns == kept
    state = resumed.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in unbroken.state_dict().items())
