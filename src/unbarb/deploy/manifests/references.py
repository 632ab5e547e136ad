"""What no schema says: that manifests hold together, by names, labels and ports, and hold no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unbarb.deploy.manifests.documents import Document, Key, Problem
from unbarb.deploy.manifests.kustomize import is_kustomization
from unbarb.deploy.manifests.names import did_you_mean

_PODS: Mapping[str, tuple[Key, ...]] = {
    "Pod": (("spec",),),
    "Deployment": (("spec", "template", "spec"),),
    "StatefulSet": (("spec", "template", "spec"),),
    "DaemonSet": (("spec", "template", "spec"),),
    "Job": (("spec", "template", "spec"),),
    "CronJob": (("spec", "jobTemplate", "spec", "template", "spec"),),
    "ServingRuntime": (("spec",),),
    "ClusterServingRuntime": (("spec",),),
    "InferenceService": (("spec", "predictor"), ("spec", "transformer"), ("spec", "explainer")),
}
"""Kind → where it says what its pods are."""
_CREDENTIAL = re.compile(
    r"^(?!.*_(?:FILE|PATH|DIR|NAME)$).*(?:SECRET|PASSWORD|TOKEN(?!S|I)|(?:^|_|API|ACCESS)KEY$)",
    re.IGNORECASE,
)
"""Names of variables that hold a credential; not those of its place, or of tokens that a model reads."""
_REFERENCE = re.compile(r"\$\(\w+\)")
"""A value that is another variable's."""


@dataclass(frozen=True, slots=True)
class Pod:
    """What a manifest says about pods, and where it says so."""

    spec: Mapping[str, Any]
    path: Key
    document: Document

    @property
    def containers(self) -> Iterator[tuple[Mapping[str, Any], Key]]:
        for group in ("initContainers", "containers"):
            for position, one in enumerate(_list(self.spec.get(group))):
                yield one, (*self.path, group, position)
        if isinstance(model := self.spec.get("model"), Mapping):
            yield model, (*self.path, "model")

    @property
    def labels(self) -> Mapping[str, Any]:
        template = at(self.document.content, (*self.path[:-1], "metadata", "labels"))
        return template if isinstance(template, Mapping) else {}


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """An object that manifests refer to and that is not among them: it must be in the cluster."""

    kind: str
    name: str
    keys: tuple[str, ...] = ()


def at(content: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path; None where nothing does."""
    for part in path:
        if isinstance(content, Mapping):
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
        else:
            return None
    return content


def pods(documents: Sequence[Document]) -> Iterator[Pod]:
    """Every description of pods."""
    for document in documents:
        for path in _PODS.get(document.kind, ()):
            spec = at(document.content, path)
            if isinstance(spec, Mapping):
                yield Pod(spec, path, document)


def problems(documents: Sequence[Document]) -> Iterator[Problem]:
    """What does not hold together."""
    found = list(pods(documents))
    for pod in found:
        yield from _inside(pod)
        yield from _selected(pod)
        yield from _variables(pod)
    for document in documents:
        yield from _services(document, found)
        yield from _targets(document, documents)
        yield from _credentials(document)
    yield from _twice(documents)


def needs(documents: Sequence[Document]) -> list[Need]:
    """Secrets, ConfigMaps and ServiceAccounts that are referred to and must be there already."""
    there = {(document.kind, document.name) for document in documents} | set(_generated(documents))
    wanted: dict[tuple[str, str], set[str]] = {}
    for kind, name, key in _references(documents):
        if (kind, name) not in there:
            wanted.setdefault((kind, name), set()).update([key] if key else [])
    return sorted(Need(kind, name, tuple(sorted(keys))) for (kind, name), keys in wanted.items())


def _references(documents: Sequence[Document]) -> Iterator[tuple[str, str, str]]:
    for pod in pods(documents):
        if name := pod.spec.get("serviceAccountName"):
            yield "ServiceAccount", str(name), ""
        for volume in _list(pod.spec.get("volumes")):
            if isinstance(secret := volume.get("secret"), Mapping) and not secret.get("optional"):
                yield "Secret", str(secret.get("secretName")), _file_of(volume, pod)
            if isinstance(data := volume.get("configMap"), Mapping) and not data.get("optional"):
                yield "ConfigMap", str(data.get("name")), ""
        for container, _ in pod.containers:
            for variable in _list(container.get("env")):
                source = at(variable, ("valueFrom", "secretKeyRef"))
                if isinstance(source, Mapping) and not source.get("optional"):
                    yield "Secret", str(source.get("name")), str(source.get("key"))
    for document in documents:
        if document.kind == "ServiceAccount":
            for secret in _list(document.content.get("secrets")):
                yield "Secret", str(secret.get("name")), ""


def _file_of(volume: Mapping[str, Any], pod: Pod) -> str:
    """The file of a Secret that a container's command names below the place where it is mounted."""
    for container, _ in pod.containers:
        words = [str(word) for part in ("command", "args") for word in container.get(part) or ()]
        values = [str(variable.get("value", "")) for variable in _list(container.get("env"))]
        for mount in _list(container.get("volumeMounts")):
            place = f"{mount.get('mountPath')}/"
            if mount.get("name") == volume.get("name"):
                for word in [*" ".join(words).split(), *values]:
                    if place in word:
                        return word.partition(place)[2].strip("'\"")
    return ""


def _inside(pod: Pod) -> Iterator[Problem]:
    """Mounts have volumes, probes have ports, and no name stands there twice."""
    volumes = {str(one.get("name")) for one in _list(pod.spec.get("volumes"))}
    volumes |= {
        str(at(one, ("metadata", "name")))
        for one in _list(at(pod.document.content, ("spec", "volumeClaimTemplates")))
    }
    names: set[str] = set()
    for container, path in pod.containers:
        name = str(container.get("name"))
        if name in names:
            yield Problem((*path, "name"), f"two containers are called {name}", pod.document)
        names.add(name)
        for position, mount in enumerate(_list(container.get("volumeMounts"))):
            if pod.document.kind != "InferenceService" and mount.get("name") not in volumes:
                hint = did_you_mean(str(mount.get("name")), volumes)
                where = (*path, "volumeMounts", position, "name")
                yield Problem(where, f"there is no volume {mount.get('name')!r}{hint}", pod.document)
        ports = _ports([container])
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            port = at(container, (probe, "httpGet", "port"))
            if port is not None and ports and port not in ports:
                where = (*path, probe, "httpGet", "port")
                told = ", ".join(map(str, ports))
                yield Problem(where, f"the container has no port {port}; it has {told}", pod.document)


def _selected(pod: Pod) -> Iterator[Problem]:
    """A workload's selector picks its own pods."""
    chosen = at(pod.document.content, ("spec", "selector", "matchLabels"))
    if pod.document.kind in ("Deployment", "StatefulSet", "DaemonSet") and isinstance(chosen, Mapping):
        missing = {name: value for name, value in chosen.items() if pod.labels.get(name) != value}
        if missing:
            where: Key = ("spec", "selector", "matchLabels")
            yield Problem(where, f"its own pods have no {_labels(missing)}", pod.document)


def _services(document: Document, found: Sequence[Pod]) -> Iterator[Problem]:
    """A Service's selector picks pods, which have the ports that it sends to."""
    chosen = at(document.content, ("spec", "selector"))
    if document.kind != "Service" or not isinstance(chosen, Mapping):
        return
    picked = [pod for pod in found if pod.labels and chosen.items() <= pod.labels.items()]
    if not picked:
        yield Problem(("spec", "selector"), f"no pod here has {_labels(chosen)}", document)
        return
    ports = [port for pod in picked for port in _ports([one for one, _ in pod.containers])]
    for position, port in enumerate(_list(at(document.content, ("spec", "ports")))):
        target = port.get("targetPort", port.get("port"))
        if target not in ports:
            where = ("spec", "ports", position, "targetPort")
            yield Problem(where, f"its pods have no port {target}; they have {_told(ports)}", document)


def _targets(document: Document, documents: Sequence[Document]) -> Iterator[Problem]:
    """What an autoscaler scales, and the runtime of an InferenceService, are among the manifests."""
    if document.kind == "HorizontalPodAutoscaler":
        target = at(document.content, ("spec", "scaleTargetRef"))
        there = [one for one in documents if isinstance(target, Mapping) and one.kind == target.get("kind")]
        if isinstance(target, Mapping) and target.get("name") not in {one.name for one in there}:
            others = _told(one.name for one in there)
            told = f"no {target.get('kind')} {target.get('name')} is here; there is {others}"
            yield Problem(("spec", "scaleTargetRef"), told, document)
    if document.kind == "InferenceService":
        name = at(document.content, ("spec", "predictor", "model", "runtime"))
        runtimes = {one.name for one in documents if one.kind == "ServingRuntime"}
        if name and runtimes and name not in runtimes:
            hint = did_you_mean(str(name), runtimes)
            told = f"no ServingRuntime {name!r} is here{hint or f'; there is {_told(runtimes)}'}"
            yield Problem(("spec", "predictor", "model", "runtime"), told, document)


def _credentials(document: Document) -> Iterator[Problem]:
    """A Secret's content has no place in a file that is kept and shown around."""
    for part in ("data", "stringData"):
        if document.kind == "Secret" and document.content.get(part):
            told = (
                "a credential in a manifest; make the Secret with `kubectl create secret` and name it here"
            )
            yield Problem((part,), told, document)
    for position, one in enumerate(_list(document.content.get("secretGenerator"))):
        given = one.get("literals")
        for place, literal in enumerate(given if isinstance(given, list) else ()):
            name, _, value = str(literal).partition("=")
            if value:
                told = f"a credential in a kustomization ({name}); list a file of it under envs or files"
                yield Problem(("secretGenerator", position, "literals", place), told, document)


def _variables(pod: Pod) -> Iterator[Problem]:
    """A variable that is called a credential takes it from a Secret."""
    for container, path in pod.containers:
        for position, variable in enumerate(_list(container.get("env"))):
            name, value = str(variable.get("name")), str(variable.get("value") or "")
            if value and not _REFERENCE.fullmatch(value) and _CREDENTIAL.search(name):
                told = (
                    f"a credential in a manifest ({name}); take it from a Secret by valueFrom.secretKeyRef"
                )
                yield Problem((*path, "env", position, "value"), told, pod.document)


def _twice(documents: Sequence[Document]) -> Iterator[Problem]:
    seen: set[tuple[str, str, str]] = set()
    for document in documents:
        if is_kustomization(document):
            continue
        key = (document.kind, str(at(document.content, ("metadata", "namespace")) or ""), document.name)
        if not document.name:
            yield Problem(("metadata", "name"), "is missing", document)
        elif key in seen:
            yield Problem(("metadata", "name"), "two objects of this kind have this name", document)
        seen.add(key)


def _generated(documents: Sequence[Document]) -> Iterator[tuple[str, str]]:
    for document in documents:
        for generator, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for one in _list(document.content.get(generator)):
                yield kind, str(one.get("name"))


def _ports(containers: Sequence[Mapping[str, Any]]) -> list[str | int]:
    return [
        port[name]
        for container in containers
        for port in _list(container.get("ports"))
        for name in ("containerPort", "name")
        if name in port
    ]


def _list(given: Any) -> list[Any]:
    """A list of mappings; nothing where the schema will say that it is none."""
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def _labels(given: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in given.items())


def _told(given: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, given))) or "none"
