"""A folder that Caikit's runtime takes for a model: ``config.yml`` and ``artifacts/``, plain files.

What stands in ``config.yml`` is what the modules of caikit-nlp read (0.5.15: ``TextGeneration``, and
``TextGenerationTGIS``, which has the same id and asks a TGIS server). It is written without Caikit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import yaml

from unbarb.deploy.layouts import huggingface, transformers4
from unbarb.detect.folder import read_json, weights_digest
from unbarb.errors import ConfigError, ModelError

CONFIG, ARTIFACTS = "config.yml", "artifacts"
MODULE = {
    "module_id": "f9181353-4ccf-4572-bd1e-f12bcda26792",
    "module_class": "caikit_nlp.modules.text_generation.text_generation_local.TextGeneration",
    "name": "Text Generation",
    "version": "0.1.0",
}
READ = (
    *("bloom", "codegen", "cohere", "cohere2", "falcon", "gemma", "gemma2", "glm", "gpt2", "gpt_bigcode"),
    *(
        "gpt_neo",
        "gpt_neox",
        "gptj",
        "granite",
        "granitemoe",
        "led",
        "llama",
        "longt5",
        "m2m_100",
        "mistral",
    ),
    *("mixtral", "mpt", "mt5", "nemotron", "olmo", "olmo2", "olmoe", "opt", "pegasus_x", "phi", "phi3"),
    *(
        "phimoe",
        "qwen2",
        "qwen2_moe",
        "stablelm",
        "starcoder2",
        "switch_transformers",
        "t5",
        "umt5",
        "xglm",
    ),
)
"""Types of models that caikit-nlp 0.5.15 loads rightly, with the transformers it asks for (below 4.50).

BART and its like are not among them: its list has them as decoders alone, and half of the model is lost.
"""

DTYPES = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32"}
TOKENS = ("bos_token", "sep_token", "eos_token", "pad_token")


def refuse(facts: Mapping[str, Any]) -> None:
    """Refuse what Caikit cannot serve.

    Raises:
        ConfigError: it does not write, or caikit-nlp does not load its type.
    """
    if facts.get("kind") == "classification":
        raise ConfigError(
            "Caikit's classifier takes exactly one label of several for a text, and scores of toxicity are"
            " each on their own; serve it with `unbarb serve`, or lay it out as onnx or huggingface"
        )
    if facts.get("model_type") not in READ:
        raise ConfigError(
            f"caikit-nlp does not load {facts.get('model_type')} rightly; lay it out as huggingface, or as"
            f" ctranslate2. It loads {', '.join(READ)}"
        )


def arrange(folder: Path, facts: Mapping[str, Any]) -> None:
    """Move the model into ``artifacts/``, put its settings as Caikit reads them, and write ``config.yml``.

    Raises:
        ConfigError: its settings cannot be said there.
    """
    own = [path for path in folder.iterdir() if path.name != "README.md"]
    artifacts = folder / ARTIFACTS
    artifacts.mkdir()
    for path in own:
        path.rename(artifacts / path.name)
    transformers4.rewrite(artifacts)
    dtype = DTYPES[str(facts["dtype"])]
    said = {
        **MODULE,
        "artifact_path": ARTIFACTS,
        **tokens(artifacts),
        "torch_dtype": f"torch.{dtype}",
        # What `load` goes by: without it all is made float32 again.
        "trained_torch_dtype": dtype,
        # Caikit gives each saved model an id by chance; here the same weights have the same.
        "tracking_id": str(uuid5(NAMESPACE_URL, f"sha256:{weights_digest(artifacts)}")),
    }
    content = yaml.safe_dump(said, sort_keys=True, allow_unicode=True)
    (folder / CONFIG).write_text(content, "utf-8")


def tokens(artifacts: Path) -> dict[str, str | None]:
    """The special tokens that ``config.yml`` repeats; None where the tokenizer has none."""
    settings = read_json(artifacts / "tokenizer_config.json")
    found = {name: settings.get(name) for name in TOKENS}
    return {name: one.get("content") if isinstance(one, dict) else one for name, one in found.items()}


def problems(folder: Path, base: Path | None = None) -> Iterator[str]:
    """What is wrong with it, one line each."""
    try:
        said = yaml.safe_load((folder / CONFIG).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        yield f"{CONFIG} does not load: {error}"
        return
    if not isinstance(said, dict):
        yield f"{CONFIG} does not hold names and values"
        return
    for name in ("module_id", "module_class"):
        if said.get(name) != MODULE[name]:
            yield f"{CONFIG}: {name} is {said.get(name)!r}, not {MODULE[name]!r}"
    if "model_path" in said:
        yield f"{CONFIG}: model_path is Caikit's own name; leave it out"
    if said.get("trained_torch_dtype") not in DTYPES.values():
        given = said.get("trained_torch_dtype")
        yield f"{CONFIG}: trained_torch_dtype is {given!r}, none of {', '.join(DTYPES.values())}"
    artifacts = folder / str(said.get("artifact_path"))
    if not artifacts.is_dir():
        yield f"{CONFIG}: artifact_path {said.get('artifact_path')!r} is no folder beside it"
        return
    yield from huggingface.problems(artifacts)
    try:
        yield from transformers4.problems(artifacts)
        wanted = tokens(artifacts)
    except ModelError:
        return  # told already
    for name, token in wanted.items():
        if said.get(name) != token:
            yield f"{CONFIG}: {name} is {said.get(name)!r} and the tokenizer's {token!r}"


def serve(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """How it is served."""
    return [
        f"RUNTIME_LIBRARY=caikit_nlp RUNTIME_LOCAL_MODELS_DIR={folder.parent} python -m caikit.runtime",
        f"requests name the folder: model_id: {folder.name}",
    ]
