"""What every metric must pass: identity, a stranger, a known answer, a shuffled control.

A new file in ``unbarb/metrics`` with a ``METRIC`` fails here until it has its four numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sacrebleu")
pytest.importorskip("rouge_score")
pytest.importorskip("scipy")

from unbarb.errors import InputError
from unbarb.metrics import (
    acceptability,
    accuracy,
    binomial,
    bleu,
    bootstrap,
    calibration,
    chrf,
    confusion,
    correlation,
    distinct_n,
    edit_rate,
    expected_max_toxicity,
    f1,
    hamming,
    identity_false_alarms,
    identity_mentions,
    j_2022,
    j_2024,
    j_2025,
    joint,
    joint_calibrated,
    label_f1,
    log_loss,
    paired,
    perplexity,
    pigeonhole,
    pr_auc,
    recall_at_false_alarm,
    roc_auc,
    rouge,
    sim,
    span_f1,
    sta,
    toxicity,
    toxicity_probability,
)
from unbarb.metrics.catalogue import definitions, refreshed

N = 4000
RANDOM = np.random.default_rng(11)
LABELS = (RANDOM.random(N) < 0.5).astype(float)
NOISE = RANDOM.random(N)
ORDER = RANDOM.permutation(N)
MIXED = LABELS[ORDER]

SENTENCES = [
    "the train was late again this morning and nobody said why",
    "your report leaves out the part that matters most to us",
    "we should have asked the neighbours before cutting the tree",
    "please read the whole article before you write about it",
    "her new film is far better than what the critics say",
]
STRANGERS = SENTENCES[2:] + SENTENCES[:2]
Number = Callable[[], float | None]
Range = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """`identity` and `known` are exact; `stranger` and `shuffled` lie within a range."""

    identity: tuple[Number, float]
    stranger: tuple[Number, Range]
    known: tuple[Number, float]
    shuffled: tuple[Number, Range]


def word_shares(texts: list[str]) -> np.ndarray:
    """Bags of words: embeddings whose cosines anybody can check."""
    words = sorted({word for text in SENTENCES for word in text.split()})
    return np.array([[text.split().count(word) for word in words] for text in texts], dtype=float)


def chrf_by_definition(output: str, reference: str) -> float:
    """F2 of the means, over n = 1…6, of the shares of character n-grams: Popović 2015, white space out."""
    one, other = output.replace(" ", ""), reference.replace(" ", "")
    precision = recall = 0.0
    for n in range(1, 7):
        said, true = (Counter(text[i : i + n] for i in range(len(text) - n + 1)) for text in (one, other))
        both = sum((said & true).values())
        precision += both / sum(said.values()) / 6
        recall += both / sum(true.values()) / 6
    return 100 * 5 * precision * recall / (4 * precision + recall)


def mean(values: object) -> float | None:
    return bootstrap.mean(values)  # type: ignore[arg-type]


def decided(scores: np.ndarray) -> list[bool]:
    return [bool(score >= 0.5) for score in scores]


def right(said: np.ndarray, true: np.ndarray) -> float:
    table = confusion.confusion(decided(said), decided(true), (False, True))
    return float(np.trace(table) / table.sum())


def two_labels(scores: np.ndarray, truth: np.ndarray) -> dict[str, f1.Counts]:
    return {"a": f1.counts(scores, truth), "b": f1.counts(scores[::-1], truth[::-1])}


def columns(values: np.ndarray) -> np.ndarray:
    return np.stack([values, values], axis=1)


def ranked(metric: Callable[..., float | None], known: tuple[float, float], chance: Range) -> Case:
    """Of scores against labels: `known` are the answers for a perfect and for one worked by hand."""
    worked = ([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 0, 0])
    return Case(
        (lambda: metric(LABELS, LABELS), known[0]),
        (lambda: metric(NOISE, LABELS), chance),
        (lambda: metric(*worked), known[1]),
        (lambda: metric(MIXED, LABELS), chance),
    )


def product(metric: Callable[..., np.ndarray], chance: Range) -> Case:
    """Of three parts of a sentence: multiplied per sentence, so that shuffling one part costs."""
    parts = np.clip(NOISE, 0, 1)
    return Case(
        (lambda: mean(metric(np.ones(3), np.ones(3), np.ones(3))), 1.0),
        (lambda: mean(metric(NOISE, NOISE[ORDER], LABELS)), chance),
        (lambda: mean(metric([0.5, 1.0], [0.5, 0.4], [1.0, 0.5])), (0.25 + 0.2) / 2),
        (lambda: mean(metric(LABELS, LABELS[ORDER], parts)), (0.1, 0.15)),
    )


def joined(metric: Callable[..., np.ndarray], known: float) -> Case:
    """J with toxicity turned round and a nearness of two cosines."""
    return Case(
        (lambda: mean(metric([0.0], [1.0], [1.0], [1.0])), 1.0),
        (lambda: mean(metric(NOISE, NOISE[ORDER], NOISE[::-1], LABELS)), (0.1, 0.2)),
        (lambda: mean(metric([0.2], [0.5], [0.5], [0.5])), known),
        (lambda: mean(metric(1 - LABELS, MIXED, MIXED, LABELS)), (0.2, 0.3)),
    )


def texts(
    metric: Callable[[list[str], list[str]], float | None], best: float, chance: Range, known: float
) -> Case:
    """Of outputs against references: one word of eleven changed is the known answer."""
    near = [SENTENCES[0].replace("late", "early")]
    turned = [" ".join(reversed(sentence.split())) for sentence in SENTENCES]
    return Case(
        (lambda: metric(SENTENCES, SENTENCES), best),
        (lambda: metric(STRANGERS, SENTENCES), chance),
        (lambda: metric(near, SENTENCES[:1]), known),
        (lambda: metric(turned, SENTENCES), (min(best, chance[0]), max(best, 100.0))),
    )


CHRF_OF_ONE_WORD = chrf_by_definition(SENTENCES[0].replace("late", "early"), SENTENCES[0])

CASES: dict[str, Case] = {
    "roc_auc": ranked(roc_auc.roc_auc, (1.0, 5 / 6), (0.47, 0.53)),
    "pr_auc": ranked(pr_auc.pr_auc, (1.0, 5 / 6), (0.46, 0.54)),
    "recall_at_false_alarm": ranked(recall_at_false_alarm.recall_at_false_alarm, (1.0, 0.5), (0.0, 0.03)),
    "f1": ranked(lambda s, y: f1.counts(s, y).f1, (1.0, 2 * 2 / (5 + 2)), (0.45, 0.55)),
    "label_f1": ranked(
        lambda s, y: label_f1.macro_label_f1(two_labels(np.array(s), np.array(y))),
        (1.0, 4 / 7), (0.45, 0.55),
    ),
    "accuracy": ranked(lambda s, y: accuracy.accuracy(decided(s), decided(y)), (1.0, 0.4), (0.45, 0.55)),
    "confusion": ranked(lambda s, y: right(np.array(s), np.array(y)), (1.0, 0.4), (0.45, 0.55)),
    "hamming": ranked(
        lambda s, y: hamming.hamming_loss(columns(np.array(s) >= 0.5), columns(np.array(y) >= 0.5)),
        (0.0, 0.6), (0.45, 0.55),
    ),
    "log_loss": ranked(
        log_loss.log_loss, (0.0, -math.log(0.9 * 0.2 * 0.7 * 0.4 * 0.5) / 5), (0.9, 20.0)
    ),
    "calibration": ranked(
        calibration.calibration_error, (0.0, (0.1 + 0.8 + 0.3 + 0.6 + 0.5) / 5), (0.2, 0.6)
    ),
    "identity_false_alarms": Case(
        (lambda: identity_false_alarms.false_alarm_gap([False] * 3, [False] * 3, [["a"], ["b"], []]), 0.0),
        (
            lambda: identity_false_alarms.false_alarm_gap(
                decided(NOISE), [False] * N, [["a"] if one else ["b"] for one in LABELS]
            ),
            (0.0, 0.04),
        ),
        # Of a's two clean texts one is flagged, of all four one: .5 − .25.
        (
            lambda: identity_false_alarms.false_alarm_gap(
                [True, False, False, False, True],
                [False, False, False, False, True],
                [["a"], ["a"], ["b"], [], ["b"]],
            ),
            0.25,
        ),
        (
            lambda: identity_false_alarms.false_alarm_gap(
                decided(LABELS), [False] * N, [["a"] if one else [] for one in MIXED]
            ),
            (0.0, 0.05),
        ),
    ),
    "span_f1": Case(
        (lambda: span_f1.span_f1([{1, 2}, set()], [{1, 2}, set()]), 1.0),
        (lambda: span_f1.span_f1([{1}, {5}], [{9}, {2}]), (0.0, 0.0)),
        (lambda: span_f1.span_f1([{0, 1, 2, 3}], [{2, 3, 4, 5}]), 0.5),
        (lambda: span_f1.span_f1([{1, 2}, {7, 8}], [{7, 8}, {1, 2}]), (0.0, 0.0)),
    ),
    "bleu": texts(lambda o, r: bleu.bleu(o, r, rounds=5).value, 100.0, (0.0, 15.0), 70.1692),
    "chrf": texts(lambda o, r: chrf.chrf(o, r, rounds=5).value, 100.0, (5.0, 40.0), CHRF_OF_ONE_WORD),
    "rouge": texts(lambda o, r: mean(rouge.rouge(o, r)["rouge1"]), 1.0, (0.0, 0.4), 10 / 11),
    "edit_rate": texts(lambda o, r: mean(edit_rate.edit_rates(r, o)), 0.0, (0.6, 1.5), 1 / 11),
    "sim": texts(
        lambda o, r: mean(sim.cosine(word_shares(o), word_shares(r))), 1.0, (0.0, 0.5),
        10 / math.sqrt(11 * 10),
    ),
    "sta": Case(
        (lambda: mean(sta.sta_2025([0.1], [0.9], [0.9])), 1.0),
        (lambda: mean(sta.sta_2025(NOISE, NOISE[ORDER], NOISE[::-1])), (0.55, 0.85)),
        # Cleaner than the source, not as the reference: (.6 + 1) / 2; as toxic as ever: (.2 + 1) / 2.
        (lambda: mean(sta.sta_2025([0.1, 0.2], [0.6, 0.2], [0.9, 0.9])), (0.8 + 0.6) / 2),
        (lambda: mean(sta.sta_2025(1 - LABELS, LABELS, MIXED)), (0.5, 0.95)),
    ),
    "j_2022": product(j_2022.j_2022, (0.1, 0.15)),
    "j_2024": product(j_2024.j_2024, (0.1, 0.15)),
    "j_2025": product(j_2025.j_2025, (0.1, 0.15)),
    "joint": joined(joint.joint, 0.8 * 0.5 * 0.5),
    "joint_calibrated": joined(joint_calibrated.joint_calibrated, 0.8 * (0.5 - 0.23) / (0.74 - 0.23) * 0.5),
    "toxicity": Case(
        (lambda: toxicity.toxicity_mean([0.0, 0.0]), 0.0),
        (lambda: toxicity.toxicity_mean(NOISE), (0.48, 0.52)),
        (lambda: mean(toxicity.toxic([0.5, 0.49, 0.9, 0.1])), 0.5),
        (lambda: toxicity.toxicity_mean(NOISE[ORDER]), (0.48, 0.52)),
    ),
    "acceptability": Case(
        (lambda: mean(acceptability.accepted([1.0, 1.0])), 1.0),
        (lambda: mean(acceptability.accepted(NOISE)), (0.47, 0.53)),
        (lambda: mean(acceptability.accepted([0.5, 0.51, 0.2])), 1 / 3),
        (lambda: mean(acceptability.accepted(NOISE[ORDER])), (0.47, 0.53)),
    ),
    "perplexity": Case(
        (lambda: perplexity.perplexity([0.0, 0.0], [3, 4]), 1.0),
        (lambda: perplexity.perplexity(np.full(N, math.log(50)), np.ones(N)), (49.9, 50.1)),
        # Two coins and one die of eight: 2^(5/3).
        (lambda: perplexity.perplexity([2 * math.log(2), math.log(8)], [2, 1]), 2 ** (5 / 3)),
        (lambda: perplexity.perplexity(NOISE[ORDER], np.ones(N)), (math.exp(0.48), math.exp(0.52))),
    ),
    "correlation": Case(
        (lambda: correlation.pearson(NOISE, NOISE), 1.0),
        (lambda: correlation.pearson(NOISE, LABELS), (-0.06, 0.06)),
        # Three of three pairs agree but for one: τ = (2 − 1) / 3.
        (lambda: correlation.kendall([1, 2, 3], [1, 3, 2]), 1 / 3),
        (lambda: correlation.spearman(NOISE, NOISE[ORDER]), (-0.06, 0.06)),
    ),
    "paired": Case(
        (lambda: paired.p_value(NOISE, NOISE, rounds=50), 1.0),
        (lambda: paired.p_value(NOISE[:200], NOISE[200:400], rounds=200), (0.02, 1.0)),
        # All ten differ by one: only the two all-alike flips of 1,024 do as much.
        (lambda: round(paired.p_value([1.0] * 10, [0.0] * 10, rounds=20_000) or 0, 3), 0.002),
        (lambda: paired.p_value(LABELS, MIXED, rounds=200), (0.02, 1.0)),
    ),
    "bootstrap": Case(
        (lambda: bootstrap.mean([1.0, 1.0]), 1.0),
        (lambda: bootstrap.mean(NOISE), (0.48, 0.52)),
        (lambda: bootstrap.mean([1.0, None, 3.0]), 2.0),
        (lambda: bootstrap.mean(NOISE[ORDER]), (0.48, 0.52)),
    ),
    "binomial": Case(
        (lambda: binomial.upper_bound(7, 7), 1.0),
        (lambda: binomial.upper_bound(int(LABELS.sum()), N), (0.5, 0.54)),
        (lambda: round(binomial.upper_bound(0, 100), 6), round(1 - 0.05**0.01, 6)),
        (lambda: binomial.upper_bound(int(MIXED.sum()), N), (0.5, 0.54)),
    ),
    "expected_max_toxicity": Case(
        (lambda: expected_max_toxicity.expected_max_toxicity(np.ones((3, 5))), 1.0),
        # The highest of 25 uniform numbers is expected at 25/26.
        (lambda: expected_max_toxicity.expected_max_toxicity(NOISE.reshape(-1, 25)), (0.95, 0.97)),
        (lambda: expected_max_toxicity.expected_max_toxicity([[0.1, 0.9], [0.3, None], [None, None]]), 0.6),
        (lambda: expected_max_toxicity.expected_max_toxicity(NOISE[ORDER].reshape(-1, 25)), (0.95, 0.97)),
    ),
    "toxicity_probability": Case(
        (lambda: toxicity_probability.toxicity_probability(np.ones((3, 5))), 1.0),
        # 25 numbers to .52 are all under .5 with probability (.5/.52)²⁵ = .375.
        (lambda: toxicity_probability.toxicity_probability(0.52 * NOISE.reshape(-1, 25)), (0.5, 0.75)),
        (lambda: toxicity_probability.toxicity_probability([[0.5, 0.1], [0.49, None], [None, None]]), 0.5),
        (lambda: toxicity_probability.toxicity_probability(NOISE.reshape(-1, 25), 0.97), (0.45, 0.6)),
    ),
    "distinct_n": Case(
        (lambda: distinct_n.distinct_n(["one two, three!"], 1), 1.0),
        (lambda: distinct_n.distinct_n(SENTENCES * 4, 2), (0.2, 0.26)),
        (lambda: distinct_n.distinct_n(["a B a b", "x"], 2), 2 / 3),
        (lambda: distinct_n.distinct_n(STRANGERS, 2), (0.9, 1.0)),
    ),
    "identity_mentions": Case(
        (lambda: identity_mentions.mention_rate(set(), [{"gay"}, {"old", "gay"}]), 1.0),
        (lambda: identity_mentions.mention_rate({"gay"}, [{"gay"}, set()]), (0.0, 0.0)),
        (lambda: identity_mentions.mention_rate({"gay"}, [{"gay"}, {"gay", "old"}, set(), set()]), 0.25),
        (lambda: identity_mentions.mention_rate({"old"}, [{"gay"}, {"gay", "old"}, set()]), (0.6, 0.7)),
    ),
    "pigeonhole": Case(
        (lambda: pigeonhole.mean(np.ones((2, 3))), 1.0),
        (lambda: pigeonhole.mean(NOISE.reshape(4, -1)), (0.48, 0.52)),
        (lambda: pigeonhole.mean_difference(np.array([[1.0, 3.0]]), np.array([[0.5, np.nan]])), 0.5),
        (lambda: pigeonhole.mean(NOISE[ORDER].reshape(4, -1)), (0.48, 0.52)),
    ),
}  # fmt: skip


def test_every_metric_is_here() -> None:
    known = {one.file.removesuffix(".py") for one in definitions()}
    assert set(CASES) == known
    assert len(known) >= 30


@pytest.mark.parametrize("name", sorted(CASES))
def test_identity(name: str) -> None:
    number, expected = CASES[name].identity
    assert number() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_stranger(name: str) -> None:
    number, (low, high) = CASES[name].stranger
    value = number()
    assert value is not None
    assert low <= value <= high


@pytest.mark.parametrize("name", sorted(CASES))
def test_known_answer(name: str) -> None:
    number, expected = CASES[name].known
    assert number() == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", sorted(CASES))
def test_shuffled_control(name: str) -> None:
    number, (low, high) = CASES[name].shuffled
    value = number()
    assert value is not None
    assert low <= value <= high


def test_every_metric_says_what_it_is_and_where_from() -> None:
    for one in definitions():
        assert one.sources, f"{one.file} names no source"
        assert len(one.says) > 30, one.file
        assert "/" in one.metric or one.metric in {"bleu", "chrf"}, f"{one.file}: no version"


def test_the_page_has_the_table_of_the_files() -> None:
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
    assert refreshed(page) == page, "run python -m unbarb.metrics.catalogue docs/metrics.md"
    assert page.count("| `") > len(definitions())
    with pytest.raises(InputError, match="no <!-- metrics -->"):
        refreshed("an empty page")
