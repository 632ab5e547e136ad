"""Make the CustomResourceDefinitions that the package carries out of KServe's own.

``python tests/deploy/slim_crds.py kserve/config/crd/full/serving.kserve.io_*.yaml`` keeps of each what a
manifest is checked against, the schema of ``spec``, and leaves out descriptions, ``status`` and columns.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parents[2] / "src" / "unbarb" / "deploy" / "manifests" / "crds"


def slim(crd: dict[str, Any]) -> dict[str, Any]:
    """A CustomResourceDefinition that checks the same manifests."""
    spec = crd["spec"]
    versions = [
        {
            "name": version["name"],
            "schema": {"openAPIV3Schema": without_descriptions(version["schema"]["openAPIV3Schema"])},
        }
        for version in spec["versions"]
    ]
    for version in versions:
        version["schema"]["openAPIV3Schema"]["properties"]["status"] = {
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
        }
    return {
        "apiVersion": crd["apiVersion"],
        "kind": crd["kind"],
        "metadata": {"name": crd["metadata"]["name"]},
        "spec": {
            "group": spec["group"],
            "names": spec["names"],
            "scope": spec["scope"],
            "versions": versions,
        },
    }


def without_descriptions(node: Any) -> Any:
    """The schema without its prose; a field that is called description is a schema and stays."""
    if isinstance(node, list):
        return [without_descriptions(one) for one in node]
    if not isinstance(node, dict):
        return node
    prose = isinstance(node.get("description"), str)
    return {
        name: without_descriptions(value)
        for name, value in node.items()
        if not (prose and name == "description")
    }


def main(files: list[str]) -> None:
    for file in files:
        raw = Path(file).read_bytes()
        raw = gzip.decompress(raw) if file.endswith(".gz") else raw
        for crd in yaml.safe_load_all(raw):
            if not crd:
                continue
            written = HERE / f"{crd['spec']['names']['plural']}.json.gz"
            text = json.dumps(slim(crd), separators=(",", ":"), sort_keys=True)
            written.write_bytes(gzip.compress(text.encode(), mtime=0))
            print(f"{written}: {written.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
