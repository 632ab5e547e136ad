"""What Kustomize's own files refer to: other files, which are there or not.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from unbarb.deploy.manifests.documents import Document, Key, Problem

GROUP = "kustomize.config.k8s.io"


def is_kustomization(document: Document) -> bool:
    return document.version.startswith(f"{GROUP}/")


def inputs(documents: Sequence[Document]) -> set[Path]:
    """Files that ConfigMaps and Secrets are made of: not manifests, though they may be YAML."""
    return {
        _place(document, str(name).rpartition("=")[2]).resolve()
        for document in documents
        if is_kustomization(document)
        for _, name in _generated(document)
    }


def problems(documents: Sequence[Document]) -> Iterator[Problem]:
    """What is listed and not there."""
    for document in documents:
        if not is_kustomization(document):
            continue
        listed = [
            *_listed(document, "resources"),
            *_listed(document, "components"),
            *((path, str(name).rpartition("=")[2]) for path, name in _generated(document)),
            *(
                (("patches", at, "path"), one["path"])
                for at, one in enumerate(document.content.get("patches") or ())
                if isinstance(one, dict) and "path" in one
            ),
        ]
        for path, name in listed:
            if "://" in str(name) or str(name).startswith("github.com/"):
                continue  # fetched by Kustomize
            place = _place(document, str(name))
            if not place.exists():
                yield Problem(path, f"{name}: there is no such file or folder", document)
            elif place.is_dir() and not any((place / one).is_file() for one in _NAMES):
                yield Problem(path, f"{name}: there is no kustomization.yaml in it", document)


_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def _listed(document: Document, field: str) -> Iterator[tuple[Key, Any]]:
    for at, name in enumerate(document.content.get(field) or ()):
        yield (field, at), name


def _generated(document: Document) -> Iterator[tuple[Key, Any]]:
    for field in ("configMapGenerator", "secretGenerator"):
        for at, one in enumerate(document.content.get(field) or ()):
            for position, name in enumerate(one.get("files") or () if isinstance(one, dict) else ()):
                yield (field, at, "files", position), name


def _place(document: Document, name: str) -> Path:
    return Path(document.file).parent / name
