"""Which of a model's outputs are ours, how logits become probabilities, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from unbarb.detect.outputs import Outputs
from unbarb.errors import ConfigError


def config(*names: str, problem: str | None = None) -> dict[str, Any]:
    return {"id2label": {str(at): name for at, name in enumerate(names)}, "problem_type": problem}


def test_known_names_are_taken() -> None:
    found = Outputs.of(config("Toxic", "severe_toxic", "identity-hate", "insult"), None, None)
    assert found.places == ("toxicity", "severe_toxicity", "identity_attack", "insult")
    assert Outputs.of(config("neutral", "toxic"), None, None).places == (None, "toxicity")


@pytest.mark.parametrize(
    ("names", "problem", "given", "wanted"),
    [
        (("neutral", "toxic"), None, None, "softmax"),
        (("toxic", "insult"), "multi_label_classification", None, "sigmoid"),
        (("toxic",), None, None, "sigmoid"),
        (("toxic", "insult"), None, "sigmoid", "sigmoid"),
        (("toxic", "insult"), "multi_label_classification", "softmax", "softmax"),
    ],
)
def test_activation(names: tuple[str, ...], problem: str | None, given: str | None, wanted: str) -> None:
    assert Outputs.of(config(*names, problem=problem), None, given).activation == wanted


def test_probabilities() -> None:
    soft = Outputs.of(
        config("neutral", "toxic", "hateful"), {"toxic": "toxicity", "hateful": "toxicity"}, None
    )
    assert soft.scores([0.0, 0.0, 0.0]) == {"toxicity": pytest.approx(2 / 3)}
    assert soft.scores([900.0, -900.0, 0.0])["toxicity"] == 0.0
    each = Outputs.of(config("a", "b"), {"a": "toxicity", "b": "toxicity"}, "sigmoid")
    assert each.scores([0.0, 1.0]) == {"toxicity": pytest.approx(0.7310586)}
    assert each.scores([-800.0, -800.0]) == {"toxicity": 0.0}


@pytest.mark.parametrize(
    ("names", "labels", "said"),
    [
        (
            ("LABEL_0", "LABEL_1"),
            None,
            "LABEL_0, LABEL_1 say nothing here; write labels: {LABEL_0: toxicity",
        ),
        (("toxic", "funny"), None, "the model's label funny say"),
        (("neutral", "toxic"), {"toxik": "toxicity"}, "no label 'toxik'; did you mean 'toxic'?"),
        (("neutral", "toxic"), {"neutral": None}, "say which of ours one of them is"),
    ],
)
def test_what_cannot_be_told(names: tuple[str, ...], labels: Any, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Outputs.of(config(*names), labels, None)
    assert said in str(caught.value)


def test_all_problems_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Outputs.of(config("a", "b"), {"c": "toxicity", "d": None}, "tanh")
    assert len(str(caught.value).splitlines()) == 3
