"""From the corpora in a folder to what judges learn from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from unbarb.data.corpora import Corpora
from unbarb.data.examples import Labelled, Pair
from unbarb.data.readers.wikitext import wikitext
from unbarb.data.split import place, split
from unbarb.errors import InputError
from unbarb.evaluate.judges.corpora import JudgeCorpora, JudgeTexts, Rewritten
from unbarb.evaluate.judges.training import Graded

GRADED_POSTS = ("jigsaw", "civil", "davidson", "wiki_natural", "cannot_rewrite")
COLA_FILES = {"train": "cola_in_domain_train.tsv", "dev": "cola_in_domain_dev.tsv"}
HALF_SEED = 29
"""Judges learn from half of the training pairs, chosen by another seed than the split's."""


def judge_corpora(corpora: Corpora, seed: int) -> JudgeCorpora:
    """Train on the train side of the split by `seed`, hold out its dev side; the test side is not touched.

    Raises:
        InputError: a file is missing.
    """
    posts = split((post for name in GRADED_POSTS for post in corpora.labelled(name)), seed)
    pairs = split(corpora.pairs(), seed)
    prose = split(wikitext(corpora.paths("wikitext")[0], unit="sentence"), seed)
    cola = {side: acceptability(corpora.folder / name) for side, name in COLA_FILES.items()}
    return JudgeCorpora(
        train=_texts(posts["train"], _own_half(pairs["train"]), cola["train"], prose["train"]),
        held=_texts(posts["dev"], pairs["dev"], cola["dev"], ()),
    )


def acceptability(path: Path) -> tuple[Graded, ...]:
    """Sentences that linguists accept (1) or reject (0): tab-separated, columns ``acceptable``, ``text``.

    Source: CoLA, Warstadt et al. 2019, https://arxiv.org/abs/1805.12471; research use: train nothing on it
    that ships.

    Raises:
        InputError: there is no such file, or a grade is not 0 or 1.
    """
    if not path.is_file():
        raise InputError(
            f"no file {path}; the judge of fluency needs CoLA (docs/evaluate.md says where it is)"
        )
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        found = [(row["acceptable"], row["text"]) for row in table]
    strange = next((grade for grade, _ in found if grade not in ("0", "1")), None)
    if strange is not None:
        raise InputError(f"{path}: acceptable must be 0 or 1, not {strange!r}")
    return tuple(Graded(text, float(grade)) for grade, text in found)


def _own_half(pairs: Iterable[Pair]) -> list[Pair]:
    halves = {"judges": 0.5, "makers": 0.5}
    return [pair for pair in pairs if place(pair.group, HALF_SEED, halves) == "judges"]


def _texts(
    posts: Iterable[Labelled], pairs: Iterable[Pair], cola: tuple[Graded, ...], prose: Iterable[Labelled]
) -> JudgeTexts:
    return JudgeTexts(
        posts=tuple(Graded(p.text, p.labels["toxicity"]) for p in posts if "toxicity" in p.labels),
        pairs=tuple(Rewritten(pair.toxic, pair.neutrals) for pair in pairs),
        acceptability=cola,
        prose=tuple(sentence.text for sentence in prose if len(sentence.text.split()) <= 30),
    )
