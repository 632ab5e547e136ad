"""Exports a model that writes to CTranslate2, in int8 or fp32, and checks it against transformers.

The converter of CTranslate2 reads configurations as transformers 4 wrote them. Under transformers 5 it
goes wrong in three ways, which are mended or refused here, each with a test of its name:

* every T5 says that its word embeddings are tied, so that one with a head of its own (mT5, mT0,
  flan-T5, T5 v1.1) is converted with outputs scaled that are not: the likeliest token stays, all
  probabilities are wrong. Whether outputs are scaled is taken from where the model itself looks.
* BART and XLM-R have lost attributes that it reads; they get the values that they always had.
* Phi, Mixtral and others have no loader, or one for files nobody has any more; they are refused first.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ctranslate2
import torch
from ctranslate2.converters import TransformersConverter
from ctranslate2.converters.transformers import _MODEL_LOADERS
from transformers import BartConfig, XLMRobertaConfig

from unbarb.detect.folder import read_json
from unbarb.detect.pretrained import Pretrained, load
from unbarb.errors import ConfigError, ModelError
from unbarb.export.merge import AUTO, check, merged_and_checked, save, written
from unbarb.export.trained import Trained
from unbarb.prompt import built_in

TOLERANCES = {"int8": 0.25, "fp32": 1e-2}
"""How far the mean log-probability of a token may be from that of transformers, in nats."""

NO_LOADER = {
    "phi": "its loader reads the files of before 2024",
    "mixtral": "it has no loader for mixtures of experts",
}
LOST: Mapping[Any, Mapping[str, Any]] = {
    BartConfig: {"normalize_before": False, "add_final_layer_norm": False, "normalize_embedding": True},
    XLMRobertaConfig: {"position_embedding_type": "absolute"},
}
"""Attributes that the converter reads and transformers 5 no longer has, with their values."""

SAID = 24
"""So many tokens of an answer are compared."""


def export_ctranslate(
    trained: Trained,
    out: Path,
    *,
    precision: str = "int8",
    texts: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Write a CTranslate2 model to `out`, with tokenizer and template beside it.

    Returns:
        What a card says of it: how far log-probabilities are from transformers', and the size in bytes.

    Raises:
        ConfigError: it does not write, CTranslate2 has no loader for it, or `precision` is unknown.
        ModelError: it cannot be converted, or its probabilities drifted.
        InputError: `out` is there already, or cannot be written.
    """
    _refuse(trained, precision)
    check(trained, "fp32")
    allowed = TOLERANCES[precision] if tolerance is None else tolerance
    loaded = load(AUTO[trained.kind], trained.folder, dtype="fp32", device="cpu")
    said = list(texts or trained.texts())
    model, _, _ = merged_and_checked(loaded, trained, said)
    with written(out) as partial:
        whole, made = partial / "whole", partial / "made"
        save(model, trained, whole)
        convert(whole, made, precision)
        apart = drift(model, made, trained, said)
        if not max(apart) <= allowed:
            raise ModelError(
                f"the {precision} model drifted: a token's log-probability is {max(apart):.3f} from"
                f" transformers' in the mean of the worst of {len(apart)} prompts (allowed {allowed:g});"
                " export --precision fp32, or allow --tolerance"
            )
        _lay_out(whole, made, partial)
    size = (out / "model.bin").stat().st_size
    told = {"precision": precision, "prompts": len(apart), "largest": max(apart), "tolerance": allowed}
    return {**told, "bytes": {precision: size}}


def convert(whole: Path, made: Path, precision: str) -> None:
    """Convert the model in the folder `whole`, with what the converter gets wrong put right.

    Raises:
        ModelError: it fails.
    """
    try:
        with _attributes():
            _Converter(str(whole)).convert(str(made), quantization="int8" if precision == "int8" else None)
    except (AttributeError, KeyError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"CTranslate2 cannot convert this: {type(error).__name__}: {error}") from error


class _Converter(TransformersConverter):  # type: ignore[misc]
    """The converter of CTranslate2, told the truth about T5's head."""

    def load_model(self, model_class: Any, name: str, **options: Any) -> Any:
        model = super().load_model(model_class, name, **options)
        if model.config.model_type in ("t5", "mt5"):
            # What the converter takes for "tied" decides whether outputs are scaled, and only T5 v1.0 does.
            model.config.tie_word_embeddings = getattr(model.config, "scale_decoder_outputs", False)
        return model


def drift(model: Pretrained, made: Path, trained: Trained, texts: Sequence[str]) -> list[float]:
    """For each prompt: how far apart the log-probabilities are of what transformers writes, in the mean."""
    tokenizer, template = model.tokenizer, trained.template or built_in("plain")
    seq2seq = trained.kind == "seq2seq"
    maker = ctranslate2.Translator if seq2seq else ctranslate2.Generator
    converted = maker(str(made), device="cpu")
    found = []
    for text in texts:
        ids = torch.tensor([template.ids(text, tokenizer, seq2seq=seq2seq)])
        with torch.inference_mode():
            whole = model.model.generate(
                input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=SAID, do_sample=False,
                num_beams=1, pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
            ours = _log_probabilities(model.model, ids, whole, seq2seq)
        tokens = tokenizer.convert_ids_to_tokens(whole[0].tolist())
        if seq2seq:
            source = tokenizer.convert_ids_to_tokens(ids[0].tolist())
            (scored,) = converted.score_batch([source], [tokens[1:]])
        else:
            (scored,) = converted.score_batch([tokens])
        theirs = scored.log_probs[-len(ours) :] if not seq2seq else scored.log_probs[: len(ours)]
        found.append(sum(abs(one - other) for one, other in zip(ours, theirs, strict=True)) / len(ours))
    return found


def _log_probabilities(model: Any, ids: torch.Tensor, whole: torch.Tensor, seq2seq: bool) -> list[float]:
    """Of each token that was written, by the model itself."""
    if seq2seq:
        logits = model(input_ids=ids, decoder_input_ids=whole[:, :-1]).logits[0]
        said = whole[0, 1:]
    else:
        logits = model(input_ids=whole[:, :-1]).logits[0, ids.shape[1] - 1 :]
        said = whole[0, ids.shape[1] :]
    taken = logits.float().log_softmax(-1).gather(1, said[:, None])[:, 0]
    return [float(one) for one in taken]


def _refuse(trained: Trained, precision: str) -> None:
    if trained.kind == "classification":
        raise ConfigError(
            f"{trained.folder.path} is a classifier; --to ctranslate2 is for models that write, onnx for"
            " classifiers"
        )
    if precision not in TOLERANCES:
        raise ConfigError(f"--precision {precision!r} is none of {', '.join(TOLERANCES)}")
    config = read_json((trained.folder.base or trained.folder.path) / "config.json")
    kind = str(config.get("model_type"))
    known = sorted(name.removesuffix("Config") for name in _MODEL_LOADERS)
    why = NO_LOADER.get(kind)
    if why is None and kind.replace("_", "").replace("-", "") not in {name.lower() for name in known}:
        why = "it has no loader for it"
    if why:
        raise ConfigError(
            f"CTranslate2 cannot run {kind}: {why}; merge it and serve it with vLLM, llama.cpp or the"
            f" rewriter 'causal'. It can run {', '.join(known)}"
        )


@contextmanager
def _attributes() -> Iterator[None]:
    """Lend configurations the attributes that the converter reads."""
    lent = [
        (kind, name, value)
        for kind, attributes in LOST.items()
        for name, value in attributes.items()
        if not hasattr(kind, name)
    ]
    for kind, name, value in lent:
        setattr(kind, name, value)
    try:
        yield
    finally:
        for kind, name, _ in lent:
            delattr(kind, name)


def _lay_out(whole: Path, made: Path, out: Path) -> None:
    """Beside CTranslate2's own files: tokenizer, template, and how many places the model has."""
    config = read_json(whole / "config.json")
    places = config.get("max_position_embeddings") or config.get("n_positions")
    for path in whole.iterdir():
        if path.suffix in (".json", ".model", ".jinja") and path.name not in (
            "config.json", "generation_config.json", "model.safetensors.index.json"
        ):  # fmt: skip
            shutil.copyfile(path, out / path.name)
    for path in made.iterdir():
        shutil.move(path, out / path.name)
    own = {**read_json(out / "config.json"), "unbarb": {"places": places}}
    (out / "config.json").write_text(json.dumps(own, indent=2) + "\n", "utf-8")
    shutil.rmtree(whole)
    made.rmdir()
