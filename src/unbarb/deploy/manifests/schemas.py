"""Manifests against the published schemas, offline: KServe's definitions and those of Kubernetes itself.

KServe's CustomResourceDefinitions travel with this package (``crds/``); those of the cluster itself can be
given in their place. Kubernetes' schemas come with the package ``kubernetes-validate`` (the extra
``kubernetes``), which this file needs.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource

from unbarb.deploy.manifests.documents import LOADER, Document, Key, Problem
from unbarb.deploy.manifests.kustomize import is_kustomization
from unbarb.deploy.manifests.names import did_you_mean
from unbarb.deploy.manifests.structural import json_schema
from unbarb.errors import InputError

_KUBERNETES = files("kubernetes_validate") / "kubernetes-json-schema"
_CARRIED = files("unbarb.deploy.manifests") / "crds"
_META = {"apiVersion": "v1", "kind": "ConfigMap"}


class Schemas:
    """The schemas that manifests are checked against.

    Args:
        definitions: files of CustomResourceDefinitions (YAML or JSON, also with .gz) that come before those
            carried here: ``kubectl get crd inferenceservices.serving.kserve.io -o yaml``.
        release: of Kubernetes, such as "1.33"; None is the newest that is known.

    Raises:
        InputError: a file is no CustomResourceDefinition, or the release is not known.
    """

    def __init__(self, definitions: Sequence[Path] = (), release: str | None = None) -> None:
        known = [Path(path).name for path in map(str, _CARRIED.iterdir()) if str(path).endswith(".json.gz")]
        carried = [json.loads(gzip.decompress((_CARRIED / name).read_bytes())) for name in sorted(known)]
        given = [one for path in definitions for one in _definitions(path)]
        self._custom = {key: schema for crd in [*carried, *given] for key, schema in _schemas(crd)}
        self._release = _release(release)
        self._validators: dict[tuple[str, str], Any] = {}

    @property
    def release(self) -> str:
        """The release of Kubernetes whose schemas are used."""
        return ".".join(self._release.split(".")[:2])

    def problems(self, document: Document) -> Iterator[Problem]:
        """What the schema of its kind says against a document; nothing for Kustomize's own files."""
        version, kind = document.version, document.kind
        if is_kustomization(document):
            return
        validator = self._validator(version, kind)
        if validator is None:
            yield Problem(
                (), f"no schema for a {kind} of {version}; give its definition with --crd FILE", document
            )
            return
        yield from _told(validator.iter_errors(document.content), document)
        if (version, kind) in self._custom:
            # A CRD leaves the metadata to the server, which has one form of it for every kind.
            wrapped = _META | {"metadata": document.content.get("metadata", {})}
            yield from _told(self._core("v1", "ConfigMap").iter_errors(wrapped), document)

    def _validator(self, version: str, kind: str) -> Any:
        if (version, kind) not in self._validators:
            custom = self._custom.get((version, kind))
            self._validators[version, kind] = (
                _Validator(json_schema(custom)) if custom else self._core(version, kind)
            )
        return self._validators[version, kind]

    def _core(self, version: str, kind: str) -> Any:
        group, _, number = version.rpartition("/")
        name = f"{kind.lower()}-{group.split('.')[0] + '-' if group else ''}{number}.json"
        found = self._folder / name
        if not re.fullmatch(r"[a-z0-9.-]+", name) or not found.is_file():
            return None
        return _Validator(json.loads(found.read_text("utf-8")), registry=self._registry)

    @cached_property
    def _registry(self) -> Any:
        definitions = json.loads((self._folder / "_definitions.json").read_text("utf-8"))
        return Resource[Any].from_contents(definitions) @ Registry[Any]()

    @cached_property
    def _folder(self) -> Any:
        return _KUBERNETES / f"v{self._release}-local-strict"


def _release(asked: str | None) -> str:
    names = (re.fullmatch(r"v([\d.]+)-local-strict", path.name) for path in _KUBERNETES.iterdir())
    there = sorted(
        (found[1] for found in names if found), key=lambda one: [int(part) for part in one.split(".")]
    )
    if asked is None:
        return there[-1]
    short = ".".join(asked.removeprefix("v").split(".")[:2])
    found = [one for one in there if one.startswith(short + ".")]
    if not found:
        oldest, newest = (".".join(one.split(".")[:2]) for one in (there[0], there[-1]))
        raise InputError(f"Kubernetes {asked}: no schemas of that release; there are {oldest} to {newest}")
    return found[-1]


def _definitions(path: Path) -> list[dict[str, Any]]:
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        found = [one for one in yaml.load_all(raw, Loader=LOADER) if one]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not YAML: {str(error).splitlines()[0]}") from error
    found = [
        item for one in found for item in (one.get("items", [one]) if isinstance(one, dict) else [one])
    ]
    if not found or any(
        not isinstance(one, dict) or one.get("kind") != "CustomResourceDefinition" for one in found
    ):
        raise InputError(
            f"{path}: no CustomResourceDefinition; write one with `kubectl get crd NAME -o yaml > {path}`"
        )
    return found


def _schemas(crd: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Mapping[str, Any]]]:
    spec = crd["spec"]
    for version in spec["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        yield (f"{spec['group']}/{version['name']}", spec["names"]["kind"]), schema


def _told(errors: Iterable[ValidationError], document: Document) -> Iterator[Problem]:
    for error in errors:
        path: Key = tuple(error.absolute_path)
        wanted: Any = error.validator_value
        if error.validator == "additionalProperties" and isinstance(error.instance, dict):
            known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
            for name in error.instance.keys() - known.keys():
                hint = did_you_mean(str(name), known) or f"; there are {', '.join(sorted(known)[:12])}"
                yield Problem((*path, name), f"there is no such field{hint}", document)
        elif error.validator == "required":
            [missing] = re.findall(r"^'(.+?)' is a required", error.message) or [error.message]
            yield Problem(path, f"{missing} is missing", document)
        elif error.validator == "enum":
            allowed = ", ".join(map(str, wanted))
            hint = did_you_mean(str(error.instance), map(str, wanted))
            yield Problem(path, f"{error.instance!r:.80} is not one of {allowed}{hint}", document)
        elif error.validator == "type":
            kinds = wanted if isinstance(wanted, str) else " or ".join(wanted)
            yield Problem(path, f"{error.instance!r:.80} is no {kinds}", document)
        else:
            yield Problem(path, f"{error.message:.200}", document)


def _unique_keys(
    _: Any, keys: Sequence[str], items: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Entries of a list that is a map must differ in its keys (``x-kubernetes-list-map-keys``)."""
    if not isinstance(items, list):
        return
    defaults = {
        name: field.get("default") for name, field in schema.get("items", {}).get("properties", {}).items()
    }
    seen = set()
    for item in items:
        if not isinstance(item, dict):
            continue
        values = tuple(str(item.get(key, defaults.get(key))) for key in keys)
        if values in seen:
            yield ValidationError(f"two entries with {', '.join(keys)} = {', '.join(values)}")
        seen.add(values)


_Validator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"x-kubernetes-list-map-keys": _unique_keys}
)
