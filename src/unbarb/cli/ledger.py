"""The output file: finished verdicts, one JSON object a line, under ``FILE.part`` until all are done.

A run that was stopped leaves every finished row in the part file, and can be gone on with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from unbarb.errors import InputError


class Ledger:
    """Appends lines to the part file; :meth:`finish` gives it its name.

    A target that is no regular file (a pipe, a device) is written to directly.

    Raises:
        InputError: the file cannot be written, or a part file is there and `resume` is not set.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self.path = path.resolve()
        self._direct = self.path.exists() and not self.path.is_file()
        self.part = self.path if self._direct else self.path.with_name(self.path.name + ".part")
        left = self.part.exists() and not self._direct
        if left and not resume:
            raise InputError(
                f"{self.part} is left from a run that was stopped; go on with --resume, or delete it"
            )
        try:
            if left:
                os.truncate(self.part, _whole_lines(self.part))
            self._file = self.part.open("wb" if self._direct else "ab")
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror}); give another file") from error

    def finished(self) -> Iterator[dict[str, Any]]:
        """The verdicts that an earlier run wrote, in order.

        Raises:
            InputError: a line is not a verdict.
        """
        if self._direct:
            return
        with self.part.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    verdict = json.loads(line)
                except ValueError as error:
                    raise self._unusable(number, "not JSON") from error
                if not isinstance(verdict, dict) or "original" not in verdict:
                    raise self._unusable(number, "not a verdict")
                yield verdict

    def _unusable(self, number: int, what: str) -> InputError:
        return InputError(f"{self.part}:{number}: {what}; delete the file and begin anew")

    def write(self, line: str) -> None:
        self._file.write(line.encode() + b"\n")

    def flush(self) -> None:
        self._file.flush()

    def finish(self) -> None:
        """Everything is written: the part file takes the place of the file, at once."""
        self._file.close()
        if not self._direct:
            os.replace(self.part, self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _whole_lines(path: Path) -> int:
    """Bytes up to and with the last line end; what follows was cut off while it was written."""
    size = 0
    with path.open("rb") as lines:
        for line in lines:
            size += len(line) if line.endswith(b"\n") else 0
    return size
