"""Whether a disk has room, asked before it is filled, and said when it is full all the same."""

from __future__ import annotations

import shutil
from errno import EDQUOT, ENOSPC
from pathlib import Path

from unbarb.errors import InputError


def check_room(folder: Path, size: int) -> None:
    """See that `size` bytes more fit on the disk of `folder`, which is there.

    Raises:
        InputError: they do not.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        raise InputError(
            f"{folder}: {size:,} bytes are to come and {free:,} are free; make room, or name a folder on"
            " another disk"
        )


def not_written(folder: Path, error: OSError) -> InputError:
    """What to say when `folder` could not be written."""
    if error.errno in (ENOSPC, EDQUOT):
        return InputError(f"{folder} cannot be written: the disk is full; make room, and run it again")
    return InputError(f"{folder} cannot be written: {error.strerror or error}; mend that, and run it again")
