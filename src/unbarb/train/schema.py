"""What a recipe may say: typed settings, and a sentence on each.

`TrainRecipe` is everything a run is made from. Its JSON Schema is published in
``models/recipe.schema.json``; what goes with what is in `unbarb.train.relations`, how a file becomes a
recipe in `unbarb.train.reader`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from unbarb.prompt import Template, built_in
from unbarb.text import LABELS

Objective = Literal[
    "seq2seq", "causal", "language", "classification", "generative", "preference",
    "infill", "naive_bayes", "logistic", "bilstm",
]  # fmt: skip
Method = Literal["none", "full", "lora", "rslora", "dora", "pissa", "ia3", "prompt_tuning"]

ADAPTERS = ("lora", "rslora", "dora", "pissa")
"""Methods with low-rank adapters."""


def _number(given: Any) -> Any:
    """YAML 1.1 reads 3e-4, without a point, as text."""
    if isinstance(given, str):
        try:
            return float(given)
        except ValueError:
            return given
    return given


Real = Annotated[float, BeforeValidator(_number)]
Positive = Annotated[Real, Field(gt=0)]
Share = Annotated[Real, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Part(BaseModel):
    """A section of a recipe: known keys only, and nothing is turned from one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class ModelPart(Part):
    """The base model and how its weights are held in memory."""

    name: str
    """A model of the hub (org/name), or a folder in the hub's format."""
    revision: str | None = None
    """A commit of the hub; null takes the newest and run.json says which that was."""
    config: str | None = None
    """A config that ships (see `unbarb plan --help`), so that planning needs no hub."""
    dtype: Literal["fp32", "bf16", "fp16"] = "bf16"
    """Number format of weights that are not quantised, and of computing."""
    quantization: Literal["none", "int8", "nf4"] = "none"
    """Hold the frozen weights in 8 or 4 bits (bitsandbytes)."""
    double_quantization: bool = False
    """With nf4: quantise the scales too; saves about 0.37 bits a weight."""


class TemplatePart(Part):
    """The words around a text; docs/prompt.md shows each template."""

    name: str = "plain"
    """One of those that ship: alpaca, detoxify, chat, t5-prefix, plain, continuation, labels."""
    prefix: str | None = None
    """For t5-prefix: what stands before the text."""
    instruction: str | None = None
    """For alpaca and chat: another instruction."""

    def build(self, labels: list[str]) -> Template:
        """The template; one that classifies asks for `labels`.

        Raises:
            ConfigError: there is none of that name, or it has no such option.
        """
        asked = labels if self.name == "labels" else None
        return built_in(self.name, prefix=self.prefix, instruction=self.instruction, labels=asked)


class DataPart(Part):
    """What is taken of the prepared rows."""

    plan: str | None = None
    """A class plan of `unbarb data prepare` that the set must have been balanced by; null takes any."""
    rows: Count | None = None
    """Train on the first so many rows only."""
    max_source_tokens: Annotated[int, Field(ge=4)] = 64
    """Tokens of a prompt, or of a text that is classified."""
    max_target_tokens: Annotated[int, Field(ge=1)] = 64
    """Tokens of an answer."""
    too_long: Literal["error", "drop", "cut"] = "error"
    """Rows beyond: stop, leave out and count, or cut (a text of language into rows; an answer never)."""
    labels: Annotated[list[str], Field(min_length=1)] = list(LABELS)
    """Labels that are learnt, in the order of the model's outputs."""


class MethodPart(Part):
    """Which weights are trained."""

    name: Method = "lora"
    """All weights (full), adapters in chosen modules, or none: a model evaluated as it is."""
    rank: Count = 8
    """Rank of the adapters."""
    alpha: Positive = 16.0
    """Adapters are scaled by alpha / rank (rslora: by alpha / √rank)."""
    dropout: Share = 0.0
    """Dropout before the adapters; 0 where experts are targets."""
    targets: list[str] | Literal["all-linear"] = "all-linear"
    """Modules by the end of their name, or every linear module but the head."""
    experts: list[str] = []
    """Fused expert weights by the end of their name, as mlp.experts.down_proj."""
    save: list[str] = []
    """Modules trained whole beside the adapters; the head of a classifier is always among them."""
    virtual_tokens: Count = 20
    """For prompt_tuning: the tokens that are learnt."""


class TrainingPart(Part):
    """How the weights are trained."""

    epochs: Positive = 3.0
    """Passes over the training rows; max_steps goes before it."""
    max_steps: Count | None = None
    """Steps of the optimiser."""
    batch_size: Count = 16
    """Rows at once on a device."""
    gradient_accumulation: Count = 1
    """Batches to a step."""
    learning_rate: Positive = 3e-4
    """The highest of the schedule."""
    head_learning_rate: Positive | None = None
    """For a new classification head; null: as the rest."""
    scheduler: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "linear"
    """How the learning rate goes down."""
    warmup: Annotated[Real, Field(ge=0)] = 0.03
    """Steps in which it goes up: a share of all steps below 1, a number of steps from 1 on."""
    optimizer: Literal["adamw", "adafactor", "paged_adamw", "paged_adamw_8bit"] = "adamw"
    """The paged ones need a GPU."""
    weight_decay: Annotated[Real, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    class_weight: Literal["none", "sqrt", "balanced"] = "none"
    """Labels: what a positive row weighs. balanced: negatives / positives; sqrt: the root of that."""
    label_smoothing: Share = 0.0
    """Share of the target's probability spread over all others."""
    max_grad_norm: Positive = 1.0
    """Gradients are scaled down to this norm."""
    gradient_checkpointing: bool = False
    """Compute activations anew instead of keeping them: less memory, about a third more time."""
    packing: bool = False
    """Several short rows in one sequence (causal and language only)."""
    seed: Annotated[int, Field(ge=0)] = 13
    """Of new weights, row order and dropout."""
    evaluate_every: Count = 200
    """Steps between looks at the dev rows."""
    save_every: Count = 200
    """Steps between checkpoints."""
    patience: Count | None = None
    """Stop after so many looks without a better dev loss; null never stops early."""
    report_to: list[Literal["tensorboard", "mlflow", "wandb"]] = []
    """Where the log goes beside metrics.jsonl."""


class PreferencePart(Part):
    """How preferences (chosen before rejected) are learnt."""

    name: Literal["orpo", "dpo"] = "orpo"
    """ORPO needs no reference model; DPO holds to one."""
    beta: Positive = 0.1
    """ORPO: weight of the odds ratio. DPO: how closely to hold to the reference."""
    start: str | None = None
    """An adapter or model folder that training goes on from, as runs/bart-base-lora/model."""


class InfillPart(Part):
    """Two experts that fill hidden words: one on texts without a trait, one on texts with it."""

    trait: str = "toxicity"
    """The label that says how much of the trait a text has."""
    present: Share = 0.5
    """The anti-expert learns from texts with more of it than this."""
    absent: Share = 0.0
    """The expert learns from texts with no more of it than this."""
    hidden: Annotated[Real, Field(gt=0, lt=1)] = 0.3
    """The share of a text's words that are hidden, drawn anew every epoch."""
    span: Positive = 3.0
    """Mean length of a hidden span, in words (Poisson)."""
    head_steps: Annotated[int, Field(ge=0)] = 0
    """First the whole base learns to fill for so many steps: for a base without an output layer."""
    head_learning_rate: Positive = 2e-3
    """The highest rate of the output layer in those steps."""
    base_learning_rate: Positive = 2e-4
    """The highest rate of all other weights in those steps."""
    false_alarms: Annotated[Real, Field(gt=0, lt=1)] = 0.01
    """The gate is set so that this share of the words of dev texts without the trait would pass it."""


class DecodingPart(Part):
    """How a trained rewriter writes, here and in predictions-dev.jsonl."""

    beams: Count = 1
    """Beams; 1 is greedy."""
    max_new_tokens: Count = 64
    """Longest answer."""
    no_repeat_ngram: Annotated[int, Field(ge=0)] = 0
    """No sequence of so many tokens twice; 0 allows all."""
    repetition_penalty: Positive = 1.0
    """Above 1 makes repetition dearer."""


class WordsPart(Part):
    """Objectives without a base model: which words they see and how they learn."""

    ngrams: Annotated[list[int], Field(min_length=2, max_length=2)] = [1, 2]
    """Shortest and longest sequence of words."""
    characters: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None
    """Shortest and longest sequence of characters inside words, beside the words; null: none."""
    min_count: Count = 2
    """A feature or word is kept when so many texts hold it."""
    max_features: Count | None = 50000
    """The most frequent are kept; null keeps all."""
    bayes: Literal["multinomial", "complement", "nbsvm"] = "multinomial"
    """Naive Bayes: with the prior, without it, or its ratios as weights of a logistic regression."""
    smoothing: Positive = 1.0
    """Naive Bayes: added to every count."""
    regularization: Positive = 1.0
    """Logistic regression: C, the inverse of the penalty."""
    embedding: Count = 100
    """BiLSTM: width of the word vectors."""
    hidden: Count = 64
    """BiLSTM: width of each direction."""
    dropout: Share = 0.4
    """BiLSTM: before the outputs."""
    max_words: Count = 200
    """BiLSTM: words read of a text."""


class TrainRecipe(Part):
    """Everything a run is made from, but the data."""

    version: Literal[1] = Field(alias="schema")
    """Version of this format: 1."""
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
    """Small letters, digits, '-', '_' and '.'."""
    objective: Objective
    """What is learnt: rewriting (seq2seq, causal, preference), texts (language) or labels (the others)."""
    model: ModelPart | None = None
    """The base model; not for naive_bayes, logistic and bilstm."""
    template: TemplatePart = TemplatePart()
    """The words around a text."""
    data: DataPart = DataPart()
    """What is taken of the prepared rows."""
    method: MethodPart = MethodPart()
    """Which weights are trained."""
    training: TrainingPart = TrainingPart()
    """How."""
    preference: PreferencePart | None = None
    """For the objective preference."""
    infill: InfillPart | None = None
    """For the objective infill."""
    decoding: DecodingPart = DecodingPart()
    """How a trained rewriter writes."""
    words: WordsPart = WordsPart()
    """For naive_bayes, logistic and bilstm."""

    @property
    def base(self) -> ModelPart:
        """The base model, of an objective that has one."""
        assert self.model is not None, "checked when the recipe was read"
        return self.model

    def build_template(self) -> Template:
        """The template that goes with the model."""
        return self.template.build(self.data.labels)

    def to_dict(self) -> dict[str, Any]:
        """As in a file, defaults filled in."""
        return self.model_dump(mode="json", by_alias=True)

    def to_yaml(self) -> str:
        """The file of this recipe, defaults filled in; reading it gives an equal recipe."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    def changed(self, **keys: Any) -> Self:
        """Another recipe with other values: ``changed(training__learning_rate=1e-4)``."""
        content = self.to_dict()
        for key, value in keys.items():
            part, _, inner = key.partition("__")
            if inner:
                content[part][inner] = value
            else:
                content[part] = value
        return type(self).model_validate(content)


def recipe_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a recipe, as published in ``models/recipe.schema.json``.

    What it cannot say, such as what goes with which objective, is in `unbarb.train.relations`.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:unbarb:recipe:1",
        **TrainRecipe.model_json_schema(by_alias=True),
        "title": "unbarb recipe",
    }
