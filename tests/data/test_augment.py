"""Made rows say how they were made, and keep what must not change."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from unbarb.data.augment import WAYS, Augmentation
from unbarb.data.readers.typed_spans import typed_sentences
from unbarb.errors import ConfigError

PAIR = {
    "id": "p-1",
    "source": "you stupid people, read the page",
    "target": "people, read the page",
    "corpus": "p",
}
LABELLED = {
    "id": "l-1",
    "text": "An old Muslim and a gay man drink black coffee with Muslims",
    "labels": {"toxicity": 0.0},
    "corpus": "l",
}


@pytest.mark.parametrize("name", WAYS)
def test_every_way_says_so_and_keeps_labels_and_corpus(name: str) -> None:
    (made,) = Augmentation(name, 1.0).rows(LABELLED, "labelled", seed=3)
    assert made["text"] != LABELLED["text"]
    assert made["meta"] == {"augmented": name, "of": "l-1"}
    assert (made["id"], made["labels"], made["corpus"]) == (f"l-1-{name}", LABELLED["labels"], "l")
    assert "meta" not in LABELLED


@pytest.mark.parametrize("name", sorted(WAYS.keys() - {"identity"}))
def test_the_target_of_a_pair_stays(name: str) -> None:
    (made,) = Augmentation(name, 1.0).rows(PAIR, "pairs", seed=3)
    assert made["target"] == PAIR["target"]
    assert made["source"] != PAIR["source"]


def test_stars_fall_on_the_words_that_the_target_does_without() -> None:
    for seed in range(20):
        for made in Augmentation("stars", 1.0).rows(PAIR, "pairs", seed):
            assert made["source"].endswith(" people, read the page")
            assert made["source"].startswith(("y", "you"))


def test_a_group_becomes_another_in_all_texts_alike_and_an_ordinary_word_stays() -> None:
    pair = {**PAIR, "source": "All Muslims are pigs", "target": "I dislike Muslims"}
    for seed in range(20):
        (made,) = Augmentation("identity", 1.0).rows(pair, "pairs", seed)
        group = made["source"].removeprefix("All ").removesuffix(" are pigs")
        assert group != "Muslims"
        assert made["target"] == f"I dislike {group}"
    (made,) = Augmentation("identity", 1.0).rows(LABELLED, "labelled", seed=3)
    assert "black coffee" in made["text"]
    assert "Muslim" not in made["text"] or "gay" not in made["text"]


def test_an_article_follows_its_new_group() -> None:
    row = {**LABELLED, "text": "an immigrant came"}
    texts = {
        made["text"]
        for seed in range(80)
        for made in Augmentation("identity", 1.0).rows(row, "labelled", seed)
    }
    assert len(texts) > 5
    assert all(text.split()[0] == ("an" if text.split()[1][0] in "aeioAEIO" else "a") for text in texts), (
        texts
    )


def test_a_row_without_a_group_gives_none() -> None:
    assert not list(Augmentation("identity", 1.0).rows({**LABELLED, "text": "nobody here"}, "labelled", 1))


def test_the_share_is_that_of_the_rows() -> None:
    rows = [{**LABELLED, "id": f"l-{number}"} for number in range(1000)]
    made = [one for row in rows for one in Augmentation("leet", 0.2).rows(row, "labelled", seed=1)]
    assert len(made) == pytest.approx(200, abs=40)
    again = [
        one for row in reversed(rows) for one in Augmentation("leet", 0.2).rows(row, "labelled", seed=1)
    ]
    assert again[::-1] == made


def test_a_way_is_read_from_the_command_line() -> None:
    assert Augmentation.parse("leet=0.1") == Augmentation("leet", 0.1)
    assert Augmentation.parse("minority:threat=1").label == "threat"
    with pytest.raises(ConfigError, match="no way 'let'; there are swapped, dropped"):
        Augmentation.parse("let=0.1")
    with pytest.raises(ConfigError, match="no way 'minority:thread'"):
        Augmentation.parse("minority:thread=0.1")
    for given in ("leet", "leet=0", "leet=2", "leet=nan", "leet=x"):
        with pytest.raises(ConfigError, match="give a share above 0 and at most 1"):
            Augmentation.parse(given)


def test_sentences_with_spans_of_one_type(tmp_path: Path) -> None:
    text = "The road is closed. I will hurt you. You clown."
    comments, annotations, spans = (tmp_path / name for name in ("c.csv", "a.csv", "s.csv"))
    comments.write_text(f"comment_id,text\n7,{text}\n8,Fine words.\n")
    annotations.write_text("annotation,comment_id\n1,7\n2,7\n3,7\n4,8\n")
    spans.write_text(
        "annotation,type,start,end\n1,Threat,20,36\n2,Threat,27,36\n3,Insult,41,46\n1,Insult,41,46\n4,Threat,3,3\n"
    )
    (threat,) = typed_sentences("threat", comments, annotations, spans)
    assert threat.text == "I will hurt you."
    assert threat.labels == {"toxicity": pytest.approx(2 / 3), "threat": pytest.approx(2 / 3)}
    (insult,) = typed_sentences("insult", comments, annotations, spans)
    assert insult.text == "You clown."
    assert typed_sentences("threat", comments, annotations, spans, least=0.7) == []
    with pytest.raises(ConfigError, match="no span is marked as 'severe_toxicity'; there are insult"):
        typed_sentences("severe_toxicity", comments, annotations, spans)


def test_random_words_never_break_the_stars() -> None:
    rng = random.Random(1)
    for _ in range(200):
        text = " ".join("".join(rng.choice("abé1'") for _ in range(rng.randrange(1, 7))) for _ in range(4))
        for made in Augmentation("stars", 1.0).rows({**LABELLED, "text": text}, "labelled", rng.random()):
            assert len(made["text"]) == len(text)
