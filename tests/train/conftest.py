"""The toy base model that trunks are trained from; torch is loaded by the tests that ask for it alone."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    import toy_base

    torch.set_num_threads(1)
    return toy_base.write(tmp_path_factory.mktemp("base"))
