"""The detection trunk learns in phases, each of which is kept: from all corpora, then from shares."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

from unbarb.data.examples import Labelled
from unbarb.detect.wordpiece import WordPiece
from unbarb.train.detector import Detector
from unbarb.train.detector_phases import train_in_phases
from unbarb.train.heads import merged_state
from unbarb.train.loop import Report, mean_state
from unbarb.train.mixture import drawn, encode
from unbarb.train.recipe import DetectorPart, FocusPart

RUDE = ["you idiot", "what a moron", "stupid man", "go away fool"]
CLEAN = ["you person", "what a day", "good man", "go away please"]
TEXTS = [
    Labelled(text, {"toxicity": toxicity}, None, source, text)
    for source in ("talk", "posts")
    for texts, toxicity in ((RUDE, 1.0), (CLEAN, 0.0))
    for text in texts
]
PACE: dict[str, Any] = {"learning_rate": 1e-3, "head_learning_rate": 1e-3, "behaviours": 1, "respelt": 2}
PART = DetectorPart(
    rank=4, epochs=1, window=128, pieces_per_batch=128,
    focus=FocusPart(epochs=2, shares={"posts": 0.0}, seeds=[3, 4], **PACE),
    polish=FocusPart(epochs=1, shares={"posts": 0.5}, seeds=[5], **PACE),
    **PACE,
)  # fmt: skip


def trained(
    base: Path, wordpiece: WordPiece, part: DetectorPart, folder: Path
) -> tuple[Detector, list[str]]:
    """The model, and the names of the phases that were told of."""
    folder.mkdir(exist_ok=True)
    named: list[str] = []

    def told(name: str) -> Report:
        named.append(name)
        return lambda step, steps, loss: None

    return train_in_phases(TEXTS, wordpiece, base, part, folder, told), named


def test_each_phase_keeps_its_epochs_and_is_not_learnt_again(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    model, named = trained(base, wordpiece, PART, tmp_path / "run")
    later = ("focus 1 of 2", "focus 2 of 2", "polish 1 of 1")
    assert named == ["detection trunk", *(f"detection trunk, {phase}" for phase in later)]
    places = (".", "focus-3", "focus-4", "polish-5")
    kept = {place: sorted((tmp_path / "run" / place).glob("epoch-*.pt")) for place in places}
    assert [len(files) for files in kept.values()] == [1, 2, 2, 1]
    before = {file: file.stat().st_mtime_ns for files in kept.values() for file in files}
    again, _ = trained(base, wordpiece, PART, tmp_path / "run")
    assert {file: file.stat().st_mtime_ns for file in before} == before
    state = merged_state(model.encoder)
    assert all((array == state[name]).all() for name, array in merged_state(again.encoder).items())


def test_a_run_stopped_between_phases_ends_as_an_unbroken_one(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    unbroken, _ = trained(base, wordpiece, PART, tmp_path / "unbroken")
    trained(base, wordpiece, replace(PART, polish=FocusPart()), tmp_path / "stopped")
    assert not list((tmp_path / "stopped").glob("polish*"))
    resumed, _ = trained(base, wordpiece, PART, tmp_path / "stopped")
    state = merged_state(resumed.encoder)
    assert all((array == state[name]).all() for name, array in merged_state(unbroken.encoder).items())


def test_a_phase_from_several_seeds_gives_the_mean_of_them(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    part = replace(PART, polish=FocusPart())
    both, _ = trained(base, wordpiece, part, tmp_path / "both")
    ends = [tmp_path / "both" / f"focus-{seed}" / "epoch-1.pt" for seed in (3, 4)]
    mean, state = mean_state(ends), both.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in mean.items())
    second, _ = trained(
        base, wordpiece, replace(part, focus=replace(part.focus, seeds=[4])), tmp_path / "one"
    )
    alone = torch.load(ends[1], weights_only=True)
    assert all(torch.equal(value, alone[name]) for name, value in second.state_dict().items())


def test_a_phase_keeps_its_share_of_what_was_there_before(
    base: Path, wordpiece: WordPiece, tmp_path: Path
) -> None:
    part = replace(PART, focus=FocusPart(), polish=replace(PART.polish, kept=0.25))
    model, _ = trained(base, wordpiece, part, tmp_path)
    before = torch.load(tmp_path / "epoch-0.pt", weights_only=True)
    after = torch.load(tmp_path / "polish-5" / "epoch-0.pt", weights_only=True)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, 0.25 * before[name] + 0.75 * after[name])


def test_shares_are_drawn_anew_and_what_is_not_named_is_all_read(wordpiece: WordPiece) -> None:
    encoded = encode([replace(one, text=f"{one.text} {n}") for n in range(25) for one in TEXTS], wordpiece)
    draws = [drawn(encoded, {"posts": 0.3}, draw) for draw in (1, 1, 2)]
    places = [[id(item) for item in draw] for draw in draws]
    assert places[0] == places[1] != places[2]
    for draw in draws:
        by_source = {source: sum(item.source == source for item in draw) for source in ("talk", "posts")}
        assert by_source["talk"] == 200
        assert 35 <= by_source["posts"] <= 85
    assert [id(item) for item in drawn(encoded, {}, 1)] == [id(item) for item in encoded]
    assert {item.source for item in drawn(encoded, {"posts": 0.0}, 1)} == {"talk"}
