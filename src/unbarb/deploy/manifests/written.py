"""Manifests as files: one object each, with what Kustomize needs, or all of them in one stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from unbarb import __version__
from unbarb.deploy.manifests import guard, kserve, postgresql, service
from unbarb.deploy.manifests.documents import Document
from unbarb.deploy.manifests.objects import Manifest, Mode, config_map
from unbarb.deploy.manifests.runtimes import MODELS
from unbarb.deploy.manifests.wanted import Wanted
from unbarb.errors import ConfigError
from unbarb.policy.file import locate, parse

HEADER = "# Written by `unbarb deploy manifests {kind}`, unbarb {version}."
_KUSTOMIZE: Manifest = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


@dataclass(frozen=True, slots=True)
class Written:
    """What was asked for: `files` for a folder, by their places; `stream` is the same without Kustomize."""

    files: Mapping[str, str]
    stream: str
    documents: tuple[Document, ...]


def written(wanted: Wanted) -> Written:
    """The manifests.

    Raises:
        ConfigError: the policy is not valid.
    """
    policy = _policy(wanted) if wanted.guard else ""
    if wanted.kind == "service":
        return _service(wanted, policy)
    objects = kserve.objects(wanted, policy)
    files = _folder(wanted, "", {name: one for name, one in objects.items() if name != "policies"}, policy)
    return Written(files, _stream(wanted, objects), _documents(objects))


def _service(wanted: Wanted, policy: str) -> Written:
    base = service.objects(wanted)
    files = _folder(wanted, "base/", base, policy)
    policies = config_map(wanted, guard.policy_map(wanted), {f"{wanted.name}.yaml": policy})
    whole = {"policies": policies, **base}
    if wanted.database is None:
        database = postgresql.objects(wanted)
        listed = {
            "apiVersion": "kustomize.config.k8s.io/v1alpha1",
            "kind": "Component",
            "resources": [f"{name}.yaml" for name in database],
        }
        files["postgresql/kustomization.yaml"] = _yaml(wanted, listed)
        files |= {f"postgresql/{name}.yaml": _yaml(wanted, one) for name, one in database.items()}
        whole |= {f"postgresql-{name}": one for name, one in database.items()}
    files |= _overlay(wanted)
    return Written(files, _stream(wanted, whole), _documents(whole))


def _folder(wanted: Wanted, folder: str, objects: Mapping[str, Manifest], policy: str) -> dict[str, str]:
    """The objects, a policy file if unbarb is among them, and what makes of it all one for Kustomize."""
    place = {"namespace": wanted.namespace} if wanted.namespace else {}
    listed: Manifest = {**_KUSTOMIZE, **place, "resources": [f"{name}.yaml" for name in objects]}
    files = {f"{folder}{name}.yaml": _yaml(wanted, one) for name, one in objects.items()}
    if policy:
        file = f"policies/{wanted.name}.yaml"
        files[f"{folder}{file}"] = policy
        # A running service takes up a changed policy, so the name of its ConfigMap need not change with it.
        options = {"disableNameSuffixHash": True}
        listed["configMapGenerator"] = [
            {"name": guard.policy_map(wanted), "files": [file], "options": options}
        ]
    return {f"{folder}kustomization.yaml": _yaml(wanted, listed), **files}


def _overlay(wanted: Wanted) -> dict[str, str]:
    """An overlay to begin one's own with: image, number of replicas, and who may come in."""
    image, _, tag = wanted.container_image.rpartition(":")
    chosen = {"name": image, "newTag": tag}
    if "@" in wanted.container_image:
        image, _, digest = wanted.container_image.partition("@")
        chosen = {"name": image, "digest": digest}
    clients = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    patches: dict[str, list[tuple[str, str, Any]]] = {
        "NetworkPolicy": [("add", "/spec/ingress/0/from/-", clients)],
        "HorizontalPodAutoscaler": [
            ("replace", "/spec/minReplicas", wanted.copies.least),
            ("replace", "/spec/maxReplicas", wanted.copies.most),
        ],
    }
    overlay: Manifest = {
        **_KUSTOMIZE,
        "resources": ["../../base"],
        **({"components": ["../../postgresql"]} if wanted.database is None else {}),
        "images": [chosen],
        "patches": [
            {
                "target": {"kind": kind, "name": wanted.name},
                "patch": _dump([{"op": op, "path": path, "value": value} for op, path, value in changes]),
            }
            for kind, changes in patches.items()
        ],
    }
    return {"overlays/production/kustomization.yaml": _yaml(wanted, overlay)}


def _policy(wanted: Wanted) -> str:
    """The policy's file, called after the service: by that name KServe's clients ask for it."""
    path = locate(wanted.policy)
    text = path.read_text("utf-8")
    parse(text, wanted.policy)
    renamed = re.sub(r"(?m)^name:.*$", f"name: {wanted.name}", text, count=1)
    if parse(renamed, wanted.policy).get("name") != wanted.name:
        raise ConfigError(f"{wanted.policy}: write its name on a line of its own, as name: {wanted.name}")
    if wanted.kind == "unbarb" and wanted.model is not None and MODELS not in renamed:
        raise ConfigError(
            f"--model: the policy {wanted.policy} uses no model at {MODELS}, where it will be; name it"
            " there as the model of a detector or of the rewriter, and give the file with --policy"
        )
    return renamed


def _documents(objects: Mapping[str, Manifest]) -> tuple[Document, ...]:
    return tuple(Document(one, f"{name}.yaml") for name, one in objects.items())


def _stream(wanted: Wanted, objects: Mapping[str, Manifest]) -> str:
    header = HEADER.format(kind=wanted.kind, version=__version__)
    return header + "\n" + "".join(f"---\n{_dump(one)}" for one in objects.values())


def _yaml(wanted: Wanted, content: Any) -> str:
    return f"{HEADER.format(kind=wanted.kind, version=__version__)}\n{_dump(content)}"


def _dump(content: Any) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, width=1000, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Writes everything out: no anchors, and texts of several lines as they read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, given: str) -> yaml.ScalarNode:
    style = "|" if "\n" in given else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", given, style=style)


def _mode(dumper: yaml.SafeDumper, given: Mode) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:int", f"0{given:o}")


_Plain.add_representer(str, _text)
_Plain.add_representer(Mode, _mode)


def differing(files: Mapping[str, str], folder: Path) -> list[str]:
    """The files of `folder` that would be written over with something else."""
    return [
        name
        for name, text in files.items()
        if (folder / name).exists() and (folder / name).read_bytes() != text.encode()
    ]


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write the files below `folder`.

    Raises:
        OSError: one cannot be written.
    """
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8", newline="\n")
