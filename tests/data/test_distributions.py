"""A tally counts what is there and comes back from a manifest as it was."""

from __future__ import annotations

import json

from unbarb.data.distributions import LENGTHS, Tally

ROWS = [
    {"id": "1", "text": "one two three", "labels": {"toxicity": 1.0, "threat": 0.2}, "corpus": "a"},
    {"id": "2", "text": "word " * 400, "labels": {"toxicity": 0.0}, "corpus": "b"},
    {"id": "3", "text": "hm", "labels": {"insult": 0.5}, "corpus": "b", "meta": {"augmented": "leet"}},
]


def test_labelled_rows_are_counted() -> None:
    tally = Tally.of("labelled", ROWS)
    assert tally.rows == 3
    assert tally.labels == {"toxicity": 1, "none": 1, "insult": 1}
    assert tally.known == {"toxicity": 2, "threat": 1, "insult": 1}
    assert tally.corpora == {"a": 1, "b": 2}
    assert tally.lengths["text"] == [0, 1, 0, 1, *[0] * (len(LENGTHS) - 5), 1]
    assert tally.toxicity["text"] == [1, *[0] * 8, 1]
    assert tally.augmented == {"leet": 1}
    assert tally.shares()["insult"] == 1 / 3


def test_pairs_take_toxicity_from_their_meta() -> None:
    scores = {"toxicity": {"source": 0.98, "target": 0.01}}
    row = {"id": "1", "source": "a b", "target": "", "corpus": "a", "meta": scores}
    tally = Tally.of("pairs", [row, {**row, "meta": {}}])
    assert tally.toxicity == {"source": [*[0] * 9, 1], "target": [1, *[0] * 9]}
    assert tally.lengths["target"][0] == 2
    assert tally.labels == {}


def test_a_tally_survives_the_manifest() -> None:
    tally = Tally.of("labelled", ROWS)
    assert Tally.from_dict(json.loads(json.dumps(tally.to_dict()))) == tally


def test_no_rows_have_no_shares() -> None:
    assert Tally("labelled").shares() == {}
