"""A datatrove block: documents in, clean documents out, through the same stage as `unbarb clean`.

>>> LocalPipelineExecutor([reader, CleanDocuments(), writer]).run()  # doctest: +SKIP

See docs/ray.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from unbarb.corpus.fields import FieldError, texts_of
from unbarb.corpus.rows import CHUNK_ROWS
from unbarb.corpus.settings import Settings
from unbarb.corpus.stage import DONE, Cleaned, CleanRows, record
from unbarb.errors import MissingExtra
from unbarb.policy import Policy
from unbarb.text import Direction

try:
    from datatrove.data import Document
    from datatrove.pipeline.base import PipelineStep
    from datatrove.utils.batching import batched
    from datatrove.utils.typeshelper import StatHints
except ModuleNotFoundError as error:
    raise MissingExtra.for_feature(
        "unbarb.corpus.datatrove", error.name or "datatrove", "datatrove"
    ) from error

TEXT = ("text",)
UNREAD = "unread"
"""Why a document is dropped whose text is not Unicode."""


class CleanDocuments(PipelineStep):  # type: ignore[misc]
    """Cleans the text of every document; a pipeline step of datatrove.

    A document that the policy allows goes on as it is. One that was flagged or changed carries in
    ``metadata["unbarb"]`` what was done and why, as the list of changes of `unbarb clean` does. One that
    may not leave goes to `exclusion_writer`, with the policy's rule as ``filter_reason``. The statistics
    count documents by what was done, and those dropped by their rule.

    Args:
        policy: a preset's name, a policy file, or a :class:`~unbarb.policy.Policy`.
        filter: drop the documents that would be rewritten or masked.
        direction: whether texts go into a model or come out of it; the policy may differ.
        exclusion_writer: a datatrove writer for what is dropped; default it is only counted.
        batch_size: documents read at a time.

    Raises:
        ConfigError: the policy or an option is not valid.
    """

    type = "🧼 - CLEAN"
    name = "unbarb"

    def __init__(
        self,
        policy: str | Path | Policy = "default",
        *,
        filter: bool = False,
        direction: Direction = "none",
        exclusion_writer: Any = None,
        batch_size: int = CHUNK_ROWS,
    ) -> None:
        super().__init__()
        # Plain values: the step travels to its workers, and each loads the models there.
        self.settings = Settings.of(policy, TEXT, filter=filter, direction=direction)
        self.exclusion_writer = exclusion_writer
        self.batch_size = batch_size

    def run(self, data: Any, rank: int = 0, world_size: int = 1) -> Iterator[Document]:
        """The documents that may go on, in order."""
        stage = CleanRows.of(self.settings)
        with self.exclusion_writer or nullcontext() as writer:
            for batch in batched(data or (), self.batch_size):
                with self.track_time("batch"):
                    decided = self._decided(stage, batch)
                for document, cleaned in decided:
                    self.stat_update(StatHints.total)
                    reason = self._carried_out(document, cleaned)
                    if reason is None:
                        self.stat_update(StatHints.forwarded)
                        self.update_doc_stats(document)
                        yield document
                        continue
                    self.stat_update(StatHints.dropped, f"dropped_{reason}")
                    if writer is not None:
                        document.metadata["filter_reason"] = reason
                        writer.write(document, rank)

    def _decided(
        self, stage: CleanRows, batch: Sequence[Document]
    ) -> list[tuple[Document, Cleaned | FieldError]]:
        """What becomes of each document, or why it cannot be read."""
        texts: list[Any] = []
        for document in batch:
            try:
                texts.append(texts_of({"text": document.text}, TEXT, None))
            except FieldError as error:
                texts.append(error)
        cleaned = iter(stage.rows([one for one in texts if not isinstance(one, FieldError)]))
        return [
            (document, one if isinstance(one, FieldError) else next(cleaned))
            for document, one in zip(batch, texts, strict=True)
        ]

    def _carried_out(self, document: Document, cleaned: Cleaned | FieldError) -> str | None:
        """Change the document as was decided; the reason, where it is to be dropped."""
        if isinstance(cleaned, FieldError):
            document.metadata[DONE] = str(cleaned)
            document.text = document.text.encode("utf-8", "backslashreplace").decode()
            return UNREAD
        if not cleaned.verdicts:
            self.stat_update("allow")
            return None
        (path, verdict), *_ = cleaned.verdicts
        document.metadata[DONE] = record(path, verdict)
        self.stat_update(verdict.action)
        if cleaned.new is None:
            return verdict.rule.partition(": ")[0]
        document.text = cleaned.new.get(path, document.text)
        return None
