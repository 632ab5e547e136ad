"""TF-IDF of word and character n-grams, kept as a plain list of terms and their weights.

Words are runs of letters and digits, and single signs: ``!!!`` says something in a comment. Counts are
dampened (1 + log) and rows have length 1, as in scikit-learn's `TfidfVectorizer`, which does the work.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from unbarb.errors import InputError, ModelError

Matrix = Any  # scipy ships no types; always a csr_matrix
Analyzer = Literal["word", "char_wb"]

TOKEN = r"(?u)\w+|[^\w\s]"
FILE = "terms.json"


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of n-gram: `terms` are its columns, `idf` their weights."""

    analyzer: Analyzer
    ngrams: tuple[int, int]
    terms: tuple[str, ...]
    idf: NDArray[np.float64]

    def vectorizer(self) -> TfidfVectorizer:
        """The vectoriser that gives these columns."""
        found = _vectorizer(self.analyzer, self.ngrams, vocabulary=list(self.terms))
        found.idf_ = self.idf
        return found


class Tfidf:
    """Texts to rows: the columns of all blocks side by side."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = tuple(blocks)
        self._vectorizers = [block.vectorizer() for block in self.blocks]

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        ngrams: Sequence[int],
        characters: Sequence[int] | None = None,
        *,
        min_count: int = 1,
        max_features: int | None = None,
    ) -> Self:
        """Learn terms and their weights; `max_features` holds for words and for characters each.

        Raises:
            InputError: no term occurs in `min_count` texts.
        """
        asked: list[tuple[Analyzer, Sequence[int]]] = [("word", ngrams)]
        if characters is not None:
            asked.append(("char_wb", characters))
        blocks = []
        for analyzer, given in asked:
            shortest, longest = given
            found = _vectorizer(analyzer, (shortest, longest), min_df=min_count, max_features=max_features)
            try:
                found.fit(texts)
            except ValueError as error:
                raise InputError(
                    f"{len(texts):,} texts hold no {analyzer} n-gram that {min_count} of them share;"
                    " lower words.min_count or add texts"
                ) from error
            terms = tuple(found.get_feature_names_out().tolist())
            blocks.append(Block(analyzer, (shortest, longest), terms, found.idf_))
        return cls(blocks)

    @property
    def width(self) -> int:
        """How many columns there are."""
        return sum(len(block.terms) for block in self.blocks)

    def rows(self, texts: Sequence[str]) -> Matrix:
        """Sparse, shape (texts, `width`)."""
        return sparse.hstack([one.transform(texts) for one in self._vectorizers]).tocsr()

    def save(self, folder: Path) -> None:
        """Write ``terms.json``."""
        content = [
            {"analyzer": b.analyzer, "ngrams": b.ngrams, "terms": b.terms, "idf": b.idf.tolist()}
            for b in self.blocks
        ]
        (folder / FILE).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: the file is missing or damaged.
        """
        try:
            content = json.loads((folder / FILE).read_text("utf-8"))
            blocks = [(b["analyzer"], tuple(b["ngrams"]), tuple(b["terms"]), b["idf"]) for b in content]
            return cls([Block(kind, ngrams, terms, np.array(idf)) for kind, ngrams, terms, idf in blocks])
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise ModelError(f"{folder / FILE} does not load: {type(error).__name__}: {error}") from error


def _vectorizer(analyzer: Analyzer, ngrams: tuple[int, int], **more: Any) -> TfidfVectorizer:
    pattern = {"token_pattern": TOKEN} if analyzer == "word" else {}
    return TfidfVectorizer(
        analyzer=analyzer, ngram_range=ngrams, sublinear_tf=True, strip_accents="unicode", **pattern, **more
    )
