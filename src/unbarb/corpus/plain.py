"""Plain text: every line is a text, and keeps its own line end."""

from __future__ import annotations

from collections.abc import Mapping

from unbarb.corpus.fields import Path
from unbarb.corpus.rows import Empty, Item, Row, Unread, not_utf8

TEXT: Path = ("text",)


class PlainLines:
    """Reads lines as texts."""

    def read(self, raw: bytes, number: int) -> Item:
        content = raw.removesuffix(b"\n").removesuffix(b"\r")
        if not content.strip():
            return Empty(raw)
        try:
            return Row(number, None, [(TEXT, content.decode())], raw)
        except UnicodeDecodeError as error:
            return Unread(number, not_utf8(error), raw)

    def write(self, row: Row, new: Mapping[Path, str]) -> bytes:
        _, old = row.texts[0]
        return new[TEXT].encode() + row.raw[len(old.encode()) :]
