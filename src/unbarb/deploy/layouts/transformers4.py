"""Settings written by transformers 5, put so that transformers 4 reads the same model from them.

Servers that are older than transformers 5 (Caikit, TGIS) read some of them wrongly, and three of the four
without a word:

* the tokenizer's class ``TokenizersBackend`` is not known there; ``PreTrainedTokenizerFast`` is the same;
* ``rope_parameters`` is not looked at, so that any base but the class's default is lost;
* T5 says that its word embeddings are tied, whatever they are, and outputs are scaled that are not;
* ``dtype`` was called ``torch_dtype``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unbarb.deploy.layouts.weights import of_folder
from unbarb.detect.folder import read_json
from unbarb.errors import ConfigError

T5 = ("t5", "mt5", "umt5")
_CLASS = "PreTrainedTokenizerFast"


def rewrite(folder: Path) -> None:
    """Rewrite the settings in `folder`.

    Raises:
        ConfigError: they say what transformers 4 has no words for.
        ModelError: they do not load.
    """
    for name, older in (("config.json", older_config), ("tokenizer_config.json", older_tokenizer)):
        whole = json.dumps(older(read_json(folder / name)), indent=2, sort_keys=True, ensure_ascii=False)
        (folder / name).write_text(whole + "\n", "utf-8")


def problems(folder: Path) -> Iterator[str]:
    """What transformers 4 would read wrongly, one line each."""
    config, tokenizer = read_json(folder / "config.json"), read_json(folder / "tokenizer_config.json")
    if "rope_parameters" in config:
        yield "config.json: transformers 4 does not read rope_parameters"
    if config.get("model_type") in T5 and config.get("tie_word_embeddings") != _scaled(config):
        yield "config.json: tie_word_embeddings is not what transformers 4 takes it for"
    scaled = _scaled(config)
    if config.get("model_type") in T5 and not scaled and "lm_head.weight" not in of_folder(folder):
        yield "the weights hold no lm_head.weight, and transformers 4 would make one up"
    if tokenizer.get("tokenizer_class") != _CLASS:
        yield f"tokenizer_config.json: transformers 4 may not know {tokenizer.get('tokenizer_class')}"


def older_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A model's settings as transformers 4 has them."""
    older = dict(config)
    rope = older.pop("rope_parameters", None)
    if rope:
        older |= _older_rope(rope)
    if older.get("model_type") in T5:
        older["tie_word_embeddings"] = _scaled(older)
    if "dtype" in older:
        older["torch_dtype"] = older.pop("dtype")
    older.pop("transformers_version", None)
    return older


def older_tokenizer(settings: Mapping[str, Any]) -> dict[str, Any]:
    """A tokenizer's settings as transformers 4 has them; ``tokenizer.json`` is the same in both."""
    older = dict(settings) | {"tokenizer_class": _CLASS}
    older.pop("backend", None)
    if isinstance(older.get("extra_special_tokens"), list):
        older["additional_special_tokens"] = older.pop("extra_special_tokens")
    return older


def _older_rope(rope: Mapping[str, Any]) -> dict[str, Any]:
    if any(isinstance(one, Mapping) for one in rope.values()):
        raise ConfigError(
            "this model turns positions in more than one way (rope_parameters by type of layer), which"
            " transformers 4 has no words for; serve it with vLLM: `unbarb deploy layout huggingface`"
        )
    rest = {
        name: value for name, value in rope.items() if name not in ("rope_theta", "partial_rotary_factor")
    }
    older = {name: rope[name] for name in ("rope_theta", "partial_rotary_factor") if name in rope}
    if rest.get("rope_type", "default") != "default":
        older["rope_scaling"] = rest
    return older


def _scaled(config: Mapping[str, Any]) -> bool:
    """Whether a T5 scales its outputs, which transformers 4 takes "tied" for."""
    return bool(config.get("scale_decoder_outputs", False))
