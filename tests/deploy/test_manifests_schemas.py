"""The published schemas: what is written fits them, and what is broken on purpose does not."""

from __future__ import annotations

import copy
import gzip
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from slim_crds import slim
from test_manifests import ASKED, made

from unbarb.deploy.manifests.documents import Document
from unbarb.deploy.manifests.schemas import Schemas
from unbarb.deploy.manifests.structural import json_schema
from unbarb.errors import InputError

KINDS = {
    "ServiceAccount", "ConfigMap", "ServingRuntime", "InferenceService", "PodDisruptionBudget",
    "Deployment", "Service", "HorizontalPodAutoscaler", "NetworkPolicy", "StatefulSet",
}  # fmt: skip


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas()


def changed(name: str, kind: str, path: tuple[str | int, ...], value: Any) -> Document:
    """A manifest with something else at a place."""
    [document] = [one for one in made(name).documents if one.kind == kind][:1]
    content = copy.deepcopy(dict(document.content))
    *way, last = path
    at: Any = content
    for part in way:
        at = at[part]
    if value is ...:
        del at[last]
    elif isinstance(at, list) and last == len(at):
        at.append(value)
    else:
        at[last] = value
    return Document(content)


def told(schemas: Schemas, document: Document) -> str:
    return "\n".join(map(str, schemas.problems(document)))


@pytest.mark.parametrize("name", ASKED)
def test_what_is_written_fits(name: str, schemas: Schemas) -> None:
    assert [str(one) for document in made(name).documents for one in schemas.problems(document)] == []


def test_every_kind_of_object_was_held_against_a_schema(schemas: Schemas) -> None:
    seen = {one.kind for name in ASKED for one in made(name).documents}
    assert seen == KINDS


@pytest.mark.parametrize("release", ["1.28", "1.33", "v1.37.2"])
def test_what_is_written_fits_older_clusters_too(release: str) -> None:
    schemas = Schemas(release=release)
    assert schemas.release == release.removeprefix("v")[:4]
    wrong = [
        str(one)
        for name in ASKED
        for document in made(name).documents
        for one in schemas.problems(document)
    ]
    assert wrong == []


_ISVC, _RUNTIME = "InferenceService", "ServingRuntime"
_SERVICE = ("spec", "predictor")
_MODEL = (*_SERVICE, "model")
_PORT = {"containerPort": 8080}
_POD = ("spec", "template", "spec")


@pytest.mark.parametrize(
    ("name", "kind", "path", "value", "problem"),
    [
        ("vllm", _ISVC, (*_MODEL, "storageUrl"), "s3://x/y", "did you mean 'storageUri'?"),
        ("vllm", _ISVC, (*_SERVICE, "minReplica"), 1, "did you mean 'minReplicas'?"),
        ("vllm", _ISVC, (*_SERVICE, "minReplicas"), "1", "is no integer"),
        ("vllm", _ISVC, (*_SERVICE, "minReplicas"), 2**40, "2147483647"),
        ("huggingface-scaled", _ISVC, (*_SERVICE, "scaleMetric"), "load", "not one of cpu, memory"),
        ("vllm-adapter", _ISVC, (*_SERVICE, "storageUris", 0, "uri"), ..., "uri is missing"),
        ("vllm-adapter", _ISVC, (*_SERVICE, "storageUris", 0, "mountPath"), "mnt", "does not match"),
        ("vllm", _ISVC, (*_MODEL, "resources", "limits", "cpu"), "2 cores", "does not match"),
        ("vllm", _ISVC, ("metadata", "label"), {}, "did you mean 'labels'?"),
        ("vllm", _ISVC, ("spec", "predictors"), {}, "did you mean 'predictor'?"),
        ("caikit", _RUNTIME, ("spec", "containers"), ..., "containers is missing"),
        ("caikit", _RUNTIME, ("spec", "containers", 0, "readinesProbe"), {}, "'readinessProbe'?"),
        ("caikit", _RUNTIME, ("spec", "containers", 0, "ports", 1), _PORT, "two entries with con"),
        ("unbarb", _RUNTIME, ("spec", "containers", 0, "ports", 0, "containerPort"), "http", "no integer"),
        ("service", "Deployment", (*_POD, "containers", 0, "image"), 7, "is no string"),
        ("service", "Deployment", (*_POD, "containers", 0, "livenesProbe"), {}, "mean 'livenessProbe'?"),
        ("service", "Deployment", ("spec", "selector"), ..., "selector is missing"),
        ("service", "HorizontalPodAutoscaler", ("spec", "maxReplicas"), ..., "maxReplicas is missing"),
        ("service", "NetworkPolicy", ("spec", "egress", 0, "port"), 53, "did you mean 'ports'?"),
        ("service", "StatefulSet", ("apiVersion",), "apps/v1beta9", "no schema for a StatefulSet"),
        ("service", "ConfigMap", ("data", "number"), 5, "is no string"),
    ],
)  # fmt: skip
def test_what_is_broken_is_told(
    name: str, kind: str, path: tuple[str | int, ...], value: Any, problem: str, schemas: Schemas
) -> None:
    found = told(schemas, changed(name, kind, path, value))
    assert problem in found
    assert len(found.splitlines()) <= 2, "one fault, and not a list of what follows from it"


def test_problems_say_where(schemas: Schemas) -> None:
    document = changed("vllm", "InferenceService", (*_SERVICE, "model", "runtimes"), "x")
    [problem] = schemas.problems(document)
    assert str(problem).startswith("InferenceService polite: spec.predictor.model.runtimes: ")


def test_the_clusters_own_definition_goes_first(tmp_path: Path) -> None:
    carried = files("unbarb.deploy.manifests") / "crds" / "servingruntimes.json.gz"
    crd = json.loads(gzip.decompress(carried.read_bytes()))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    del schema["properties"]["spec"]["properties"]["multiModel"]
    own = tmp_path / "own.yaml"
    own.write_text(yaml.safe_dump({"kind": "List", "items": [crd]}))
    [document] = [one for one in made("vllm").documents if one.kind == "ServingRuntime"]
    assert "spec.multiModel: there is no such field" in told(Schemas([own]), document)


def test_a_kind_of_ones_own_is_known_by_its_definition(tmp_path: Path, schemas: Schemas) -> None:
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "barbs.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"kind": "Barb", "plural": "barbs"},
            "scope": "Namespaced",
            "versions": [
                {
                    "name": "v1",
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {
                                "apiVersion": {"type": "string"},
                                "kind": {"type": "string"},
                                "metadata": {"type": "object"},
                                "spec": {
                                    "type": "object",
                                    "properties": {
                                        "sharp": {"type": "boolean", "description": "Whether it hurts."},
                                        "description": {"type": "string", "nullable": True},
                                        "size": {"x-kubernetes-int-or-string": True},
                                        "any": {
                                            "type": "object",
                                            "x-kubernetes-preserve-unknown-fields": True,
                                        },
                                    },
                                },
                            },
                        }
                    },
                }
            ],
        },
    }
    own = tmp_path / "own.json"
    own.write_text(json.dumps(slim(crd)))
    assert "Whether it hurts" not in own.read_text()
    head = {"apiVersion": "example.org/v1", "kind": "Barb", "metadata": {"name": "b"}}
    good = Document(
        head | {"spec": {"sharp": True, "description": None, "size": "7%", "any": {"x": {"y": 1}}}}
    )
    bad = Document(head | {"spec": {"sharp": "yes", "size": 1.5, "other": 1}})
    assert "--crd FILE" in told(schemas, good)
    own_schemas = Schemas([own])
    assert told(own_schemas, good) == ""
    found = told(own_schemas, bad)
    assert all(
        part in found for part in ("spec.sharp: 'yes' is no boolean", "spec.size: 1.5", "spec.other")
    )


def test_structural_schemas_become_schemas_of_json() -> None:
    kind = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    assert json_schema(kind) == {"type": ["integer", "string"]}
    one_of = {"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": [{"required": ["a"]}]}
    schema = json_schema(one_of)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    assert Draft202012Validator(schema).is_valid({"a": "x"})
    assert not Draft202012Validator(schema).is_valid({})
    words = json_schema({"type": "object", "additionalProperties": {"type": "string"}})
    assert Draft202012Validator(words).is_valid({"any": "x"})
    assert not Draft202012Validator(words).is_valid({"any": 1})


@pytest.mark.parametrize(
    ("content", "problem"), [("kind: Pod\n", "no CustomResourceDefinition"), ("a: [", "YAML")]
)
def test_what_is_no_definition(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "own.yaml").write_text(content)
    with pytest.raises(InputError, match=problem):
        Schemas([tmp_path / "own.yaml"])
    with pytest.raises(InputError, match="cannot be read"):
        Schemas([tmp_path / "none.yaml"])
    with pytest.raises(InputError, match=r"there are 1\.\d+ to 1\.\d+"):
        Schemas(release="0.9")


def test_the_definitions_travel_with_their_licence() -> None:
    notice = (files("unbarb.deploy.manifests") / "crds" / "NOTICE").read_text("utf-8")
    assert "KServe" in notice
    assert "Apache License 2.0" in notice
