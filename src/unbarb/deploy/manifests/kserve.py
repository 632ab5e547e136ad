"""KServe's objects: a ServingRuntime says how a model is served, an InferenceService which, and how often.

Source: https://kserve.github.io/website/docs/reference/crd-api. They ask for the deployment mode
``Standard`` (``RawDeployment`` before KServe 0.16), which scales by Kubernetes' own autoscaler, and several
of them for ``storageUris``, which came with 0.16 too.
"""

from __future__ import annotations

import shlex
from typing import Any
from urllib.parse import urlsplit

from unbarb.deploy.manifests import guard, runtimes
from unbarb.deploy.manifests.objects import Manifest, config_map, disruption_budget, metadata, resources
from unbarb.deploy.manifests.wanted import GUARD_CPU, GUARD_MEMORY, Wanted

GROUP = "serving.kserve.io"
CPU_TARGET = 70
"""Percent of the processors asked for at which copies are added."""

_POD_SECURITY: dict[str, Any] = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
_VLLM_USER = {"runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000}


def objects(wanted: Wanted, policy: str) -> dict[str, Manifest]:
    """The manifests by the names of their files, in the order in which they are applied."""
    found: dict[str, Manifest] = {}
    if wanted.s3_secret:
        found["service-account"] = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(wanted, f"{wanted.name}-models"),
            "secrets": [{"name": wanted.s3_secret}],
            "automountServiceAccountToken": False,
        }
    if wanted.guard:
        found["policies"] = config_map(wanted, guard.policy_map(wanted), {f"{wanted.name}.yaml": policy})
    found["serving-runtime"] = serving_runtime(wanted)
    found["inference-service"] = inference_service(wanted)
    for component, several in (("predictor", wanted.copies.most > 1), ("transformer", _guards(wanted))):
        if several:
            name, pods = f"{wanted.name}-{component}", _pods(wanted, component)
            found[f"disruption-budget-{component}"] = disruption_budget(wanted, name, pods)
    if _guards(wanted):
        found["network-policy"] = network_policy(wanted)
    return found


def serving_runtime(wanted: Wanted) -> Manifest:
    """How the model is served."""
    itself = wanted.runtime == "unbarb"
    containers = [_unbarb(wanted)] if itself else runtimes.containers(wanted)
    volumes = guard.volumes(wanted) if itself else _room()
    kind = wanted.runtime
    metrics = {"prometheus.kserve.io/port": str(runtimes.PORT), "prometheus.kserve.io/path": "/metrics"}
    spec: Manifest = {
        # Caikit's are at a port of their own, and unbarb's need a key.
        **({"annotations": metrics} if kind in ("huggingface", "vllm") else {}),
        "multiModel": False,
        "supportedModelFormats": [{"name": runtimes.model_format(wanted), "version": "1"}],
        **({"protocolVersions": ["v1", "v2"]} if kind in ("unbarb", "huggingface") else {}),
        "containers": containers,
        "volumes": volumes,
    }
    return {
        "apiVersion": f"{GROUP}/v1alpha1",
        "kind": "ServingRuntime",
        "metadata": metadata(wanted, f"{wanted.name}-{kind}"),
        "spec": spec,
    }


def inference_service(wanted: Wanted) -> Manifest:
    """Which model is served, with how much, in how many copies."""
    spec: dict[str, Any] = {"predictor": _predictor(wanted)}
    if _guards(wanted):
        spec["transformer"] = _transformer(wanted)
    annotations = {f"{GROUP}/deploymentMode": "Standard"}
    return {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "InferenceService",
        "metadata": metadata(wanted, wanted.name, annotations=annotations),
        "spec": spec,
    }


def network_policy(wanted: Wanted) -> Manifest:
    """Nobody reaches the predictor but by the guard in front of it."""
    guards = {"podSelector": {"matchLabels": _pods(wanted, "transformer")}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(wanted, f"{wanted.name}-predictor"),
        "spec": {
            "podSelector": {"matchLabels": _pods(wanted, "predictor")},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [guards]}],
        },
    }


def predictor_url(wanted: Wanted) -> str:
    """Where the guard finds the predictor behind it: the Service that KServe makes for it."""
    place = f".{wanted.namespace}.svc.cluster.local" if wanted.namespace else ""
    return f"http://{wanted.name}-predictor{place}{runtimes.openai_path(wanted)}"


def _predictor(wanted: Wanted) -> Manifest:
    copies, places = wanted.copies, runtimes.places(wanted)
    model: Manifest = {
        "modelFormat": {"name": runtimes.model_format(wanted), "version": "1"},
        "runtime": f"{wanted.name}-{wanted.runtime}",
        **_store(wanted, bool(places)),
        "resources": resources(wanted.cores, wanted.bytes, wanted.gpu_count),
    }
    security = guard.POD_SECURITY if wanted.runtime == "unbarb" else _POD_SECURITY
    if wanted.runtime == "vllm":
        security = _POD_SECURITY | _VLLM_USER  # its image would run as root
    return {
        "minReplicas": copies.least,
        "maxReplicas": copies.most,
        **_scaled(copies.scaled),
        **({"serviceAccountName": wanted.account} if wanted.account else {}),
        "automountServiceAccountToken": False,
        "securityContext": security,
        "terminationGracePeriodSeconds": guard.GRACE,
        **({"storageUris": places} if places else {}),
        "model": model,
    }


def _scaled(scaled: bool) -> Manifest:
    """By what copies are added; without from and to KServe is told to make no autoscaler."""
    kind = {"annotations": {f"{GROUP}/autoscalerClass": "hpa" if scaled else "external"}}
    return kind | ({"scaleMetric": "cpu", "scaleTarget": CPU_TARGET} if scaled else {})


def _guards(wanted: Wanted) -> bool:
    return wanted.kind == "transformer"


def _pods(wanted: Wanted, component: str) -> dict[str, str]:
    """The labels that KServe gives the pods of a component."""
    return {f"{GROUP}/inferenceservice": wanted.name, "component": component}


def _store(wanted: Wanted, elsewhere: bool) -> dict[str, Any]:
    """Where one model at the usual place comes from."""
    if wanted.model is None or elsewhere:
        return {}
    if wanted.storage_key is None:
        return {"storageUri": wanted.model}
    parts = urlsplit(wanted.model)
    where = {"type": "s3", "bucket": parts.netloc}
    return {"storage": {"key": wanted.storage_key, "path": parts.path.strip("/"), "parameters": where}}


def _transformer(wanted: Wanted) -> Manifest:
    command = guard.command(wanted, predictor_url(wanted))
    container = {
        "name": "kserve-container",
        "image": wanted.unbarb_image,
        # KServe adds arguments for transformers of its own (--model_name, --predictor_host, --http_port):
        # a shell takes them as its parameters and passes none of them on.
        "command": ["/bin/sh", "-c", f"exec {shlex.join(command)}"],
        "env": guard.environment(wanted),
        "ports": [{"containerPort": guard.PORT, "protocol": "TCP"}],
        **guard.probes(),
        "resources": resources(GUARD_CPU, GUARD_MEMORY),
        "securityContext": guard.SECURITY,
        "volumeMounts": guard.mounts(wanted),
    }
    return {
        "minReplicas": 2,
        "maxReplicas": 4,
        **_scaled(True),
        "automountServiceAccountToken": False,
        "securityContext": guard.POD_SECURITY,
        "terminationGracePeriodSeconds": guard.GRACE,
        "containers": [container],
        "volumes": guard.volumes(wanted),
    }


def _unbarb(wanted: Wanted) -> Manifest:
    program, *arguments = guard.command(wanted)
    return {
        "name": "kserve-container",
        "image": wanted.container_image,
        "command": [program],
        "args": arguments,
        "env": guard.environment(wanted),
        "ports": [{"containerPort": guard.PORT, "protocol": "TCP"}],
        **guard.probes(),
        "securityContext": guard.SECURITY,
        "volumeMounts": guard.mounts(wanted),
    }


def _room() -> list[Manifest]:
    """Room to write in: for caches, and for tensors that processes share."""
    return [
        {"name": "tmp", "emptyDir": {}},
        {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
    ]
