"""A recipe is typed; everything wrong with it is told at once."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

pytest.importorskip("torch")

from unbarb.cli.embedded import EmbeddedRun
from unbarb.data.corpora import Corpora
from unbarb.errors import ConfigError
from unbarb.train.recipe import Recipe, embedded_schema, load_recipe

SHIPPED = Path(str(files("unbarb"))) / "recipes" / "embedded-en.yaml"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "recipe.yaml"
    file.write_text("schema: 1\nname: toy\nobjective: embedded\nbase: some-package\nbase_sha256: abc\n")
    return file


def problems(path: Path, added: str = "", **overrides: str) -> list[str]:
    path.write_text(path.read_text() + added)
    with pytest.raises(ConfigError) as caught:
        load_recipe(path, {key.replace("__", "."): value for key, value in overrides.items()})
    return str(caught.value).split("\n  ")[1:]


def test_the_shipped_recipe_loads_and_says_what_it_names() -> None:
    recipe = load_recipe(SHIPPED)
    written = yaml.safe_load(SHIPPED.read_text("utf-8"))
    assert (recipe.name, recipe.objective, len(recipe.base_sha256)) == ("embedded-en", "embedded", 64)
    for part in ("detector", "editor", "gate", "thresholds"):
        for key, value in written[part].items():
            assert asdict(recipe)[part][key] == value


def test_defaults_stand_in(path: Path) -> None:
    recipe = load_recipe(path)
    assert recipe == Recipe(
        schema=1, name="toy", objective="embedded", base="some-package", base_sha256="abc"
    )


def test_overrides_are_dotted_and_yaml(path: Path) -> None:
    recipe = load_recipe(
        path, {"detector.epochs": "3", "seed": "4", "gate.lost_recall": "1", "detector.corpora": "[a, b]"}
    )
    assert (recipe.detector.epochs, recipe.seed, recipe.gate.lost_recall) == (3, 4, 1.0)
    assert isinstance(recipe.gate.lost_recall, float)
    assert recipe.detector.corpora == ["a", "b"]


def test_all_problems_are_told_at_once(path: Path) -> None:
    path.write_text(path.read_text().replace("name: toy\n", ""))
    found = problems(
        path,
        "sede: 3\ndetector: {epoch: 3, epochs: many, weights: {a: b}}\neditor: 7\ngate: {batch: true}\n",
    )
    assert len(found) == 7
    told = "\n".join(found)
    assert "unknown key sede; did you mean 'seed'?" in told
    assert "unknown key detector.epoch; did you mean 'epochs'?" in told
    assert "detector.epochs is 'many', but must be int" in told
    assert "detector.weights is {'a': 'b'}, but must be a dict of str, float" in told
    assert "editor is 7, but must be a mapping of keys" in told
    assert "gate.batch is True, but must be int" in told
    assert "name is missing" in told


def test_the_elements_of_lists_and_maps_have_types_too(path: Path) -> None:
    assert problems(path, detector__corpora="[1, 2]") == [
        "detector.corpora is [1, 2], but must be a list of str"
    ]
    assert problems(path, detector__weights="{a: 1, b: true}") != []
    assert load_recipe(path, {"detector.weights": "{a: 1}"}).detector.weights == {"a": 1.0}


def test_an_override_into_a_plain_value_is_told(path: Path) -> None:
    assert problems(path, name__first="1") == [
        "name.first cannot be set: name is 'toy', not a mapping of keys"
    ]
    assert "not YAML" in problems(path, seed="[")[0]


@pytest.mark.parametrize("content", ["[]", "3", "", "a: [", "\tb: 1"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"recipe\.yaml"):
        load_recipe(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a readable YAML file"):
        load_recipe(tmp_path / "absent.yaml")


def corpora(folder: Path, row: str) -> Corpora:
    folder.mkdir()
    (folder / "paradetox.tsv").write_text(
        f"en_toxic_comment\ten_neutral_comment\n{row}\n", encoding="utf-8"
    )
    return Corpora(folder)


def test_only_the_same_recipe_over_the_same_corpora_goes_on(path: Path, tmp_path: Path) -> None:
    out, here = tmp_path / "run", corpora(tmp_path / "corpora", "a\tb")
    assert not EmbeddedRun(load_recipe(path), here, out, print).begin().resumed
    assert EmbeddedRun(load_recipe(path), here, out, print).begin().resumed
    before = (out / "run.json").read_text()
    other = EmbeddedRun(load_recipe(path, {"detector.epochs": "1"}), here, out, print)
    with pytest.raises(ConfigError, match="holds a run with another recipe; only the same goes on"):
        other.make()
    with pytest.raises(ConfigError, match="holds a run with another data; only the same goes on"):
        EmbeddedRun(load_recipe(path), corpora(tmp_path / "others", "c\td"), out, print).make()
    assert (out / "run.json").read_text() == before
    assert set(json.loads(before)["digests"]) == {"recipe", "base", "data"}


def test_the_published_schema_is_the_recipes() -> None:
    published = json.loads((files("unbarb") / "models" / "embedded-recipe.schema.json").read_text("utf-8"))
    assert embedded_schema() == published
    jsonschema.Draft202012Validator.check_schema(published)
    jsonschema.validate(yaml.safe_load(SHIPPED.read_text("utf-8")), published)
