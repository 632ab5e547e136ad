"""What a detector is: texts in, one :class:`~unbarb.text.Analysis` each out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from unbarb.text import Analysis


class Detector(Protocol):
    """Anything that scores texts. A batch is the only form; one text is a batch of one.

    `name` is what policies and findings call it, `labels` are the labels it can score, `digest`
    pins what it runs (``sha256:…`` of a model or a list). The result for a text must not depend
    on the other texts in the batch.
    """

    @property
    def name(self) -> str: ...

    @property
    def labels(self) -> frozenset[str]: ...

    @property
    def digest(self) -> str: ...

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text; `context` is the conversation or document before each, if known."""
        ...
