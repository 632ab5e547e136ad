"""The baseline keeps the published one's ways: mean normalisation, pieces, one in and one out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import tiny_experts as tiny
from unbarb.evaluate.tmarco import TMaRCo
from unbarb.rewrite.infill.experts_torch import TorchExperts, load_experts

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
CLEAN = "he was a kind person ."


@pytest.fixture(scope="module")
def experts(tmp_path_factory: pytest.TempPathFactory) -> TorchExperts:
    return load_experts(tiny.write(tmp_path_factory.mktemp("experts")))


def test_scores_sum_to_the_number_of_pieces_however_clean_the_text(experts: TorchExperts) -> None:
    ids = tuple(experts.tokenizer(CLEAN, add_special_tokens=False)["input_ids"])
    scores = TMaRCo(experts).scores(ids)
    assert scores.sum() == pytest.approx(len(ids))
    assert scores.max() > 1.0


def test_one_piece_in_one_piece_out_and_the_rest_stays(experts: TorchExperts) -> None:
    system = TMaRCo(experts, threshold=1.0)
    text = "You are  an idiot, Anna!"
    ids = tuple(experts.tokenizer(text, add_special_tokens=False)["input_ids"])
    replaced = int((system.scores(ids) > 1.0).sum())
    (said,) = system([text])
    assert said is not None
    assert replaced > 0
    after = experts.tokenizer(said, add_special_tokens=False)["input_ids"]
    same = sum(one == other for one, other in zip(ids, after, strict=False))
    assert same >= len(ids) - replaced - 1


def test_nothing_above_the_threshold_is_nothing_done(experts: TorchExperts) -> None:
    assert TMaRCo(experts, threshold=99.0)([CLEAN, ""]) == [CLEAN, ""]


def test_alike_experts_score_all_pieces_alike(tmp_path: Path) -> None:
    system = TMaRCo(load_experts(tiny.write(tmp_path, alike=True)))
    assert system([CLEAN]) == [CLEAN]


def test_the_kinder_one_differs_in_what_the_base_reads(experts: TorchExperts) -> None:
    ids = tuple(experts.tokenizer(CLEAN, add_special_tokens=False)["input_ids"])
    seen = experts.visible(ids)
    assert seen.shape == (len(ids), len(experts.tokenizer))
    assert np.exp(seen).sum(axis=1) == pytest.approx(1.0)
    texts = ["you are an idiot and a fool !", "what a big stupid dog", "she never said that ."]
    assert TMaRCo(experts, 1.0)(texts) != TMaRCo(experts, 1.0, masked=True)(texts)
