"""A recipe is typed, documented and published; what is wrong with one is told at once, with its line."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

pytest.importorskip("pydantic")

from pydantic import BaseModel

from unbarb.errors import ConfigError
from unbarb.train.reader import SHIPPED, load, load_any, shipped
from unbarb.train.schema import TrainRecipe, recipe_schema

HEAD = "schema: 1\nname: toy\nobjective: seq2seq\nmodel: {name: google-t5/t5-small}\n"
PUBLISHED = json.loads((files("unbarb") / "models" / "recipe.schema.json").read_text("utf-8"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "toy.yaml"


def problems(path: Path, text: str, **overrides: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(path, {key.replace("__", "."): value for key, value in overrides.items()})
    return [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]


def test_the_published_schema_is_the_readers() -> None:
    assert recipe_schema() == PUBLISHED
    jsonschema.Draft202012Validator.check_schema(PUBLISHED)


def test_every_key_is_documented() -> None:
    parts = [TrainRecipe]
    seen = 0
    while parts:
        for name, field in parts.pop().model_fields.items():
            assert field.description, name
            seen += 1
            for one in (field.annotation, *getattr(field.annotation, "__args__", ())):
                if isinstance(one, type) and issubclass(one, BaseModel):
                    parts.append(one)  # type: ignore[arg-type]
    assert seen > 60


@pytest.mark.parametrize("name", [name for name in shipped() if name != "embedded-en"])
def test_every_shipped_recipe_is_valid_and_says_its_command_first(name: str) -> None:
    file = SHIPPED / f"{name}.yaml"
    text = file.read_text("utf-8")
    assert text.startswith(f"# unbarb train src/unbarb/recipes/{name}.yaml --data ")
    jsonschema.validate(yaml.safe_load(text), PUBLISHED)
    assert load(name).name == name


def test_the_rows_of_the_table_have_recipes() -> None:
    assert set(shipped()) >= {
        "llama-7b-lora", "bloom-3b-lora", "phi-2-lora", "t5-small-full", "t5-small-lora", "opt-350m-qlora",
        "llama-2-7b-zero-shot", "llama-2-7b-qlora-labels", "mixtral-8x7b-qlora-experts", "bart-base-lora",
        "bart-base-orpo", "mt0-lora", "mt0-orpo", "modernbert-classification", "embedded-en",
    }  # fmt: skip


def test_what_is_written_reads_back_the_same(path: Path) -> None:
    recipe = load("mixtral-8x7b-qlora-experts")
    path.write_text(recipe.to_yaml())
    assert load(path) == recipe


def test_the_embedded_recipe_is_still_its_own() -> None:
    pytest.importorskip("torch")
    assert type(load_any("embedded-en")).__name__ == "Recipe"
    with pytest.raises(ConfigError, match="embedded"):
        load("embedded-en")


def test_overrides_are_dotted_and_yaml(path: Path) -> None:
    path.write_text(HEAD)
    recipe = load(
        path,
        {"training.learning_rate": "3e-4", "method.targets": "[q, v]", "training.patience": "null",
         "template.name": "t5-prefix", "template.prefix": '"fix: "'},
    )  # fmt: skip
    assert recipe.training.learning_rate == 3e-4
    assert recipe.method.targets == ["q", "v"]
    assert recipe.build_template().prompt("x") == "fix: x"
    changed = recipe.changed(training__learning_rate=1e-3, name="other")
    assert (changed.training.learning_rate, changed.name, changed.method) == (1e-3, "other", recipe.method)


def test_all_problems_are_told_at_once_with_their_lines(path: Path) -> None:
    text = (
        "schema: 1\nname: T5 small\nobjective: seq2sec\nmodel: {name: a/b, quantisation: int8}\n"
        "method: {rank: eight, targets: [q, 1]}\n"
        "training:\n  epoch: 3\n  batch_size: true\n  report_to: [tensorbord]\n  batch_size: 4\n"
    )
    found = problems(path, text, training__max_steps="0", name__x="1", method__alpha="[")
    told = "\n".join(found)
    assert found[0].startswith("2: name: 'T5 small'")
    assert "3: objective: 'seq2sec' is none of 'seq2seq'" in told
    assert "did you mean 'seq2seq'?" in told
    assert "4: unknown key 'quantisation' in model; did you mean 'quantization'? Allowed: name," in told
    assert (
        "5: method.rank: 'eight' is not possible: should be a whole number (Rank of the adapters)" in told
    )
    assert "5: method.targets.1: 1 is not possible: should be a string" in told
    assert "7: unknown key 'epoch' in training; did you mean 'epochs'?" in told
    assert "9: training.report_to.0: 'tensorbord' is none of" in told
    assert "10: training.batch_size: given before, in line 8" in told
    assert "--set training.max_steps=0: training.max_steps: 0 is not possible" in told
    assert "--set name.x=1: name is 'T5 small', not a mapping of keys" in told
    assert "--set method.alpha=[: '[' is not YAML" in told
    assert len(found) == 11


@pytest.mark.parametrize(
    ("added", "told"),
    [
        ("training: {packing: true}\n", "5: training.packing: seq2seq rows cannot be packed"),
        ("template: {name: labels}\n", "5: template.name: the template labels goes with the objective gen"),
        (
            "template: {name: alpacca}\n",
            "5: template.name: 'alpacca' is no template; did you mean 'alpaca'?",
        ),
        ("template: {name: plain, prefix: x}\n", "5: template.prefix: only the template t5-prefix"),
        ("preference: {beta: 0.1}\n", "5: preference: goes with the objective preference"),
        ("method: {targets: []}\n", "5: method.targets: lora needs targets"),
        ("method: {name: dora, experts: [a]}\n", "5: method.name: dora cannot reach fused experts"),
        ("method: {dropout: 0.1, experts: [a]}\n", "5: method.dropout: 0.1 is not possible with experts"),
        ("data: {labels: [a, a]}\n", "5: data.labels: a label stands there twice"),
        (
            "data: {max_source_tokens: 3}\n",
            "5: data.max_source_tokens: 3 is not possible: should be greater",
        ),
    ],
)
def test_what_does_not_go_together_is_told(path: Path, added: str, told: str) -> None:
    found = problems(path, HEAD + added)
    assert len(found) == 1
    assert found[0].startswith(told)


@pytest.mark.parametrize(
    ("objective", "key", "value"),
    [
        ("classification", "label_smoothing", "0.1"),
        ("bilstm", "optimizer", "adafactor"),
        ("bilstm", "gradient_accumulation", "2"),
        ("bilstm", "evaluate_every", "50"),
        ("bilstm", "save_every", "50"),
        ("bilstm", "report_to", "[tensorboard]"),
    ],
)
def test_a_key_that_would_change_nothing_is_refused(
    path: Path, objective: str, key: str, value: str
) -> None:
    text = HEAD.replace("seq2seq", objective)
    if objective == "bilstm":
        text = text.replace("model: {name: google-t5/t5-small}\n", "")
    (found,) = problems(path, text, **{f"training__{key}": value})
    assert found.startswith(
        f"--set training.{key}={value}: training.{key}: {objective} does nothing with it"
    )


def test_models_are_for_those_that_need_one(path: Path) -> None:
    without = HEAD.replace("model: {name: google-t5/t5-small}\n", "")
    assert problems(path, without) == [
        "3: objective: seq2seq needs a base model; add model: {name: org/name}"
    ]
    words = HEAD.replace("seq2seq", "naive_bayes")
    assert "4: model: naive_bayes learns from words" in problems(path, words)[0]
    quantised = HEAD.replace("small}", "small, quantization: int8, double_quantization: true}")
    found = problems(path, quantised + "method: {name: full}\n")
    assert "goes with quantization: nf4" in found[0]
    assert "quantised weights cannot be trained in full" in found[1]


def test_the_page_has_every_key_with_its_sentence() -> None:
    page = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text("utf-8")
    seen = 0
    for name, field in TrainRecipe.model_fields.items():
        kinds = (field.annotation, *getattr(field.annotation, "__args__", ()))
        part = next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)
        keys = {field.alias or name: field} if part is None else part.model_fields
        for key, one in keys.items():
            dotted = key if part is None else f"{name}.{key}"
            assert any(
                line.startswith(f"| `{dotted}` |") and line.endswith(f"| {one.description} |")
                for line in page.splitlines()
            ), f"docs/recipes.md: {dotted}"
            seen += 1
    assert seen > 60


def test_pissa_needs_its_weights_as_they_are(path: Path) -> None:
    quantised = HEAD.replace("small}", "small, quantization: nf4}")
    found = problems(path, quantised + "method: {name: pissa}\n")
    assert found == ["4: model.quantization: PiSSA starts from unquantised weights; use none, or lora"]


@pytest.mark.parametrize("text", ["", "[]", "3", "a: [", "\tb: 1"])
def test_what_is_no_recipe_is_refused(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"toy\.yaml"):
        load_any(path)


def test_a_recipe_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(ConfigError, match="no such recipe; did you mean 't5-small-lora'"):
        load_any("t5-smal-lora")


def test_types_are_not_turned_into_others(path: Path) -> None:
    content: dict[str, Any] = yaml.safe_load(HEAD)
    with pytest.raises(ValueError, match="valid string"):
        TrainRecipe.model_validate(content | {"name": 3})
    assert "batch_size" in problems(path, HEAD + "training: {batch_size: 2.0}\n")[0]


def test_a_set_that_was_balanced_by_another_plan_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from unbarb.data.prepared import write_prepared
    from unbarb.train.objectives import check_plan

    row = {"id": "a", "text": "You fool.", "labels": {"toxicity": 1.0}, "corpus": "c"}
    plain = write_prepared(tmp_path / "plain", "labelled", {"train": [row]})
    planned = write_prepared(tmp_path / "by", "labelled", {"train": [row]}, {"plan": {"name": "six"}})
    check_plan(None, plain)
    check_plan("six", planned)
    with pytest.raises(ConfigError, match="was prepared by no plan; prepare it with `--plan six`"):
        check_plan("six", plain)
    with pytest.raises(ConfigError, match="was prepared by six"):
        check_plan("seven", planned)
