# ruff: noqa: UP045 - Caikit knows no other way to say it
"""Caikit's own runtime with a toy model, to be run by a Python that has ``caikit[runtime-http]``.

``python caikit_runtime.py FOLDER PORT`` serves the models ``toy`` (says the prompt's words back, one event
a word; fails on ``break``) and ``labels`` until it is ended.
"""

import os
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

import caikit
from caikit.core import ModuleBase, module
from caikit.interfaces.nlp.data_model import (
    ClassificationResult,
    ClassificationResults,
    GeneratedTextResult,
    GeneratedTextStreamResult,
    TokenStreamDetails,
)
from caikit.interfaces.nlp.data_model.text_generation import FinishReason
from caikit.interfaces.nlp.tasks import TextClassificationTask, TextGenerationTask

TOY, LABELS = "00110203-0405-0607-0809-0a0b02dd0e0f", "00110203-0405-0607-0809-0a0b02dd0e1f"
LIBRARY = "toy_library"


@module(TOY, "Toy", "0.0.1", TextGenerationTask)
class Toy(ModuleBase):
    """Says a text's words back."""

    @classmethod
    def load(cls, model_path: str, **_: Any) -> "Toy":
        return cls()

    @TextGenerationTask.taskmethod()
    def run(
        self, text: str, max_new_tokens: Optional[int] = 20, stop_sequences: Optional[list[str]] = None
    ) -> GeneratedTextResult:
        words = text.split(" ")[:max_new_tokens]
        finish = FinishReason.EOS_TOKEN if len(words) == len(text.split(" ")) else FinishReason.MAX_TOKENS
        return GeneratedTextResult(
            generated_text=" ".join(words), generated_tokens=len(words), finish_reason=finish, seed=7
        )

    @TextGenerationTask.taskmethod(output_streaming=True)
    def run_stream(
        self, text: str, max_new_tokens: Optional[int] = 20, stop_sequences: Optional[list[str]] = None
    ) -> Iterable[GeneratedTextStreamResult]:
        words = text.split(" ")[:max_new_tokens]
        for at, word in enumerate(words, 1):
            if word == "break":
                raise ValueError("the model broke")
            last = at == len(words)
            finish = FinishReason.EOS_TOKEN if last else FinishReason.NOT_FINISHED
            details = TokenStreamDetails(finish_reason=finish, generated_tokens=at, input_token_count=1)
            yield GeneratedTextStreamResult(
                generated_text=word if last else f"{word} ", tokens=[], details=details, input_tokens=[]
            )


@module(LABELS, "Labels", "0.0.1", TextClassificationTask)
class Labels(ModuleBase):
    """Calls every text an insult, by its length."""

    @classmethod
    def load(cls, model_path: str, **_: Any) -> "Labels":
        return cls()

    def run(self, text: str) -> ClassificationResults:
        return ClassificationResults(
            results=[ClassificationResult(label="insult", score=min(1.0, len(text) / 100))]
        )


def library() -> None:
    """Have the runtime find the modules above as a library's."""
    made = types.ModuleType(LIBRARY)
    made.Toy, made.Labels = Toy, Labels  # type: ignore[attr-defined]
    made.__version__ = "0"  # type: ignore[attr-defined]
    sys.modules[LIBRARY] = made
    for one in (Toy, Labels):
        one.__module__ = LIBRARY


if __name__ == "__main__":
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    for name, identity in (("toy", TOY), ("labels", LABELS)):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.yml").write_text(f"module_id: {identity}\nname: {name}\nversion: 0.0.1\n")
    library()
    caikit.configure(
        config_dict={
            "merge_strategy": "merge",
            "log": {"level": "error"},
            "runtime": {
                "library": LIBRARY,
                "local_models_dir": os.fspath(folder),
                "grpc": {"enabled": False},
                "http": {"enabled": True, "port": port},
                "metrics": {"enabled": False},
                "training": {"enabled": False},
            },
        }
    )
    from caikit.runtime.http_server.http_server import main

    main()
