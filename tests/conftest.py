"""What several areas' tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

import toy_model
from unbarb.detect.embedded import Embedded
from unbarb.detect.panel import Panel
from unbarb.detect.wordpiece import WordPiece
from unbarb.guard import Guard
from unbarb.rewrite.edit import EditRewriter
from unbarb.verify.standard import standard_verifier

# A busy machine is no failure: examples are limited in number, not in time. They are the same every time,
# so that a run fails for what was changed; `pytest --hypothesis-profile explore` looks for new ones.
settings.register_profile("explore", deadline=None, max_examples=60)
settings.register_profile("unbarb", settings.get_profile("explore"), derandomize=True)
settings.load_profile("unbarb")


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder as the runtime reads it, whose answers are known: see toy_model."""
    pytest.importorskip("onnx", reason="writing a model needs the extra 'train'")
    return toy_model.write(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def wordpiece(tmp_path_factory: pytest.TempPathFactory) -> WordPiece:
    """The tokenizer of `tiny_model`, which needs no extra."""
    path = tmp_path_factory.mktemp("wordpiece") / "tokenizer.json"
    path.write_text(toy_model.tokenizer_json(), "utf-8")
    return WordPiece(path)


@pytest.fixture(scope="session")
def tiny_guard(tiny_model: Path) -> Guard:
    """A guard with the default policy in which all that is learnt comes from `tiny_model`."""
    detector = Embedded(tiny_model)
    verifier = standard_verifier(Panel([detector.ungated]), tiny_model)
    return Guard(detectors=[detector], rewriter=EditRewriter(tiny_model), verifier=verifier)
