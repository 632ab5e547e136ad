"""What every manifest has: metadata, labels, resources; and the objects that several kinds share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unbarb import __version__
from unbarb.deploy.manifests.wanted import Wanted

Manifest = dict[str, Any]


class Mode(int):
    """Who may read a file, written as people write it: 0440."""


def metadata(wanted: Wanted, name: str, **more: Any) -> Manifest:
    """Name, namespace where one was asked for, the recommended labels, and `more`.

    Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels.
    """
    place = {"namespace": wanted.namespace} if wanted.namespace else {}
    labels = selector(wanted) | {"app.kubernetes.io/part-of": "unbarb"}
    if wanted.kind == "service":
        labels |= {"app.kubernetes.io/version": __version__}
    return {"name": name, **place, "labels": labels, **more}


def selector(wanted: Wanted) -> dict[str, str]:
    """The labels by which the service's own pods are found; they must never change."""
    name = "unbarb" if wanted.kind == "service" else wanted.kind
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/instance": wanted.name}


def resources(cpu: str, memory: str, gpus: int = 0) -> Manifest:
    """As much as is asked for and no more: a pod that is given all it may use is evicted last."""
    sizes: dict[str, Any] = {"cpu": cpu, "memory": memory}
    if gpus:
        sizes["nvidia.com/gpu"] = str(gpus)
    return {"requests": dict(sizes), "limits": dict(sizes)}


def disruption_budget(wanted: Wanted, name: str, labels: Mapping[str, str]) -> Manifest:
    """Let a drained node take one pod at a time."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(wanted, name),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": dict(labels)}},
    }


def config_map(wanted: Wanted, name: str, data: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(wanted, name),
        "data": dict(data),
    }
