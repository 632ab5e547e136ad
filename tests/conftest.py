"""What several areas' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

import toy_model

# A busy machine is no failure: examples are limited in number, not in time.
settings.register_profile("unbarb", deadline=None, max_examples=60)
settings.load_profile("unbarb")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as the runtime reads it, whose answers are known: see toy_model."""
    pytest.importorskip("onnx", reason="writing a model needs the extra 'train'")
    return toy_model.write(tmp_path_factory.mktemp("model") / "tiny")
