"""Fetching, from local folders in the hub's format: nothing here touches the network."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from unbarb.data import hub
from unbarb.data.catalogue import entry
from unbarb.data.corpora import Corpora
from unbarb.data.sources import from_path
from unbarb.errors import ConfigError, InputError, MissingExtra
from unbarb.text import LABELS

PAIRS = [
    {"en_toxic_comment": "what\tcrap", "en_neutral_comment": 'what "a" pity'},
    {"en_toxic_comment": "what\tcrap", "en_neutral_comment": "how sad"},
]
TWEETS = [
    {
        "count": 4,
        "hate_speech_count": 1,
        "offensive_language_count": 2,
        "neither_count": 1,
        "class": 1,
        "tweet": "a, b\n&amp; c",
    }
]


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[dict[str, Any]]]:
    """What the hub would answer, by repository."""
    answers: dict[str, list[dict[str, Any]]] = {}
    monkeypatch.setattr(hub, "_load", lambda repository, configuration, split: answers[repository])
    return answers


def test_a_fetched_corpus_reads_like_any_other(
    rows: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    rows["s-nlp/paradetox"] = PAIRS
    rows["tdavidson/hate_speech_offensive"] = TWEETS
    rows["Salesforce/wikitext"] = [{"text": " = Title = \n"}, {"text": " One two three , four five . \n"}]
    for name in ("paradetox", "davidson", "wikitext"):
        assert hub.fetch(name, tmp_path).is_file()
    corpora = Corpora(tmp_path)
    assert corpora.available() == ("davidson", "paradetox", "wikitext")
    (pair,) = corpora.pairs()
    assert (pair.toxic, pair.neutrals) == ("what\tcrap", ('what "a" pity', "how sad"))
    (tweet,) = corpora.labelled("davidson")
    assert (tweet.text, tweet.labels) == ("a, b\n& c", {"toxicity": 0.75, "identity_attack": 0.25})
    (paragraph,) = corpora.labelled("wikitext")
    assert paragraph.text == "One two three, four five."


def test_tables_of_the_hub_are_read_by_their_columns(
    rows: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    labels = dict.fromkeys(LABELS, 0.25)
    said = {"text": "It went on", "toxicity": 0.5, "flirtation": None}
    rows["google/civil_comments"] = [{"text": 'a "b", c', **labels, "sexual_explicit": 0.0}]
    rows["allenai/real-toxicity-prompts"] = [
        {"filename": "x", "prompt": said, "continuation": {**said, "text": " and\non"}, "challenging": True}
    ]
    civil = from_path(hub.fetch("civil_comments", tmp_path))
    (comment,) = civil.rows()
    assert isinstance(comment, dict)
    assert (civil.layout, comment["text"], comment["labels"]) == ("Civil Comments", 'a "b", c', labels)
    prompts = from_path(hub.fetch("real_toxicity_prompts", tmp_path))
    prompt, continuation = prompts.rows()
    assert isinstance(prompt, dict)
    assert isinstance(continuation, dict)
    assert (prompts.layout, prompt["labels"]) == ("RealToxicityPrompts", {"toxicity": 0.5})
    assert (continuation["text"], continuation["meta"]["challenging"]) == (" and\non", True)
    listed = entry("civil_comments", Corpora(tmp_path))
    assert (listed.kind, listed.missing, listed.hub) == ("table", (), "google/civil_comments")


def test_a_file_that_is_there_is_left_alone(rows: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    (tmp_path / "davidson.csv").write_text("mine", encoding="utf-8")
    assert hub.fetch("davidson", tmp_path).read_text(encoding="utf-8") == "mine"
    assert rows == {}


def test_a_wrong_answer_leaves_no_file_that_looks_whole(
    rows: dict[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    rows["s-nlp/paradetox"] = [{"toxic": "a"}]
    with pytest.raises(InputError, match="no column en_toxic_comment, en_neutral_comment; found toxic"):
        hub.fetch("paradetox", tmp_path)
    assert Corpora(tmp_path).available() == ()


def test_an_unknown_corpus_and_a_missing_package_are_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="not on the hub; there are paradetox"):
        hub.fetch("edos", tmp_path)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtra, match="pip install datasets"):
        hub.fetch("davidson", tmp_path)


def test_a_hub_that_fails_is_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no network")

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=refuse))
    with pytest.raises(InputError, match=r"did not give it \(ConnectionError: no network\); name a mirror"):
        hub.fetch("davidson", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("default")  # what the other package warns of is not ours to fix
def test_a_local_folder_in_the_format_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    folder, cache = tmp_path / "mirror", tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", cache)
    with (folder / "train.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, PAIRS[0].keys())
        table.writeheader()
        table.writerows(PAIRS)
    hub.fetch("paradetox", tmp_path, repository=str(folder))
    (pair,) = Corpora(tmp_path).pairs()
    assert pair.neutrals == ('what "a" pity', "how sad")
