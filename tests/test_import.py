"""``import unbarb`` is quick, and its public names are these."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

import unbarb

HEAVY = {
    "numpy",
    "torch",
    "pydantic",
    "onnxruntime",
    "tokenizers",
    "yaml",
    "typer",
    "rich",
    "transformers",
    "sklearn",
}


def loaded_after(statement: str) -> set[str]:
    """The top packages that a fresh Python has loaded after `statement`."""
    code = f"{statement}\nimport sys, json; print(json.dumps([m.split('.')[0] for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_import_loads_nothing_heavy() -> None:
    loaded = loaded_after("import unbarb")
    assert "unbarb" in loaded
    assert not loaded & HEAVY


def test_the_command_line_loads_no_model_and_no_workshop() -> None:
    loaded = loaded_after("from unbarb.cli import app; app(['check'])")
    assert "typer" in loaded
    assert not loaded & (HEAVY - {"typer"})


def test_a_guard_loads_no_workshop() -> None:
    loaded = loaded_after(
        "import unbarb.guard, unbarb.detect.embedded, unbarb.detect.lexicon, unbarb.rewrite.edit"
    )
    assert {"numpy", "onnxruntime"} <= loaded
    assert not loaded & {"torch", "transformers", "sklearn", "peft", "onnx", "matplotlib", "typer", "rich"}


def test_a_corpus_loads_neither_tables_nor_a_cluster() -> None:
    loaded = loaded_after("import unbarb.corpus")
    assert "onnxruntime" in loaded
    assert not loaded & {"pyarrow", "ray", "datatrove", "torch", "transformers", "pydantic"}


def test_a_stream_loads_no_service_and_no_store() -> None:
    loaded = loaded_after("import unbarb.stream")
    assert "unbarb" in loaded
    assert not loaded & {"torch", "transformers", "pydantic", "fastapi", "starlette", "sqlalchemy"}


def test_public_names_are_a_sorted_list() -> None:
    assert unbarb.__all__ == sorted(unbarb.__all__)
    assert unbarb.__all__ == ["Edit", "Finding", "Guard", "Policy", "Verdict"]
    for name in unbarb.__all__:
        assert isinstance(getattr(unbarb, name), type)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Gaurd'"):
        unbarb.Gaurd  # noqa: B018 (the look-up is the test)


def test_version_and_command_are_those_of_the_package() -> None:
    assert unbarb.__version__ == version("unbarb")
    (command,) = entry_points(group="console_scripts", name="unbarb")
    assert command.value == "unbarb.cli:main"
