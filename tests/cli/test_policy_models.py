"""``unbarb policy`` and ``unbarb models``."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import pytest

from unbarb import __version__
from unbarb.cli.paragraphs import paragraphs
from unbarb.policy import Policy
from unbarb.text import LABELS

BAD = """schema: 1
name: x
labels:
  toxicity: {treshold: 0.5, action: rewrite}
  insult: {threshold: 2, action: flag}
"""


@pytest.fixture
def six_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guard whose detectors score the six labels, without their model."""
    made = SimpleNamespace(panel=SimpleNamespace(labels=frozenset(LABELS)))
    monkeypatch.setattr("unbarb.guard.Guard", lambda policy, rewriter: made)


def test_show_says_rules_and_what_nothing_scores(run, six_labels) -> None:
    ran = run("policy", "show")
    assert ran.code == 0
    assert ran.out.startswith("default (sha256:")
    assert "with threat of" in ran.out
    assert "Unscored, so never found: doxxing, self_harm, sexual_minors." in ran.out
    report = json.loads(run("policy", "show", "strict", "--json").out)
    assert (report["name"], report["digest"]) == ("strict", Policy.load("strict").digest)


def test_show_takes_a_file(run, six_labels, tmp_path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("schema: 1\nname: mine\nlabels:\n  insult: {threshold: 0.5, action: flag}\n", "utf-8")
    assert run("policy", "show", file).out.startswith("mine (sha256:")
    ran = run("policy", "show", tmp_path / "other.yaml")
    assert (ran.code, "no such policy file" in ran.err) == (2, True)


def test_check_lists_every_problem_of_every_file(run, tmp_path) -> None:
    bad, good = tmp_path / "bad.yaml", tmp_path / "good.yaml"
    bad.write_text(BAD, "utf-8")
    good.write_text(
        "schema: 1\nname: good\ndetectors: [lexicon, elsewhere]\n"
        "labels:\n  insult: {threshold: 0.5, action: flag}\n",
        "utf-8",
    )
    ran = run("policy", "check", bad, good, tmp_path / "none.yaml")
    assert ran.code == 2
    assert f"{bad}:4: " in ran.err
    assert "did you mean 'threshold'" in ran.err
    assert f"{bad}:5: " in ran.err
    assert "no such policy file" in ran.err
    assert ran.out == f"{good}: valid ({Policy.load(good).digest})\n"
    assert f"{good}: note: not installed here: elsewhere" in ran.err
    assert run("policy", "check", good).code == 0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models of a few bytes."""
    for name in ("small-en", "words-en"):
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "weights.npz").write_bytes(name.encode())
        entry = {"sha256": sha256(name.encode()).hexdigest(), "bytes": len(name)}
        card = {
            "licence": "Apache-2.0",
            "purpose": f"For {name}.",
            "files": {"weights.npz": entry},
            "scores": {"auc": 0.9},
        }
        (folder / "card.json").write_text(json.dumps(card), "utf-8")
    monkeypatch.setattr("unbarb.cli.models.HOME", tmp_path / "models")
    return tmp_path / "models"


def test_models_are_listed_with_size_digest_licence_and_use(run, home) -> None:
    ran = run("models")
    digest = sha256((home / "small-en" / "card.json").read_bytes()).hexdigest()
    assert ran.code == 0
    assert ran.out.splitlines()[:3] == [
        "small-en  0.0 kB  Apache-2.0",
        f"  sha256:{digest}",
        "  For small-en.",
    ]
    card = json.loads((home / "words-en" / "card.json").read_text("utf-8"))
    del card["licence"]
    card["sources"] = [{"licence": "MIT"}, {"licence": "CC0-1.0"}, {"licence": "MIT"}]
    (home / "words-en" / "card.json").write_text(json.dumps(card), "utf-8")
    listed = [json.loads(line) for line in run("models", "--json").out.splitlines()]
    assert [(card["name"], card["bytes"]) for card in listed] == [("small-en", 8), ("words-en", 8)]
    assert listed[1]["licence"] == "MIT, CC0-1.0"


def test_a_card_is_shown(run, home) -> None:
    ran = run("models", "show", "small-en")
    assert "scores:\n  auc: 0.9" in ran.out
    assert json.loads(run("models", "show", "small-en", "--json").out)["scores"] == {"auc": 0.9}
    ran = run("models", "show", "smal-en")
    assert (ran.code, "did you mean 'small-en'? Known: small-en, words-en" in ran.err) == (2, True)


def test_whole_models_verify(run, home) -> None:
    ran = run("models", "verify")
    assert (ran.code, ran.out) == (0, "small-en: 1 files, whole\nwords-en: 1 files, whole\n")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"smalL-en", "has SHA-256 "), (b"small", "has 5 bytes, its card says 8"), (None, "is missing")],
)
def test_damage_is_told_and_has_an_exit_code(run, home, content, said) -> None:
    weights = home / "small-en" / "weights.npz"
    weights.unlink() if content is None else weights.write_bytes(content)
    ran = run("models", "verify")
    assert ran.code == 3
    assert f"small-en: weights.npz {said}" in ran.err
    assert "words-en: 1 files, whole" in ran.out


@pytest.mark.parametrize(
    "content",
    [
        "no",
        "[]",
        "{}",
        '{"files": ["a"]}',
        '{"files": {"a": {}}, "sources": 3}',
        '{"files": {"a": 3}}',
        '{"files": {"a": {"bytes": 3}}}',
    ],
)
def test_a_card_that_is_no_card_is_an_error(run, home, content) -> None:
    (home / "small-en" / "card.json").write_text(content, "utf-8")
    ran = run("models")
    assert (ran.code, "card.json" in ran.err, "Traceback" in ran.err) == (2, True, False)


def test_a_package_without_models_is_an_error(run, home, monkeypatch) -> None:
    monkeypatch.setattr("unbarb.cli.models.HOME", home / "small-en")
    for command in (("models",), ("models", "verify")):
        ran = run(*command)
        assert (ran.code, "install the package again" in ran.err) == (2, True)


def test_the_models_in_the_package_are_whole(run) -> None:
    ran = run("models", "verify")
    assert ran.code == 0, ran.err
    assert [line.split(": ")[0] for line in ran.out.splitlines()] == [
        "embedded-en",
        "language",
        "lexicon-en",
    ]
    assert run("models", "show", "lexicon-en").code == 0


def test_the_version_is_told(run) -> None:
    assert run("--version").out == f"unbarb {__version__}\n"


def test_paragraphs_show_any_json() -> None:
    value = {
        "a": {"b": [1, 2], "c": None},
        "rows": [{"x": 1, "y": True}, "text"],
        "none": [],
        "f": 0.123456,
    }
    assert list(paragraphs(value)) == [
        "a:", "  b: 1, 2", "  c: none", "rows:", "  - x: 1", "    y: yes", "  - text", "none: ",
        "f: 0.1235",
    ]  # fmt: skip
