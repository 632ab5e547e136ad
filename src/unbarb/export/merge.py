"""Merges an adapter into its base: a fresh one in bf16 or fp32, never one that was quantised.

Merging into int8 or 4-bit weights quantises the sum again, and weights that were read once may lie
in another order than the merge takes them for: the model goes on talking and is another. Here the
base is loaded anew, the sum is made in fp32, where a check can be strict, and rounded once when it is
written; what was written is read back and asked again. This takes four bytes a parameter of memory.
"""

from __future__ import annotations

import gc
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers import (
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
)

from unbarb.detect.folder import ModelFolder, read_json, weights_digest
from unbarb.detect.pretrained import DTYPES, Pretrained, load
from unbarb.errors import ConfigError, InputError, ModelError
from unbarb.export.trained import Trained
from unbarb.export.verify_merge import TOLERANCES, Drift, Observed, drift, observe

AUTO = {
    "seq2seq": AutoModelForSeq2SeqLM,
    "causal": AutoModelForCausalLM,
    "classification": AutoModelForSequenceClassification,
}
_NOT_IN_WEIGHTS = ("PROMPT_TUNING", "PREFIX_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING")


def merge(
    trained: Trained,
    out: Path,
    *,
    dtype: str = "bf16",
    texts: list[str] | None = None,
    tolerance: float | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Write the whole model to `out` in the hub's format; a model without an adapter is only converted.

    Returns:
        What a card says of it: the figures of both checks.

    Raises:
        ConfigError: `dtype` is none of fp32, bf16, fp16, or the adapter has no weights to merge.
        ModelError: the base is quantised or another than it was trained on, or the result drifted.
        InputError: `out` is there already, or cannot be written.
    """
    check(trained, dtype)
    allowed = TOLERANCES[dtype] if tolerance is None else tolerance
    asked = texts or trained.texts()
    loaded = load(AUTO[trained.kind], trained.folder, dtype="fp32", device=device)
    merged, before, in_memory = merged_and_checked(loaded, trained, asked, allowed)
    with written(out) as partial:
        merged.model.to(DTYPES[dtype])
        save(merged, trained, partial)
        del loaded, merged
        gc.collect()
        again = load(AUTO[trained.kind], ModelFolder.find(partial), dtype=dtype, device=device)
        read = observe(again.model, again.tokenizer, asked, trained.kind, trained.template, before)
        on_disk = drift(before, read)
        on_disk.check(allowed, "the model read back from the disk")
    return {
        "dtype": dtype,
        "tolerance": allowed,
        "merged": figures(in_memory),
        "read_back": figures(on_disk),
    }


def merged_and_checked(
    loaded: Pretrained, trained: Trained, texts: list[str], tolerance: float = TOLERANCES["fp32"]
) -> tuple[Pretrained, Observed, Drift]:
    """The model without its adapter, which is worked in; what it said before; how far it is from that.

    Raises:
        ModelError: in fp32, where rounding is nothing, it says something else.
    """
    before = observe(loaded.model, loaded.tokenizer, texts, trained.kind, trained.template)
    merged = Pretrained(merged_model(loaded.model, trained), loaded.tokenizer, loaded.device)
    found = drift(
        before, observe(merged.model, merged.tokenizer, texts, trained.kind, trained.template, before)
    )
    found.check(min(tolerance, TOLERANCES["fp32"]), "the merged model")
    return merged, before, found


def check(trained: Trained, dtype: str) -> None:
    """Refuse what cannot be merged, before anything heavy is loaded.

    Raises:
        ConfigError, ModelError: see `merge`.
    """
    if dtype not in TOLERANCES:
        raise ConfigError(
            f"--dtype {dtype!r} is none of {', '.join(TOLERANCES)}; a merge is never quantised"
        )
    base = trained.folder.base
    stored = read_json((base or trained.folder.path) / "config.json").get("quantization_config")
    if stored:
        method = stored.get("quant_method", "quantised") if isinstance(stored, dict) else "quantised"
        raise ModelError(
            f"{base or trained.folder.path} is stored quantised ({method}), and a merge into it would"
            " round every weight again; name the model it was made of: --base ORG/NAME or a folder, in"
            " bf16 or fp32"
        )
    if base is None:
        return
    kind = read_json(trained.folder.path / "adapter_config.json").get("peft_type")
    if kind in _NOT_IN_WEIGHTS:
        raise ConfigError(
            f"{trained.folder.path}: {kind} learns tokens before the prompt and no weights, so there is"
            " nothing to merge; serve the adapter as it is, or export it --to adapter"
        )
    trained_on = trained.run.get("digests", {}).get("base")
    if trained_on and trained_on != weights_digest(base):
        raise ModelError(
            f"{base} does not hold the weights that the adapter was trained on (run.json names others);"
            " give them: --base FOLDER"
        )


def save(model: Pretrained, trained: Trained, out: Path) -> None:
    """Weights without pickle, settings, tokenizer, and what else belongs to the model."""
    model.model.save_pretrained(out)
    model.tokenizer.save_pretrained(out)
    trained.copy_beside(out)


def figures(found: Drift) -> dict[str, Any]:
    """What a card says of a check."""
    return {
        "prompts": found.prompts,
        "largest": found.largest,
        "mean": found.mean,
        "same_texts": found.prompts - found.rounded - found.changed,
    }


@contextmanager
def written(out: Path) -> Iterator[Path]:
    """A folder that becomes `out` when all went well, and is gone when not.

    Raises:
        InputError: `out` holds something, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is there already; name a new folder, or delete it")
    partial = out.with_name(f"{out.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        if out.exists():
            out.rmdir()
        partial.rename(out)
    except OSError as error:
        raise InputError(
            f"{out} cannot be written: {error.strerror or error}; is the disk full?"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def merged_model(model: Any, trained: Trained) -> Any:
    """`model` with its adapter, if it has one, worked into its weights.

    Raises:
        ModelError: its method cannot be merged, or the sum is not finite.
    """
    if not trained.is_adapter:
        return model
    try:
        with warnings.catch_warnings():
            # A head that was never tied is said to be so no longer, which is right.
            warnings.filterwarnings("ignore", message="Input and output embeddings are no longer tied")
            return model.merge_and_unload(safe_merge=True).eval()
    except (ValueError, AttributeError, NotImplementedError) as error:
        raise ModelError(f"{trained.folder.path} cannot be merged: {error}") from error
