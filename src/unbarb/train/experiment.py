"""A factorial experiment on a language model: the same tuning on raw, filtered and rewritten texts.

One YAML file says everything: the texts, how they are cleaned, what is tuned and how, and what is
measured. Only the texts differ between the arms; a cell is one arm with one seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import yaml
from pydantic import Field

from unbarb.train.reader import checked, found, mapping_in
from unbarb.train.relations import Broken, relations
from unbarb.train.schema import (
    Count,
    DataPart,
    MethodPart,
    ModelPart,
    Part,
    Positive,
    Real,
    Share,
    TrainingPart,
    TrainRecipe,
)

Seed = Annotated[int, Field(ge=0)]
Arm = Literal["raw", "filtered", "rewritten"]
ARMS: tuple[Arm, ...] = ("raw", "filtered", "rewritten")
"""What a row that the policy would rewrite becomes: itself, nothing, its rewrite."""

SHIPPED = Path(__file__).parent.parent / "recipes" / "lm-detox"


class TextsPart(Part):
    """Which texts are tuned on."""

    sources: Annotated[list[str], Field(min_length=1)]
    """Corpora of UNBARB_DATA by name, or files with a column text."""
    words: list[Count] = Field(default=[4, 40], min_length=2, max_length=2)
    """Fewest and most words of a text."""
    rows: Count | None = None
    """So many raw rows, drawn by the seed; null takes all."""
    seed: Seed = 13
    """Of the split by source and of the draw."""


class CleaningPart(Part):
    """How the other arms are made of the raw rows."""

    policy: str = "policy.yaml"
    """A preset, or a file; looked for beside the experiment first."""


class ScratchPart(Part):
    """A small model made here, for a machine without a hub: its size, and what it reads first."""

    sources: Annotated[list[str], Field(min_length=1)]
    """What it reads, all rows of it; of sources that are tuned on, only rows that no arm sees."""
    share: Share = 0.5
    """Share of the sources of `texts` that are kept for it, by source text."""
    vocabulary: Annotated[int, Field(ge=300)] = 4096
    """Byte-pair tokens, learnt from what it reads."""
    width: Count = 256
    """Width of the hidden states."""
    layers: Count = 4
    """Layers of a LLaMA decoder."""
    heads: Count = 4
    """Attention heads."""
    training: TrainingPart = TrainingPart()
    """How it learns."""


class MeasuringPart(Part):
    """What is measured, and on what."""

    prompts: str | None = None
    """A file of prompts, RealToxicityPrompts or rows with a text; null takes those that ship."""
    limit: Count | None = None
    """The first so many prompts."""
    continuations: Annotated[int, Field(ge=2)] = 25
    """Continuations of a prompt."""
    tokens: Count = 20
    """Most tokens of a continuation."""
    top_p: Annotated[Real, Field(gt=0, le=1)] = 0.9
    """Nucleus that tokens are drawn from."""
    temperature: Positive = 1.0
    """Above 1 is wilder."""
    clean: Annotated[list[str], Field(min_length=1)]
    """Perplexity is taken on the clean held-out texts of these sources."""
    clean_texts: Count = 500
    """At most so many texts of each."""


class Cell(NamedTuple):
    """One tuning: which texts, which seed."""

    arm: Arm
    seed: int

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.seed}"


class Experiment(Part):
    """Everything an experiment is made from."""

    version: Literal[1] = Field(alias="schema")
    """Version of this format: 1."""
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    """Small letters, digits, '-', '_' and '.'."""
    arms: list[Arm] = Field(default=list(ARMS), min_length=2)
    """The arms that are compared."""
    seeds: list[Seed] = Field(default=[13, 14, 15], min_length=1)
    """Every arm is tuned with each of them; the same seed draws the same continuations."""
    texts: TextsPart
    """What is tuned on."""
    cleaning: CleaningPart = CleaningPart()
    """How it is cleaned."""
    scratch: ScratchPart | None = None
    """A base made here; goes without `model`."""
    model: ModelPart | None = None
    """A base that exists; goes without `scratch`."""
    data: DataPart = DataPart(too_long="cut")
    """Limits of a row."""
    method: MethodPart = MethodPart(name="full")
    """LoRA, QLoRA (with model.quantization nf4) or all weights."""
    training: TrainingPart
    """The same for every arm; max_steps says how many steps, whatever the rows."""
    measuring: MeasuringPart
    """What is measured."""

    @property
    def cells(self) -> list[Cell]:
        """Every arm with every seed; seeds go outermost, so that a first comparison is there early."""
        return [Cell(arm, seed) for seed, arm in product(self.seeds, self.arms)]

    def recipe(self, cell: Cell, base: str) -> TrainRecipe:
        """How a cell is tuned on the model `base`, a folder or a name of the hub."""
        model = ModelPart(name=base, dtype="bf16") if self.model is None else self.model
        training = self.training.model_copy(update={"seed": cell.seed})
        return self._recipe(cell.name, model.model_copy(update={"name": base}), self.method, training)

    def scratch_recipe(self, base: str) -> TrainRecipe:
        """How the base made here learns, from untrained weights in the folder `base`."""
        assert self.scratch is not None, "only asked for a base that is made here"
        return self._recipe("base", ModelPart(name=base), MethodPart(name="full"), self.scratch.training)

    def _recipe(
        self, name: str, model: ModelPart, method: MethodPart, training: TrainingPart
    ) -> TrainRecipe:
        parts = {"model": model, "data": self.data, "method": method, "training": training}
        content = {key: part.model_dump(mode="json") for key, part in parts.items()}
        return TrainRecipe.model_validate({"schema": 1, "name": name, "objective": "language", **content})

    def to_dict(self) -> dict[str, Any]:
        """As in a file, defaults filled in."""
        return self.model_dump(mode="json", by_alias=True)

    def to_yaml(self) -> str:
        """The file of this experiment, defaults filled in."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)


def shipped() -> tuple[str, ...]:
    """The names of the experiments that ship."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml") if path.stem != "policy"))


def locate(source: str | Path) -> Path:
    """The file of an experiment: a path, or the name of one that ships.

    Raises:
        ConfigError: it is neither.
    """
    return found(source, SHIPPED, shipped(), "experiment")


def load_experiment(source: str | Path, overrides: Mapping[str, str] | None = None) -> Experiment:
    """Read an experiment; `overrides` are dotted keys with YAML values (``training.max_steps`` → ``10``).

    Raises:
        ConfigError: with every problem, one a line, as ``file:line: what``.
    """
    content, reading = mapping_in(locate(source))
    return checked(Experiment, content, overrides or {}, reading, _relations)


def _relations(experiment: Experiment) -> Iterator[Broken]:
    """Each broken relation between keys: which key, and what is wrong."""
    if (experiment.scratch is None) == (experiment.model is None):
        yield (), "give scratch (a base made here) or model (one that exists), and only one of them"
    if experiment.training.max_steps is None:
        yield ("training",), "max_steps is missing: arms differ in rows and must not differ in steps"
    if experiment.training.patience is not None:
        yield ("training", "patience"), "would stop the arms after different steps; leave it out"
    for key, listed in (("arms", experiment.arms), ("seeds", experiment.seeds)):
        if len(set(listed)) < len(listed):
            yield (key,), "one stands there twice; once is enough"
    yield from relations(experiment.recipe(experiment.cells[0], "base"))
    fewest, most = experiment.texts.words
    if fewest > most:
        yield ("texts", "words"), f"the fewest, {fewest}, are more than the most, {most}"
