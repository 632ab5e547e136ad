"""Models of one's own propose through a guard, and the same checks dispose."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM

import tiny_models as tiny
from unbarb.detect.embedded import Embedded
from unbarb.detect.panel import Panel
from unbarb.errors import ConfigError, MissingExtra, ModelError
from unbarb.guard import Guard
from unbarb.policy import Policy
from unbarb.prompt import built_in
from unbarb.rewrite.causal import Causal
from unbarb.rewrite.decoding import Decoding
from unbarb.rewrite.seq2seq import Seq2Seq
from unbarb.text import Analysis
from unbarb.verify.standard import standard_verifier

PREFIX, DETOXIFY = built_in("t5-prefix"), built_in("detoxify")
RUDE = "you are an idiot"
NEUTRAL = "you are a person"
STILL_TOXIC = ((RUDE, "you are a moron"), ("he is a stupid man", "he is a stupid fool"))
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

POLICY = """
schema: 1
name: own
detectors: [lexicon]
labels: {{toxicity: {{threshold: 0.5, margin: 0.1, action: rewrite}}}}
rewriter: {{name: {name}, model: {model}, candidates: 2}}
on: {{rewrite_failure: {failure}}}
"""


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t5")
    model, words = tiny.t5(), tiny.tokenizer(folder)
    tiny.teach(model, words, PREFIX)
    return tiny.save(model, folder, PREFIX)


@pytest.fixture(scope="module")
def rude_t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has learnt to answer rudeness with rudeness."""
    folder = tmp_path_factory.mktemp("rude")
    model, words = tiny.t5(), tiny.tokenizer(folder)
    tiny.teach(model, words, PREFIX, STILL_TOXIC)
    return tiny.save(model, folder, PREFIX)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llama")
    model, words = tiny.llama(), tiny.tokenizer(folder, "<s> $A")
    tiny.teach(model, words, DETOXIFY)
    return tiny.save(model, folder, DETOXIFY)


def guard(tiny_model: Path, name: str, model: Path, failure: str = "mask") -> Guard:
    """Detector and verifier of the toy model; the rewriter from the policy."""
    detector = Embedded(tiny_model)
    policy = Policy.parse(POLICY.format(name=name, model=model, failure=failure))
    return Guard(policy, [detector], verifier=standard_verifier(Panel([detector.ungated]), tiny_model))


@pytest.mark.parametrize("name", ["seq2seq", "causal"])
def test_a_model_named_in_a_policy_rewrites(tiny_model: Path, t5: Path, llama: Path, name: str) -> None:
    verdict = guard(tiny_model, name, t5 if name == "seq2seq" else llama)(RUDE)
    assert (verdict.action, verdict.step) == ("rewrite", "edit")
    assert verdict.text == NEUTRAL
    assert verdict.scores_after is not None
    assert verdict.scores_after["toxicity"] < 0.4
    assert [edit.replacement for edit in verdict.edits] == ["a", "person"]


def test_what_is_still_toxic_falls_and_the_ladder_takes_over(tiny_model: Path, rude_t5: Path) -> None:
    proposed = Seq2Seq(str(rude_t5), candidates=1).propose([Analysis(RUDE, {})])
    assert [one.text for one in proposed[0]] == ["you are a moron"]
    verdict = guard(tiny_model, "seq2seq", rude_t5)(RUDE)
    assert verdict.text is not None
    assert "moron" not in verdict.text
    assert "idiot" not in verdict.text
    assert verdict.step in ("delete", "mask")
    blocked = guard(tiny_model, "seq2seq", rude_t5, failure="block")("idiot")
    assert (blocked.action, blocked.text) == ("block", None)


def test_a_model_that_fails_is_warned_of_and_passed_over(
    tiny_model: Path, t5: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = guard(tiny_model, "seq2seq", t5)
    monkeypatch.setattr(Seq2Seq, "propose", lambda *_: (_ for _ in ()).throw(MemoryError("out of memory")))
    verdict = made(RUDE)
    assert verdict.warnings == ("rewriter failed: seq2seq: MemoryError: out of memory",)
    assert verdict.step in ("delete", "mask")
    assert "idiot" not in (verdict.text or "")


def test_an_adapter_rewrites_on_the_base_it_names(tmp_path: Path, t5: Path) -> None:
    """The adapter alone turns a model that says one thing into one that says another."""
    model = tiny.lora(AutoModelForSeq2SeqLM.from_pretrained(t5), "all-linear", 16, task_type="SEQ_2_SEQ_LM")
    words = tiny.tokenizer(tmp_path / "unused")
    tiny.teach(model, words, PREFIX, ((RUDE, "what a bad idea"),), rate=1e-2, steps=60)
    tiny.save(model, tmp_path / "adapter", PREFIX)
    (found,) = Seq2Seq(str(tmp_path / "adapter")).propose([Analysis(RUDE, {})])
    assert found[0].text == "what a bad idea"
    (before,) = Seq2Seq(str(t5)).propose([Analysis(RUDE, {})])
    assert before[0].text == NEUTRAL
    moved = tmp_path / "moved"
    shutil.copytree(t5, moved)
    (again,) = Seq2Seq(str(tmp_path / "adapter"), base=str(moved)).propose([Analysis(RUDE, {})])
    assert again == found


def test_samples_are_the_same_for_a_text_whatever_else_is_asked(t5: Path) -> None:
    asked = [Analysis(text, {}) for text, _ in tiny.PAIRS]
    drawn = Seq2Seq(str(t5), sample=True, temperature=2.0, candidates=6, max_new_tokens=30)
    together = drawn.propose(asked)
    torch.manual_seed(99)
    assert [drawn.propose([one])[0] for one in reversed(asked)][::-1] == together
    other = Seq2Seq(str(t5), candidates=6, max_new_tokens=30).propose(asked)
    assert together != other


def test_what_is_cut_off_or_too_long_is_no_candidate(t5: Path) -> None:
    (cut,) = Seq2Seq(str(t5), max_new_tokens=2).propose([Analysis(RUDE, {})])
    assert cut == []
    (long,) = Seq2Seq(str(t5)).propose([Analysis("you are an idiot " * 100, {})])
    assert long == []


def test_the_template_of_the_folder_is_the_one_that_is_asked(t5: Path, llama: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"'plain' is not what .* trained with \('t5-prefix'\); leave it out"
    ):
        Seq2Seq(str(t5), template="plain")
    bare = tmp_path / "bare"
    shutil.copytree(llama, bare)
    (bare / "unbarb_template.json").unlink()
    with pytest.raises(ConfigError, match="say how it is to be asked: template: alpaca, detoxify"):
        Causal(str(bare))
    (found,) = Causal(str(bare), template="detoxify").propose([Analysis(RUDE, {})])
    assert found[0].text == NEUTRAL


def test_a_digest_names_weights_template_and_search(t5: Path, rude_t5: Path) -> None:
    digests = {
        Seq2Seq(str(t5)).digest,
        Seq2Seq(str(t5), candidates=3).digest,
        Seq2Seq(str(rude_t5)).digest,
    }
    assert len(digests) == 3
    assert Seq2Seq(str(t5)).digest in digests


def test_wrong_options_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Seq2Seq("x", candidates=0, beams=4, sample=True, top_p=2.0, timeout=-1)
    assert len(str(caught.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("model", "said"),
    [("./nowhere", "no such folder; give the folder of a model"), ("/nowhere/at/all", "no such folder")],
)
def test_a_model_that_is_not_there(model: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Seq2Seq(model)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"neither config\.json nor adapter_config\.json"):
        Seq2Seq(str(tmp_path))


def test_damaged_weights_are_said_to_be_so(t5: Path, tmp_path: Path) -> None:
    shutil.copytree(t5, tmp_path / "damaged")
    (tmp_path / "damaged" / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ModelError, match="damaged does not load"):
        Seq2Seq(str(tmp_path / "damaged"))


def test_the_hub_out_of_reach_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        ModelError, match=r"org/none: no such folder, and the hub did not give it .* give the path"
    ):
        Seq2Seq("org/none")


def test_a_missing_package_is_named(t5: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(__import__("sys").modules, "unbarb.rewrite.decode_torch", raising=False)
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    monkeypatch.delitem(__import__("sys").modules, "unbarb.detect.pretrained", raising=False)
    with pytest.raises(
        MissingExtra, match=r"'seq2seq' needs the package 'peft': pip install 'unbarb\[train\]'"
    ):
        Seq2Seq(str(t5))


def searched(folder: Path, **options: Any) -> tuple[object, ...]:
    found = Seq2Seq(str(folder), **options)._search
    return found.width, found.max_new_tokens, found.no_repeat_ngram, found.repetition_penalty


def test_a_model_writes_as_its_recipe_said_unless_an_option_does(t5: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(t5, folder)
    bare = Seq2Seq(str(folder)).digest
    Decoding(beams=6, max_new_tokens=30, no_repeat_ngram=3, repetition_penalty=1.5).save(folder)
    assert searched(folder) == (6, 30, 3, 1.5)
    other = {"beams": 5, "max_new_tokens": 9, "no_repeat_ngram": 0, "repetition_penalty": 1.0}
    assert searched(folder, **other) == (5, 9, 0, 1.0)
    assert searched(folder, candidates=8)[0] == 8  # beams enough for the candidates
    assert searched(folder, sample=True)[0] == 1
    assert Seq2Seq(str(folder)).digest != bare
    Decoding(max_new_tokens=1).save(folder)
    assert Seq2Seq(str(folder)).propose([Analysis(RUDE, {})]) == [[]]  # nothing ends in one token


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 2}', '{"schema": 1, "beams": 0}'])
def test_a_damaged_decoding_is_refused(t5: Path, tmp_path: Path, content: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(t5, folder)
    (folder / "unbarb_decoding.json").write_text(content, "utf-8")
    with pytest.raises(ModelError, match=r"unbarb_decoding\.json"):
        Seq2Seq(str(folder))
