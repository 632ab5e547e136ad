"""A way to clean a small corpus with the real guard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from corpora import Ran

from unbarb.corpus import clean


@pytest.fixture
def cleaned(tmp_path: Path) -> Callable[..., Ran]:
    """Cleans files given by name and content: ``cleaned({"a.jsonl": b"…"}, columns="text")``."""

    def run(files: dict[str, bytes], **options: Any) -> Ran:
        for name, content in files.items():
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        out = tmp_path / "out"
        return Ran(clean(tmp_path / "in", out, **{"workers": 1} | options), out)

    return run
