"""A wrong policy is refused with every problem, each at its line; a right one can be rewritten in place."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from unbarb.errors import ConfigError
from unbarb.policy import PRESETS, Policy, policy_schema, write_thresholds

MODELS = Path(str(files("unbarb"))) / "models"
HEAD = "schema: 1\nname: example\nlabels:\n"
GOOD = HEAD + "  insult: {threshold: 0.5, action: rewrite}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Policy.parse(text, "p.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (HEAD + "  insult: {treshold: 0.5, threshold: 0.5, action: flag}\n", 4,
         "unknown key 'treshold' in labels.insult; did you mean 'threshold'? Allowed: threshold, margin, "),
        (HEAD + "  insullt: {threshold: 0.5, action: flag}\n", 4, "did you mean 'insult'?"),
        (HEAD + "  Insult: {threshold: 0.5, action: flag}\n", 4, "'Insult' is not a label"),
        (HEAD + "  insult: {threshold: 0.5, action: blok}\n", 4, "'blok' is none of allow, flag, "),
        (HEAD + "  insult: {threshold: high, action: flag}\n", 4, "'high' is not a number above 0 to 1"),
        (HEAD + "  insult: {threshold: .nan, action: flag}\n", 4, "'.nan' is not a number"),
        (HEAD + "  insult: {threshold: 0, action: flag}\n", 4, "'0' is not a number above 0"),
        (HEAD + "  insult: {threshold: true, action: flag}\n", 4, "'true' is not a number"),
        (HEAD + "  insult: {action: flag}\n", 4, "labels.insult: the key 'threshold' is missing"),
        (HEAD + "  insult:\n    threshold: 0.3\n    margin: 0.3\n    action: rewrite\n", 6,
         "margin 0.3 is not below the threshold 0.3"),
        (GOOD + "  insult: {threshold: 0.5, action: flag}\n", 5, "labels.insult: given before, in line 4"),
        (GOOD + "  threat: {threshold: 0.5, action: rewrite}\n", 5, "never rewritten or let through"),
        (GOOD + "  doxxing: {threshold: 0.5, action: allow}\n", 5, "never rewritten or let through"),
        (GOOD + "  self_harm: {threshold: 0.5, action: flag}\n", 5, "never rewritten or let through"),
        (GOOD + "directions: {output: {labels: {threat: {action: mask}}}}\n", 5, "never rewritten"),
        (GOOD + "directions: {output: {labels: {hate: {threshold: 0.5}}}}\n", 5,
         "the key 'action' is missing, and there is no labels.hate"),
        (GOOD + "directions: {output: {labels: {insult: {margin: 0.5}}}}\n", 5, "is not below"),
        (GOOD + "directions: {sideways: {labels: {}}}\n", 5, "unknown key 'sideways' in directions"),
        (GOOD + "precedence: [block, route, mask, rewrite, flag]\n", 5, "precedence: allow missing"),
        (GOOD + "precedence: [block, block, route, mask, rewrite, flag, allow]\n", 5, "twice"),
        (GOOD + "precedence: [rewrite, block, route, mask, flag, allow]\n", 5, "must be the first two"),
        (GOOD + "languages: []\n", 5, "must hold at least 1"),
        (GOOD + "languages: [English]\n", 5, "'English' is not an ISO 639 code"),
        (GOOD + "allow: moby dick\n", 5, "'moby dick' is not a list"),
        (GOOD + "allow: ['!']\n", 5, "is not a phrase with a letter"),
        (GOOD + "shadow: yes\n", 5, "'yes' is neither true nor false"),
        (GOOD + "on: {detector_error: rewrite}\n", 5, "none of block, route, flag, allow"),
        (GOOD + "on: {unsupported_langage: flag}\n", 5, "did you mean 'unsupported_language'?"),
        (GOOD + "message: [a]\n", 5, "message: a list is not text"),
        (GOOD + "? [a]\n: 1\n", 5, "a key must be a word"),
        (GOOD + "<<: {shadow: true}\n", 5, "unknown key '<<'"),
        (GOOD + "name2: !!python/object:os.system {}\n", 5, "unknown key 'name2'"),
        ("schema: 2\nname: a\nlabels: {insult: {threshold: 0.5, action: flag}}\n", 1, "is not 1"),
        ("schema: 1\nlabels: {insult: {threshold: 0.5, action: flag}}\n", 1, "the key 'name' is missing"),
        ("schema: 1\nname: a\nlabels: {}\n", 3, "must hold at least 1"),
        ("- a\n", 1, "a list is not a mapping"),
        ("", 1, "empty"),
        (GOOD + "message: 'open\n", 6, "not valid YAML"),
        (GOOD + "--- \na: 1\n", 5, "not valid YAML"),
        ("a: \x00", 1, "not valid YAML"),
    ],
)  # fmt: skip
def test_each_problem_at_its_line(text: str, line: int, said: str) -> None:
    told = problems(text)
    assert len(told) == 1
    assert told[0].startswith(f"p.yaml:{line}: ")
    assert said in told[0]


def test_all_problems_at_once_in_the_order_of_the_lines() -> None:
    told = problems(
        "schema: 3\nname: example\nlabels:\n"
        "  insullt: {threshold: 2, action: flag}\n"
        "  threat: {threshold: 0.5, action: rewrite}\n"
        "precedence: [rewrite]\n"
        "shaddow: true\n"
    )
    assert [int(line.split(":")[1]) for line in told] == [1, 4, 4, 5, 6, 7]


def test_codes_are_taken_as_written() -> None:
    """YAML 1.1 reads a plain ``no`` as false; here it is the language."""
    assert Policy.parse(GOOD + "languages: [en, no]\n").languages == ("en", "no")


def test_a_policy_that_only_flags_may_flag_a_threat() -> None:
    flags = HEAD + "  insult: {threshold: 0.5, action: flag}\n  threat: {threshold: 0.4, action: flag}\n"
    policy = Policy.parse(flags)
    assert policy.rules()["threat"].action == policy.rules()["self_harm"].action == "flag"
    acting = flags + "directions: {output: {labels: {insult: {action: rewrite}}}}\n"
    assert "labels.threat.action: 'flag' is not possible" in problems(acting)[0]


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: None, "no such policy file"),
        (lambda path: path.mkdir(), "no such policy file"),
        (lambda path: path.write_bytes(b"name: \xff"), "not UTF-8 at byte 6"),
        (lambda path: path.write_text("a: {" * 5000), "policy.yaml:"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, write: Callable[[Path], object], said: str) -> None:
    write(tmp_path / "policy.yaml")
    with pytest.raises(ConfigError, match=said):
        Policy.load(tmp_path / "policy.yaml")


def test_a_misspelt_preset() -> None:
    with pytest.raises(ConfigError, match=r"defualt: no such policy file; did you mean 'default'\?"):
        Policy.load("defualt")


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_write_thresholds_keeps_every_other_byte(
    tmp_path: Path, name: str, mark: str, newline: str
) -> None:
    before = mark + (MODELS / "policies" / f"{name}.yaml").read_text("utf-8").replace("\n", newline)
    path = tmp_path / "policy.yaml"
    path.write_bytes(before.encode())
    old = Policy.load(path).rules()
    write_thresholds(path, {"toxicity": 0.43219876, "threat": 0.62, "self_harm": 0.7})
    new = Policy.load(path).rules()
    assert (new["toxicity"].threshold, new["threat"].threshold, new["self_harm"].threshold) == (
        0.4322,
        0.62,
        0.7,
    )
    assert new["insult"] == old["insult"]
    after = path.read_bytes().decode()
    write_thresholds(path, {label: old[label].threshold for label in ("toxicity", "threat", "self_harm")})
    assert after != path.read_bytes().decode() == before
    assert [file.name for file in tmp_path.iterdir()] == ["policy.yaml"]


@pytest.mark.parametrize("wrong", [{"insullt": 0.4}, {"insult": 1.5}, {"toxicity": 0.05}])
def test_write_thresholds_leaves_the_file_when_it_would_be_wrong(
    tmp_path: Path, wrong: dict[str, float]
) -> None:
    path = tmp_path / "policy.yaml"
    before = (MODELS / "policies" / "default.yaml").read_bytes()
    path.write_bytes(before)
    with pytest.raises(ConfigError):
        write_thresholds(path, {"threat": 0.9} | wrong)
    assert path.read_bytes() == before


def test_the_published_schema_is_the_reader() -> None:
    published = json.loads((MODELS / "policy.schema.json").read_text("utf-8"))
    assert published == policy_schema()
    jsonschema.Draft202012Validator.check_schema(published)


def as_yaml_1_2(text: str) -> Any:
    """PyYAML speaks YAML 1.1, where a plain ``on`` is true; editors that know the schema speak 1.2."""
    return yaml.safe_load(text.replace("\non:", "\n'on':"))


def test_the_schema_agrees_with_the_reader_on_presets_and_on_what_is_wrong() -> None:
    validator = jsonschema.Draft202012Validator(policy_schema())
    names = sorted(path.stem for path in (MODELS / "policies").glob("*.yaml"))
    assert names == sorted(PRESETS)
    for name in names:
        text = (MODELS / "policies" / f"{name}.yaml").read_text("utf-8")
        validator.validate(as_yaml_1_2(text))
        validator.validate(Policy.load(name).to_dict())
    for line in (
        "shadow: 1",
        "treshold: 1",
        "languages: []",
        "on: {detector_error: mask}",
        "precedence: [block]",
        "labels2: {}",
        "allow: ['!']",
        "directions: {output: {}}",
    ):
        problems(GOOD + line)
        assert not validator.is_valid(as_yaml_1_2(GOOD + line)), line
