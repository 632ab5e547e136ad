"""The service without KServe: Deployment, Service, autoscaler, and who may reach whom."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from unbarb.deploy.manifests import guard
from unbarb.deploy.manifests.objects import Manifest, disruption_budget, metadata, resources, selector
from unbarb.deploy.manifests.wanted import Wanted

CPU_TARGET = 70
_PORTS = {"http": 80, "https": 443}


def objects(wanted: Wanted) -> dict[str, Manifest]:
    """The manifests by the names of their files, in the order in which they are applied."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(wanted, wanted.name),
        "automountServiceAccountToken": False,
    }
    return {
        **({} if wanted.service_account else {"service-account": account}),
        "deployment": deployment(wanted),
        "service": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata(wanted, wanted.name),
            "spec": {
                "selector": selector(wanted),
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        },
        "autoscaler": autoscaler(wanted),
        "disruption-budget": disruption_budget(wanted, wanted.name, selector(wanted)),
        "network-policy": network_policy(wanted),
    }


def deployment(wanted: Wanted) -> Manifest:
    """Several replicas over one record, which an init container brings to the form of its release."""
    labels = selector(wanted)
    program, *arguments = guard.command(wanted, wanted.upstream)
    container: Manifest = {
        "name": "unbarb",
        "image": wanted.container_image,
        "command": [program],
        "args": arguments,
        "env": [*guard.environment(wanted), *_upstream_key(wanted)],
        "ports": [{"name": "http", "containerPort": guard.PORT, "protocol": "TCP"}],
        **guard.probes("http"),
        "resources": resources(wanted.cores, wanted.bytes),
        "securityContext": guard.SECURITY,
        "volumeMounts": guard.mounts(wanted),
    }
    migrate: Manifest = {
        "name": "migrate",
        "image": wanted.container_image,
        "command": guard.migration(wanted),
        "env": guard.environment(wanted),
        "resources": resources("250m", "256Mi"),
        "securityContext": guard.SECURITY,
        "volumeMounts": [*guard.audit_mounts(wanted), {"name": "tmp", "mountPath": "/tmp"}],
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }
    pod: dict[str, Any] = {
        "serviceAccountName": wanted.service_account or wanted.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": guard.POD_SECURITY,
        "terminationGracePeriodSeconds": guard.GRACE,
        "topologySpreadConstraints": [spread],
        "initContainers": [migrate],
        "containers": [container],
        "volumes": guard.volumes(wanted),
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(wanted, wanted.name),
        "spec": {
            # Without replicas: they are the autoscaler's to set.
            "selector": {"matchLabels": labels},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def autoscaler(wanted: Wanted) -> Manifest:
    """More replicas while processors are busy; fewer only after five quiet minutes."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(wanted, wanted.name),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": wanted.name},
            "minReplicas": wanted.copies.least,
            "maxReplicas": wanted.copies.most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "target": {"type": "Utilization", "averageUtilization": CPU_TARGET},
                    },
                }
            ],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300}},
        },
    }


def network_policy(wanted: Wanted) -> Manifest:
    """In: from pods of the same namespace. Out: names, the database, the upstream if there is one."""
    database = urlsplit(str(wanted.record))
    out: list[Manifest] = [
        {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]},
        {"ports": [{"protocol": "TCP", "port": database.port or 5432}]},
    ]
    if wanted.database is None:
        out[1]["to"] = [{"podSelector": {"matchLabels": database_labels(wanted)}}]
    if wanted.upstream:
        upstream = urlsplit(wanted.upstream)
        out.append({"ports": [{"protocol": "TCP", "port": upstream.port or _PORTS[upstream.scheme]}]})
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(wanted, wanted.name),
        "spec": {
            "podSelector": {"matchLabels": selector(wanted)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": "http"}]},
            ],
            "egress": out,
        },
    }


def database_labels(wanted: Wanted) -> dict[str, str]:
    """The labels of the database's pod, where one is written too."""
    return {"app.kubernetes.io/name": "postgresql", "app.kubernetes.io/instance": wanted.name}


def _upstream_key(wanted: Wanted) -> list[Manifest]:
    """The key of the upstream, from a Secret that need not be there."""
    if not wanted.upstream:
        return []
    secret = {"name": f"{wanted.name}-upstream", "key": "key", "optional": True}
    return [{"name": "UNBARB_UPSTREAM_KEY", "valueFrom": {"secretKeyRef": secret}}]
