"""The models that the field's metrics are made of: which, in which revision, and whether they are at hand.

Nothing is downloaded unless asked for. A model is looked for in a folder that was given (as
``org/name`` or ``org--name`` in the hub's format), then in the hub's local cache, then, when allowed, on
the hub. What is not there is *unavailable*, with the reason; what is there says which commit it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

FILES = ("*.json", "*.safetensors", "*.bin", "*.model", "*.txt")


@dataclass(frozen=True, slots=True)
class HubModel:
    """A public model that a metric is defined by. `revision` is a branch, a tag or a commit."""

    name: str
    gives: str
    revision: str = "main"
    tokenizer: str | None = None
    files: tuple[str, ...] = FILES


MODELS: Mapping[str, HubModel] = {
    "sta_2022": HubModel("s-nlp/roberta_toxicity_classifier", "logits of neutral, toxic"),
    "sta_2024": HubModel("textdetox/xlmr-large-toxicity-classifier", "P(neutral), label 0"),
    "sta_2025": HubModel(
        "textdetox/xlmr-large-toxicity-classifier-v2",
        "P(neutral), label 0",
        tokenizer="cardiffnlp/twitter-xlm-roberta-large-2022",
    ),
    "labse": HubModel("sentence-transformers/LaBSE", "sentence embeddings, 768 wide"),
    "cola": HubModel("cointegrated/roberta-large-cola-krishna2020", "P(acceptable), label 0"),
    "perplexity": HubModel("openai-community/gpt2-medium", "log-likelihood of every token"),
    "xcomet_lite": HubModel("myyycroft/XCOMET-lite", "quality of an output, 0…1"),
    "mdeberta": HubModel(
        "microsoft/mdeberta-v3-base",
        "configuration and tokenizer of XCOMET-lite's encoder",
        files=("*.json", "*.model"),
    ),
}
"""What the metrics of 2022, 2024 and 2025 ask for, by what they ask it for."""


@dataclass(frozen=True, slots=True)
class Found:
    """A model at hand: where, and the commit it is (the folder's name where no commit is known)."""

    model: HubModel
    folder: Path

    @property
    def called(self) -> str:
        return f"{self.model.name}@{self.folder.name[:12]}"


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A model that is not at hand, and why."""

    model: HubModel
    why: str

    @property
    def called(self) -> str:
        return f"{self.model.name}@{self.model.revision}: unavailable, {self.why}"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where models are looked for: a folder of them, the local cache and, with `download`, the hub."""

    folder: Path | None = None
    download: bool = False

    def find(self, model: HubModel) -> Found | Unavailable:
        """The model's files, fetched now when that is allowed and needed."""
        for name in (model.name, model.name.replace("/", "--")):
            if self.folder is not None and (self.folder / name / "config.json").is_file():
                return Found(model, self.folder / name)
        try:
            place = snapshot_download(
                model.name,
                revision=model.revision,
                local_files_only=not self.download,
                allow_patterns=list(model.files),
            )
        except LocalEntryNotFoundError:
            # Raised as well when the hub was asked and could not be reached.
            return Unavailable(model, _missing(self))
        except (HfHubHTTPError, OSError) as error:
            return Unavailable(model, f"the hub refused it ({str(error).splitlines()[0]})")
        return Found(model, Path(place))

    def tokenizer_of(self, found: Found) -> Path:
        """Where the tokenizer lies: with the model, or as a model of its own that is looked for too."""
        if found.model.tokenizer is None or (found.folder / "tokenizer_config.json").is_file():
            return found.folder
        beside = self.find(replace(found.model, name=found.model.tokenizer, tokenizer=None))
        return beside.folder if isinstance(beside, Found) else found.folder


def _missing(hub: Hub) -> str:
    if hub.download:
        return "the hub cannot be reached and the local cache has it not"
    return "not in the local cache; --download fetches it, --models DIR names a folder that holds it"
