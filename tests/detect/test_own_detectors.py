"""Classifiers and causal models of one's own as detectors: alone, as adapters, on long texts."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification

import served_models as served
import tiny_models as tiny
from unbarb.detect.generative import Generative
from unbarb.detect.transformers import TransformersDetector
from unbarb.errors import ConfigError, DetectionError, ModelError
from unbarb.guard import Guard
from unbarb.policy import Policy
from unbarb.prompt import built_in

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(served.classifier(tmp_path_factory.mktemp("classifier"))["model"])


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(served.asked_for_labels(tmp_path_factory.mktemp("asked"))["model"])


def test_scores_are_those_of_the_model(classifier: str) -> None:
    (found,) = TransformersDetector(classifier).detect([served.RUDE])
    model = AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    words = tiny.PreTrainedTokenizerFast.from_pretrained(classifier)
    with torch.inference_mode():
        wanted = torch.sigmoid(model(words(served.RUDE, return_tensors="pt").input_ids).logits[0])
    assert found.scores["toxicity"] == pytest.approx(float(wanted[0]), abs=1e-5)
    assert found.scores["insult"] == pytest.approx(float(wanted[1]), abs=1e-5)
    assert found.models["transformers"].startswith("sha256:")


def test_long_text_is_read_to_its_end_and_the_highest_window_counts(classifier: str) -> None:
    detector = TransformersDetector(classifier, window=16)
    text = f"{' '.join(map(str, range(60)))} {served.RUDE}"
    windows = detector._windows(text)
    assert max(map(len, windows)) == 16
    bare = [window[1:-1] for window in windows]  # without the special tokens
    assert all(one[-3:] == other[:3] for one, other in pairwise(bare))
    read = bare[0] + [token for one in bare[1:] for token in one[3:]]
    words = tiny.PreTrainedTokenizerFast.from_pretrained(classifier)
    assert read == words(text, add_special_tokens=False)["input_ids"]
    each = [detector._outputs.scores(detector._model.logits(window)) for window in windows]
    (found,) = detector.detect([text])
    assert found.scores["toxicity"] == pytest.approx(max(one["toxicity"] for one in each), abs=1e-6)
    assert found.coverage == 1.0


def test_a_base_without_a_trained_head_is_refused(tmp_path: Path) -> None:
    """What is missing would be made up, and every score with it."""
    tiny.tokenizer(tmp_path, "<s> $A </s>")
    tiny.save(tiny.bert(("toxic", "insult")).bert, tmp_path)
    with pytest.raises(ModelError, match=r"2 weights are not there .*classifier\.bias.* name what"):
        TransformersDetector(str(tmp_path), labels={"LABEL_1": "toxicity"})


def test_an_adapter_brings_its_labels(tmp_path: Path) -> None:
    words = tiny.tokenizer(tmp_path / "base", "<s> $A </s>", limit=64)
    tiny.save(tiny.bert(("LABEL_0", "LABEL_1", "LABEL_2"), None), tmp_path / "base")
    base = AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "base", num_labels=2, id2label={0: "toxicity", 1: "threat"},
        ignore_mismatched_sizes=True, problem_type="multi_label_classification",
    )  # fmt: skip
    model = tiny.lora(base, "all-linear", task_type="SEQ_CLS", modules_to_save=["classifier"])
    tiny.teach_classifier(model, words, (served.RUDE, served.KIND), [[1.0, 0.0], [0.0, 0.0]])
    tiny.save(model, tmp_path / "adapter")
    model.config.save_pretrained(tmp_path / "adapter")
    (found,) = TransformersDetector(str(tmp_path / "adapter")).detect([served.RUDE])
    with torch.inference_mode():
        wanted = torch.sigmoid(model(words(served.RUDE, return_tensors="pt").input_ids).logits[0])
    assert found.scores == pytest.approx(
        {"toxicity": float(wanted[0]), "threat": float(wanted[1])}, abs=1e-5
    )
    assert found.scores["toxicity"] > found.scores["threat"]


def test_options_that_are_not_valid(classifier: str) -> None:
    with pytest.raises(ConfigError, match="window: 4096 is not from 8 to 64"):
        TransformersDetector(classifier, window=4096)
    with pytest.raises(ConfigError, match="dtype 'int3' is none of auto, fp32"):
        TransformersDetector(classifier, dtype="int3")
    with pytest.raises(ConfigError, match="device 'tpux' is unknown"):
        TransformersDetector(classifier, device="tpux")
    with pytest.raises(ModelError, match="is no adapter, so it has no base"):
        TransformersDetector(classifier, base=classifier)


def test_probabilities_of_yes_and_no_are_read_and_nothing_is_parsed(asked: str) -> None:
    """As one forward over prompt and lines gives them, written out by hand."""
    detector = Generative(asked)
    assert detector.labels == {"toxicity", "insult"}
    (found,) = detector.detect([served.RUDE])
    words, model = detector._loaded.tokenizer, detector._loaded.model
    template = built_in("labels", labels=("toxicity", "insult"))
    prompt = template.ids(served.RUDE, words, seq2seq=False)
    answer = words("Toxic: 1\nInsult: 1", add_special_tokens=False)["input_ids"]
    no, yes = (words(f"Toxic: {one}", add_special_tokens=False)["input_ids"][-1] for one in "01")
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + answer])).logits[0]
    for label, line in (("toxicity", "Toxic: 1"), ("insult", "Toxic: 1\nInsult: 1")):
        at = len(prompt) + len(words(line, add_special_tokens=False)["input_ids"]) - 2
        both = torch.softmax(logits[at, [no, yes]], 0)
        assert found.scores[label] == pytest.approx(float(both[1]), abs=1e-4)
    assert found.scores["toxicity"] > 0.9


def test_a_model_trained_to_rewrite_is_no_detector(tmp_path: Path) -> None:
    options = served.causal(tmp_path)
    with pytest.raises(ConfigError, match="template 'detoxify', which has no labels"):
        Generative(str(options["model"]))


def test_a_model_without_a_template_is_asked_for_the_labels_that_are_told(tmp_path: Path) -> None:
    tiny.tokenizer(tmp_path, "<s> $A", limit=1024)
    tiny.save(tiny.llama(max_position_embeddings=1024), tmp_path)
    detector = Generative(str(tmp_path), labels=["threat"])
    assert set(detector.detect(["a text"])[0].scores) == {"threat"}
    assert len(Generative(str(tmp_path)).labels) == 6


def test_a_text_with_no_room_is_a_detector_error(asked: str) -> None:
    detector = Generative(asked)
    detector._limit = 40  # the template's words alone need more
    with pytest.raises(DetectionError, match="does not fit the model's 40 tokens"):
        detector.detect([served.RUDE])


def test_both_decide_in_a_policy(classifier: str, asked: str) -> None:
    policy = Policy.parse(
        "schema: 1\nname: own\nlabels: {toxicity: {threshold: 0.5, action: block}}\n"
        "detectors:\n"
        f"  - {{name: transformers, model: {classifier}, alias: ours}}\n"
        f"  - {{name: transformers, model: {classifier}, labels: {{insult: insult}}}}\n"
        f"  - {{name: generative, model: {asked}}}\n"
    )
    guard = Guard(policy, rewriter=None)
    rude, kind = guard.check_batch([served.RUDE, served.KIND])
    assert (rude.action, kind.action) == ("block", "allow")
    assert set(rude.models) == {"ours", "transformers", "generative"}


def test_a_detector_that_fails_is_what_the_policy_says_of_it(
    classifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = Policy.parse(
        "schema: 1\nname: own\nlabels: {toxicity: {threshold: 0.5, action: rewrite}}\n"
        f"detectors: [{{name: transformers, model: {classifier}}}]\non: {{detector_error: route}}\n"
    )
    guard = Guard(policy, rewriter=None)
    monkeypatch.setattr(TransformersDetector, "score", lambda *_: 1 / 0)
    verdict = guard(served.KIND)
    assert (verdict.action, verdict.text) == ("route", None)
    assert "detector failed: transformers: ZeroDivisionError" in verdict.warnings[0]
