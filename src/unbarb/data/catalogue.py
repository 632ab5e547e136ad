"""Which corpora there are, where they come from, and what a folder really holds of each."""

from __future__ import annotations

import csv
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from unbarb.data.corpora import FILES, TABLES, Corpora
from unbarb.data.examples import Labelled
from unbarb.data.hub import HUB
from unbarb.data.readers.lexicons import ldnoobw, surge_profanity
from unbarb.errors import InputError
from unbarb.text import LABELS

Kind = Literal["texts", "pairs", "terms", "table"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a corpus is published, and under which licence."""

    url: str
    licence: str


_PARADETOX = Origin("https://github.com/s-nlp/paradetox", "CC0 1.0 there, OpenRAIL++ on the hub")
_LDNOOBW = "https://github.com/LDNOOBW/List-of-Dirty-Naughty-Obscene-and-Otherwise-Bad-Words"

ORIGINS: Mapping[str, Origin] = {
    "jigsaw": Origin(
        "https://www.kaggle.com/c/jigsaw-toxic-comment-classification-challenge",
        "CC0 1.0; comments CC BY-SA 3.0",
    ),
    "wiki_natural": Origin("https://github.com/ipavlopoulos/context_toxicity", "Apache-2.0"),
    "civil": Origin("https://github.com/ipavlopoulos/toxic_spans", "CC0 1.0"),
    "toxic_spans": Origin("https://github.com/ipavlopoulos/toxic_spans", "CC0 1.0"),
    "davidson": Origin("https://github.com/t-davidson/hate-speech-and-offensive-language", "MIT"),
    "edos": Origin("https://github.com/rewire-online/edos", "CC0 1.0"),
    "paradetox": _PARADETOX,
    "cannot_rewrite": _PARADETOX,
    "identity_templates": Origin(
        "https://github.com/conversationai/unintended-ml-bias-analysis", "CC BY 4.0"
    ),
    "wikitext": Origin("https://huggingface.co/datasets/Salesforce/wikitext", "CC BY-SA 3.0"),
    "surge_profanity": Origin("https://github.com/surge-ai/profanity", "MIT"),
    "ldnoobw": Origin(_LDNOOBW, "CC BY 4.0"),
}

TABLE_ORIGINS: Mapping[str, Origin] = {
    "civil_comments": Origin("https://huggingface.co/datasets/google/civil_comments", "CC0 1.0"),
    "real_toxicity_prompts": Origin(
        "https://huggingface.co/datasets/allenai/real-toxicity-prompts", "Apache-2.0"
    ),
}
"""Of the tables that `unbarb data prepare --input` reads; they are not counted."""


@dataclass(frozen=True, slots=True)
class Known:
    """Of how many texts a label is known, and its mean there: the share of 1 where all are 0 or 1."""

    n: int
    mean: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What a reader gives: `rows` texts, pairs or terms.

    `labelled` texts have a known label and `marked` ones toxic stretches; pairs have `rewrites`
    together, and what the reader left out is in `dropped` by reason.
    """

    rows: int
    labelled: int = 0
    marked: int = 0
    labels: Mapping[str, Known] = field(default_factory=dict)
    rewrites: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One corpus: its files, which of them are `missing`, and its counts when none is.

    `hub` is the repository it can be fetched from; `problem` says why files that are here cannot be read.
    """

    name: str
    kind: Kind
    origin: Origin
    hub: str | None
    files: tuple[str, ...]
    missing: tuple[str, ...]
    counts: Counts | None = None
    problem: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def entry(name: str, corpora: Corpora | None) -> Entry:
    """What is known of the corpus `name`, counted when it is there; reads the whole of it.

    A table of `TABLES` is not read: it may have millions of rows.
    """
    if name in TABLES:
        absent = TABLES[name] if corpora is None else corpora.missing(name)
        return Entry(name, "table", TABLE_ORIGINS[name], HUB[name].repository, TABLES[name], absent)
    kind: Kind = "pairs" if name == "paradetox" else "terms" if name in _TERMS else "texts"
    missing = FILES[name] if corpora is None else corpora.missing(name)
    counts = problem = None
    if corpora is not None and not missing:
        try:
            counts = _COUNTERS[kind](name, corpora)
        except InputError as error:
            problem = str(error)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
            problem = f"{', '.join(map(str, corpora.paths(name)))}: damaged ({error})"
    hub = HUB[name].repository if name in HUB else None
    return Entry(name, kind, ORIGINS[name], hub, FILES[name], missing, counts, problem)


def _terms(name: str, corpora: Corpora) -> Counts:
    return Counts(len(_TERMS[name](*corpora.paths(name))))


def _pairs(name: str, corpora: Corpora) -> Counts:
    dropped: Counter[str] = Counter()
    pairs = corpora.pairs(dropped)
    return Counts(len(pairs), rewrites=sum(len(pair.neutrals) for pair in pairs), dropped=dict(dropped))


def _texts(name: str, corpora: Corpora) -> Counts:
    examples = corpora.labelled(name)
    return Counts(
        len(examples),
        labelled=sum(bool(example.labels) for example in examples),
        marked=sum(bool(example.spans) for example in examples),
        labels=_known(examples),
    )


def _known(examples: Sequence[Labelled]) -> dict[str, Known]:
    values: dict[str, list[float]] = {}
    for example in examples:
        for label, value in example.labels.items():
            values.setdefault(label, []).append(value)
    found = {label: Known(len(known), sum(known) / len(known)) for label, known in values.items()}
    return {label: found[label] for label in LABELS if label in found}


_TERMS = {"surge_profanity": surge_profanity, "ldnoobw": ldnoobw}
_COUNTERS = {"texts": _texts, "pairs": _pairs, "terms": _terms}
