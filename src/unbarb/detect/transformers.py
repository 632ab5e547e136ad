"""Scores by any sequence classifier of transformers: a model, an adapter, or one exported to ONNX.

Every text is read alone, so that its scores do not depend on what else was in the batch: not by a digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tokenizers import Tokenizer

from unbarb.detect.folder import ModelFolder, read_json
from unbarb.detect.outputs import Outputs
from unbarb.detect.scorer import scored
from unbarb.errors import ConfigError
from unbarb.plugins import missing_extra
from unbarb.text import Analysis

LONGEST = 512
DIGITS = 6


class Classifier(Protocol):
    """What runs the model; `config` is its ``config.json``, `places` what its tokenizer says it has."""

    config: dict[str, Any]
    places: int | None

    @property
    def tokenizer(self) -> Tokenizer: ...

    def logits(self, ids: Sequence[int]) -> list[float]: ...


class TransformersDetector:
    """A classifier as a detector.

    Args:
        model: folder of a classifier, of an adapter or of an ONNX export, or a name on the hub.
        base: the model under an adapter, where it is not the one that the adapter names.
        revision: of a name on the hub.
        labels: the model's label → ours, or null for one that says nothing of toxicity; left out, names
            that are known are taken, and one that is not known is an error.
        activation: sigmoid (any number of labels at once) or softmax (one of all); left out, what the model
            says, as the pipelines of transformers take it.
        window: tokens read at once; left out, what it was trained on, or what the model has places for, at
            most 512. Longer texts are read in windows that overlap by a quarter; the highest score counts.
        dtype: auto (as stored), fp32, bf16 or fp16; not for ONNX.
        device: auto, cpu, cuda or cuda:N; not for ONNX.
        alias: what findings and verdicts call it, where a guard has several.
        threads: processor threads of an ONNX model; torch has a setting of its own.

    Raises:
        ConfigError: labels that are not the model's, or are not told; another option that is not valid.
        ModelError: no such model, or it does not load.
        MissingExtra: torch or transformers is not installed.
    """

    def __init__(
        self,
        model: str,
        *,
        base: str | None = None,
        revision: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        activation: str | None = None,
        window: int | None = None,
        dtype: str = "auto",
        device: str = "auto",
        alias: str | None = None,
        threads: int = 1,
    ) -> None:
        folder = ModelFolder.find(model, base, revision)
        self._model = _load(folder, dtype, device, threads)
        self._outputs = Outputs.of(self._model.config, labels, activation)
        self._tokenizer = self._model.tokenizer
        self._tokenizer.no_padding()
        size = _window(self._model, folder, window)
        overlap = (size - self._tokenizer.num_special_tokens_to_add(False)) // 4
        self._tokenizer.enable_truncation(size, stride=overlap)
        self.name = alias or "transformers"
        self.labels = frozenset(self._outputs.labels)
        self.digest = folder.digest()

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text, all of it, as a whole: there are no findings; `context` is not read."""
        return scored(self, texts)

    def score(self, text: str) -> dict[str, float]:
        """The score of each label: the highest of its windows, 0 for a blank text."""
        scores = [self._outputs.scores(self._model.logits(ids)) for ids in self._windows(text)]
        return {
            label: round(max((one[label] for one in scores), default=0.0), DIGITS)
            for label in self._outputs.labels
        }

    def _windows(self, text: str) -> list[list[int]]:
        if not text.strip():
            return []
        encoded = self._tokenizer.encode(text)
        return [list(one.ids) for one in (encoded, *encoded.overflowing) if one.ids]


def _load(folder: ModelFolder, dtype: str, device: str, threads: int) -> Classifier:
    # Here and not above: an ONNX model needs no torch.
    if folder.is_onnx:
        from unbarb.detect.classify_onnx import OnnxClassifier

        return OnnxClassifier(folder, threads)
    try:
        from unbarb.detect.classify_torch import TorchClassifier
    except ModuleNotFoundError as error:
        raise missing_extra("the detector 'transformers'", error) from error
    return TorchClassifier(folder, dtype, device)


def _window(model: Classifier, folder: ModelFolder, asked: int | None) -> int:
    """Tokens of a window: as asked, as the model was trained, or as many as it has places for."""
    places = model.config.get("max_position_embeddings")
    if places and model.config.get("model_type") in ("roberta", "xlm-roberta", "camembert"):
        places -= 2  # their places begin behind the pad's
    most = min((one for one in (places, model.places) if one), default=LONGEST)
    if asked is not None and not 8 <= asked <= most:
        raise ConfigError(f"window: {asked} is not from 8 to {most}, the model's places")
    about = folder.path / "classifier.json"
    trained = read_json(about).get("max_tokens") if about.is_file() else None
    return min(asked or trained or LONGEST, most)
