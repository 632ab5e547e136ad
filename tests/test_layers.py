"""Who may import whom, and how long things may be. Each test says how much it saw."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "unbarb"

LAYERS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "errors",
        "text",
        "segment language prompt plugins metrics charts wire",
        "detect data",
        "rewrite",
        "verify",
        "policy",
        "guard",
        "stream",
        "audit train export evaluate",
        "serve integrations review corpus deploy",
        "cli",
    )
)
"""Left may be imported by right, never the reverse; names of one group do not import each other."""

RANK = {name: rank for rank, group in enumerate(LAYERS) for name in group}
WORKSHOP = frozenset({"train", "export", "evaluate"})
JOINERS = frozenset({"cli"})
SERVICE = frozenset({"serve", "review", "deploy"})
"""What speaks HTTP: its packages come with an extra, and nothing below may load them."""
WEB = frozenset({"pydantic", "fastapi", "starlette", "uvicorn", "httpx", "httpx2", "prometheus_client"})
TABLES = frozenset({"pyarrow", "ray", "datatrove"})
"""What large tables are read with: only a corpus is one."""
HEAVY = frozenset(
    {"torch", "transformers", "peft", "trl", "accelerate", "bitsandbytes", "optuna", "ctranslate2"}
    | {"sklearn", "onnx", "matplotlib", "sacrebleu", "safetensors", "boto3", "botocore"}
    | {"jsonschema", "referencing"}
    | TABLES
    | WEB
)
LEAVES = frozenset(
    {
        "deploy/manifests/schemas.py",
        "deploy/s3/check.py",
        "deploy/s3/connect.py",
        "deploy/s3/download.py",
        "deploy/s3/refusals.py",
        "deploy/s3/send.py",
        "deploy/s3/stored.py",
        "deploy/s3/upload.py",
        "detect/classify_torch.py",
        "detect/generative.py",
        "detect/pretrained.py",
        "metrics/bleu.py",
        "metrics/chrf.py",
        "rewrite/decode_ctranslate.py",
        "rewrite/decode_torch.py",
        "rewrite/infill/experts_torch.py",
        "rewrite/infill/sparse.py",
    }
)
"""Files below the workshop that are loaded by name, when asked for: heavy packages at their top are due."""
NOT_CODE = frozenset({"models", "recipes"})

LINES_OF_A_FILE, LINES_OF_A_FUNCTION = 400, 70


def unit(path: Path) -> str:
    """The name in the layers that a file belongs to; '' for the package's own ``__init__``.

    ``python -m unbarb`` is a way to the commands, so it counts as one of them.
    """
    first = path.relative_to(SRC).parts[0].removesuffix(".py")
    return {"__init__": "", "__main__": "cli"}.get(first, first)


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module, inside functions and type checks too; ``from unbarb import x`` names x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            if module == "unbarb":
                for alias in node.names:
                    yield f"unbarb.{alias.name}", node.lineno
            else:
                yield module, node.lineno


def parsed() -> list[tuple[Path, str, ast.Module]]:
    files = sorted(SRC.rglob("*.py"))
    return [(path, unit(path), ast.parse(path.read_text("utf-8"), str(path))) for path in files]


FILES = parsed()


def faults(importer: str, module: str) -> str | None:
    """Why `importer` may not import `module`, or None."""
    top, *rest = module.split(".")
    if top != "unbarb":
        if top in WEB and importer in SERVICE:
            return None
        if top in TABLES and importer == "corpus":
            return None
        if top in HEAVY and importer not in WORKSHOP | JOINERS:
            return f"{top} only in {', '.join(sorted(WORKSHOP))}"
        return None
    if not rest or rest[0].startswith("__"):
        return None
    imported = rest[0]
    if imported not in RANK:
        return f"{imported} has no place in the layers"
    if imported == importer:
        return None
    if imported in WORKSHOP and importer not in JOINERS:
        return f"{imported} is the workshop; only {', '.join(JOINERS)} may use it"
    if RANK[imported] >= RANK[importer]:
        return f"{imported} is not below {importer}"
    return None


def test_imports_go_down_only() -> None:
    seen = 0
    wrong = []
    for path, importer, tree in FILES:
        for module, line in imports(tree):
            seen += module.split(".")[0] == "unbarb"
            leaf = path.relative_to(SRC).as_posix() in LEAVES and module.split(".")[0] in HEAVY
            reason = None if importer == "" or leaf else faults(importer, module)
            if reason:
                wrong.append(f"{path.relative_to(SRC)}:{line}: imports {module}: {reason}")
    assert wrong == []
    assert len(FILES) >= 100
    assert seen >= 300


def test_every_file_has_a_place_in_the_layers() -> None:
    units = {name for _, name, _ in FILES} - {""}
    assert units <= set(RANK)
    assert len(units) >= 14
    folders = {path.name for path in SRC.iterdir() if path.is_dir()} - {"__pycache__"}
    assert folders - NOT_CODE <= set(RANK)
    for folder in NOT_CODE:
        assert not list((SRC / folder).rglob("*.py")), f"{folder} is data"


def test_nothing_of_the_runtime_loads_a_leaf_before_it_is_asked_for() -> None:
    leaves = {"unbarb." + leaf.removesuffix(".py").replace("/", ".") for leaf in LEAVES}
    assert {path.relative_to(SRC).as_posix() for path, _, _ in FILES} >= LEAVES
    wrong = [
        f"{path.relative_to(SRC)} imports {module}"
        for path, importer, tree in FILES
        if importer not in WORKSHOP | JOINERS and path.relative_to(SRC).as_posix() not in LEAVES
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module, _ in imports(node)
        if module in leaves
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("importer", "module", "allowed"),
    [
        ("detect", "unbarb.text", True),
        ("detect", "unbarb.detect.pieces", True),
        ("detect", "unbarb.data.clean", False),
        ("text", "unbarb.detect.pieces", False),
        ("plugins", "unbarb.metrics.f1", False),
        ("guard", "unbarb.train.heads", False),
        ("serve", "unbarb.evaluate.run", False),
        ("export", "unbarb.train.heads", False),
        ("cli", "unbarb.train.heads", True),
        ("verify", "unbarb.nowhere", False),
        ("guard", "torch.nn", False),
        ("guard", "pydantic", False),
        ("guard", "pyarrow.fs", False),
        ("corpus", "pyarrow.fs", True),
        ("serve", "pydantic", True),
        ("serve", "torch.nn", False),
        ("stream", "starlette.types", False),
        ("train", "torch.nn", True),
        ("guard", "numpy", True),
    ],
)
def test_the_rule_itself(importer: str, module: str, allowed: bool) -> None:
    assert (faults(importer, module) is None) == allowed


def test_the_package_itself_imports_only_for_types() -> None:
    tree = next(tree for _, name, tree in FILES if name == "")
    at_import = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)] + [
        alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names
    ]
    assert at_import == ["__future__", "typing"]


def test_commands_do_not_import_heavy_packages_at_their_top() -> None:
    seen = 0
    for path, name, tree in FILES:
        if (
            name != "cli" or path.name == "embedded.py"
        ):  # its own imports are at its top; a command loads it late
            continue
        seen += 1
        tops = {
            m.split(".")[0]
            for node in tree.body
            if isinstance(node, ast.Import | ast.ImportFrom)
            for m, _ in imports(node)
        }
        assert not tops & HEAVY, path.name
    assert seen >= 15


def test_files_and_functions_are_short() -> None:
    functions = 0
    long = []
    for path, _, tree in FILES:
        lines = len(path.read_text("utf-8").splitlines())
        if lines > LINES_OF_A_FILE:
            long.append(f"{path.relative_to(SRC)}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions += 1
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LINES_OF_A_FUNCTION:
                    long.append(f"{path.relative_to(SRC)}:{node.lineno} {node.name}: {length} lines")
    assert long == []
    assert functions >= 400


def test_names_say_what_is_inside() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "base", "manager", "core", "misc"}
    stems = {path.stem for path, _, _ in FILES}
    assert not stems & vague
    assert len(stems) >= 80
