"""One JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Mapping

from unbarb.corpus.fields import FieldError, Path, kind_of, texts_of
from unbarb.corpus.json_strings import DuplicateKeyError, parse_for, replaced
from unbarb.corpus.rows import Empty, Item, Row, Unread, id_of, not_utf8
from unbarb.corpus.settings import Settings


class JsonLines:
    """Reads rows of lines and writes lines in which nothing but the texts has changed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def read(self, raw: bytes, number: int) -> Item:
        try:
            line = raw.decode()
            if not line.strip():
                return Empty(raw)
            return self._row(line, raw, number)
        except UnicodeDecodeError as error:
            reason = not_utf8(error)
        except json.JSONDecodeError as error:
            reason = f"not JSON: {error.msg} at column {error.colno}"
        except RecursionError:
            reason = "not JSON that can be read: nested too deeply"
        except (FieldError, DuplicateKeyError) as error:
            reason = str(error)
        return Unread(number, reason, raw)

    def _row(self, line: str, raw: bytes, number: int) -> Row:
        settings = self._settings
        row = parse_for(line, settings.columns)
        if not isinstance(row, Mapping):
            raise FieldError(f"a JSON object is needed, not {kind_of(row)}")
        texts = texts_of(row, settings.columns, settings.roles)
        return Row(number, id_of(row, settings.id_column), texts, raw)

    def write(self, row: Row, new: Mapping[Path, str]) -> bytes:
        return replaced(row.raw.decode(), new).encode()
