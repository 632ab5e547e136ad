"""What the experts say of a gap, how far they differ, and what comes of their product."""

from __future__ import annotations

from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import torch

import tiny_experts as tiny
from unbarb.errors import ModelError
from unbarb.rewrite.infill.experts import Gap, Views, Weights, divergence
from unbarb.rewrite.infill.experts_torch import TorchExperts, load_experts

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
IDS = (10, 11, 12, 13, 14)


@pytest.fixture(scope="module", params=["masked", "seq2seq"])
def experts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TorchExperts:
    folder = tmp_path_factory.mktemp(request.param)
    return load_experts(tiny.write(folder, seq2seq=request.param == "seq2seq"))


def test_divergence_against_values_by_hand() -> None:
    half, one, other = np.log([[0.5, 0.5]]), np.log([[1.0, 1e-300]]), np.log([[1e-300, 1.0]])
    # (1, 0) and (½, ½): the mean is (¾, ¼), so ½·log(4/3) + ½·(½·log(2/3) + ½·log 2).
    by_hand = 0.5 * log(4 / 3) + 0.5 * (0.5 * log(2 / 3) + 0.5 * log(2))
    assert divergence(one, half)[0] == pytest.approx(by_hand)
    assert divergence(half, one)[0] == pytest.approx(by_hand)
    assert divergence(one, other)[0] == pytest.approx(log(2))
    assert divergence(half, half)[0] == 0.0
    assert sqrt(divergence(one, other)[0]) == pytest.approx(0.8326, abs=1e-4)


def test_what_each_says_is_a_distribution_and_its_own(experts: TorchExperts) -> None:
    views = experts.views([Gap(IDS[:2], 1, IDS[3:]), Gap((), 2, IDS)])
    for said in (views.base, views.expert, views.anti):
        assert said.shape == (2, len(experts.tokenizer))
        assert np.exp(said).sum(axis=1) == pytest.approx(1.0)
    assert not np.allclose(views.base, views.expert)
    assert not np.allclose(views.expert, views.anti)


def test_the_base_is_the_base_without_its_adapters(experts: TorchExperts) -> None:
    gap = Gap(IDS[:2], 1, IDS[3:])
    seq2seq = bool(experts.model.config.is_encoder_decoder)
    ids = torch.tensor([[2, *IDS[:2], 4, *IDS[3:], 3]])
    more = {"decoder_input_ids": torch.tensor([[3, 2, *IDS[:2]]])} if seq2seq else {}
    with torch.inference_mode():
        logits = tiny.base(seq2seq=seq2seq)(input_ids=ids, **more).logits[0, 3]
    expected = torch.log_softmax(logits.double(), -1).numpy()
    assert experts.views([gap]).base[0] == pytest.approx(expected, abs=1e-5)


def test_an_encoder_decoder_reads_one_mask_for_a_stretch(experts: TorchExperts) -> None:
    assert experts.one_mask is bool(experts.model.config.is_encoder_decoder)


def test_a_gap_is_answered_alike_alone_and_beside_others(experts: TorchExperts) -> None:
    gaps = [Gap(IDS[:2], 1, IDS[3:]), Gap((), 3, IDS * 3), Gap(IDS, 1, ())]
    together = experts.views(gaps)
    for at, gap in enumerate(gaps):
        alone = experts.views([gap])
        for name in ("base", "expert", "anti"):
            assert getattr(alone, name)[0] == pytest.approx(getattr(together, name)[at], abs=1e-4)


def test_weights_of_nothing_leave_the_base() -> None:
    rng = np.random.default_rng(1)
    rows = [np.log(rng.dirichlet(np.ones(7), size=3)) for _ in range(3)]
    views = Views(*rows)
    assert Weights(1.0, 0.0, 0.0).product(views) == pytest.approx(views.base)
    assert Weights(0.0, 1.0, 0.0).product(views) == pytest.approx(views.expert)
    mixed = Weights(1.0, 2.0, 1.5).product(views)
    assert np.exp(mixed).sum(axis=1) == pytest.approx(1.0)
    by_hand = views.base + 2.0 * views.expert - 1.5 * views.anti
    assert mixed - by_hand == pytest.approx((mixed - by_hand)[:, :1].repeat(7, axis=1))


def test_what_is_no_folder_of_experts_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no infill\.json; give the folder model/"):
        load_experts(tmp_path)
    folder = tiny.write(tmp_path / "made")
    (folder / "infill.json").write_text('{"schema": 1}')
    with pytest.raises(ModelError, match="does not load: KeyError"):
        load_experts(folder)


def test_the_digest_names_every_file(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path)
    before = load_experts(folder).digest
    (folder / "infill.json").write_text(
        (folder / "infill.json").read_text().replace('"signed": 0.0', '"signed": 1.0')
    )
    assert load_experts(folder).digest != before
