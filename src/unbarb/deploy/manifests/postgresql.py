"""A PostgreSQL for those who have none: one pod and one disk, to try the service with.

It has no standby and no backup: for what must last, give the service a database that is looked after.
"""

from __future__ import annotations

from typing import Any

from unbarb.deploy.manifests.guard import SECURITY
from unbarb.deploy.manifests.objects import Manifest, Mode, metadata, resources, selector
from unbarb.deploy.manifests.service import database_labels
from unbarb.deploy.manifests.wanted import Wanted

IMAGE = "docker.io/library/postgres:17"
_USER = 999
"""``postgres`` in that image."""
_DATA = "/var/lib/postgresql/data"


def objects(wanted: Wanted) -> dict[str, Manifest]:
    """The manifests by the names of their files."""
    name, labels = f"{wanted.name}-postgresql", database_labels(wanted)

    def about() -> Manifest:
        found = metadata(wanted, name)
        return found | {"labels": found["labels"] | labels}

    return {
        "statefulset": {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": about(),
            "spec": {
                "serviceName": name,
                "replicas": 1,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": _pod(wanted)},
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "data"},
                        "spec": {
                            "accessModes": ["ReadWriteOnce"],
                            "resources": {"requests": {"storage": "10Gi"}},
                        },
                    }
                ],
            },
        },
        "service": {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": about(),
            "spec": {
                "selector": labels,
                "ports": [{"name": "postgresql", "port": 5432, "targetPort": "postgresql"}],
            },
        },
        "network-policy": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": about(),
            "spec": {
                "podSelector": {"matchLabels": labels},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [
                    {
                        "from": [{"podSelector": {"matchLabels": selector(wanted)}}],
                        "ports": [{"protocol": "TCP", "port": "postgresql"}],
                    }
                ],
            },
        },
    }


def _pod(wanted: Wanted) -> Manifest:
    ask: dict[str, Any] = {
        "exec": {"command": ["pg_isready", "--host=127.0.0.1", "--username=unbarb", "--dbname=unbarb"]},
        "periodSeconds": 5,
        "timeoutSeconds": 3,
    }
    container: Manifest = {
        "name": "postgresql",
        "image": IMAGE,
        "env": [
            {"name": "POSTGRES_USER", "value": "unbarb"},
            {"name": "POSTGRES_DB", "value": "unbarb"},
            {"name": "POSTGRES_PASSWORD_FILE", "value": "/etc/postgresql-password/password"},
            {"name": "PGDATA", "value": f"{_DATA}/pgdata"},
        ],
        "ports": [{"name": "postgresql", "containerPort": 5432, "protocol": "TCP"}],
        "startupProbe": {**ask, "failureThreshold": 60},
        "readinessProbe": {**ask, "failureThreshold": 2},
        "livenessProbe": {**ask, "periodSeconds": 10, "failureThreshold": 6},
        "resources": resources("500m", "1Gi"),
        "securityContext": SECURITY,
        "volumeMounts": [
            {"name": "data", "mountPath": _DATA},
            {"name": "password", "mountPath": "/etc/postgresql-password", "readOnly": True},
            {"name": "run", "mountPath": "/var/run/postgresql"},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 60,
        "containers": [container],
        "volumes": [
            {"name": "password", "secret": {"secretName": wanted.password, "defaultMode": Mode(0o440)}},
            {"name": "run", "emptyDir": {}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
