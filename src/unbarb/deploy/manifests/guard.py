"""unbarb's own container: its command, the places of its files, its probes, and what it may not do."""

from __future__ import annotations

from typing import Any

from unbarb.deploy.manifests.objects import Mode
from unbarb.deploy.manifests.wanted import Wanted

PORT = 8080
LIVE, READY = "/health/live", "/health/ready"

KEYS = "/etc/unbarb/keys/keys.json"
AUDIT_KEYS = "/etc/unbarb/audit/audit-keys.json"
POLICIES = "/etc/unbarb/policies"
STATE = "/var/lib/unbarb"
"""Where it works: decisions that wait for their record are spilled below it."""

USER = 10001
"""The user and group of the image; see Containerfile."""

DRAIN_DELAY, DRAIN = 5, 30
"""Seconds: while endpoints forget a pod that ends, and for what is in flight then."""

GRACE = DRAIN_DELAY + DRAIN + 10

POD_SECURITY: dict[str, Any] = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "fsGroup": USER,  # the files of Secrets are root's and this group's
    "seccompProfile": {"type": "RuntimeDefault"},
}
SECURITY: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "privileged": False,
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
}
"""As the profile "restricted" asks, https://kubernetes.io/docs/concepts/security/pod-security-standards."""


def command(wanted: Wanted, upstream: str | None = None) -> list[str]:
    """The service's command line."""
    access = ["--unsafe-no-keys"] if wanted.unsafe_no_keys else [f"--keys={KEYS}"]
    audit = [f"--audit={wanted.record}", f"--audit-keys={AUDIT_KEYS}"] if wanted.record else ["--no-audit"]
    return [
        "unbarb", "serve", "--host=0.0.0.0", f"--port={PORT}",
        f"--policy={policy_name(wanted)}", f"--policies={POLICIES}",
        *access, *audit, *([f"--upstream={upstream}"] if upstream else []),
        f"--drain-delay={DRAIN_DELAY}", f"--drain={DRAIN}", f"--set=threads={wanted.threads}",
    ]  # fmt: skip


def migration(wanted: Wanted) -> list[str]:
    """The command that makes the record's tables, or brings them to the form of the image's release."""
    return ["unbarb", "audit", "migrate", f"--log={wanted.record}", f"--keys={AUDIT_KEYS}"]


def policy_name(wanted: Wanted) -> str:
    """The name of the policy: the service's, for KServe asks a model by the name of its service."""
    return wanted.name


def probes(port: int | str = PORT) -> dict[str, Any]:
    """Startup, readiness and liveness on the service's own paths; none of them needs a key."""
    return {
        "startupProbe": _probe(READY, port, period=2, failures=60),
        "readinessProbe": _probe(READY, port, period=5, failures=2),
        "livenessProbe": _probe(LIVE, port, period=10, failures=3),
    }


def _probe(path: str, port: int | str, *, period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": port},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def environment(wanted: Wanted) -> list[dict[str, Any]]:
    """Its variables. libpq takes the password from PGPASSWORD, so that none stands in a command line."""
    found: list[dict[str, Any]] = [{"name": "HOME", "value": "/tmp"}]
    if wanted.record:
        secret = {"secretKeyRef": {"name": wanted.password, "key": "password"}}
        found.append({"name": "PGPASSWORD", "valueFrom": secret})
    return found


def mounts(wanted: Wanted) -> list[dict[str, Any]]:
    """Where its volumes are."""
    found: list[dict[str, Any]] = [
        {"name": "policies", "mountPath": POLICIES, "readOnly": True},
        {"name": "state", "mountPath": STATE},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    if not wanted.unsafe_no_keys:
        found.append({"name": "keys", "mountPath": KEYS.rpartition("/")[0], "readOnly": True})
    return [*found, *audit_mounts(wanted)]


def audit_mounts(wanted: Wanted) -> list[dict[str, Any]]:
    if not wanted.record:
        return []
    return [{"name": "audit-keys", "mountPath": AUDIT_KEYS.rpartition("/")[0], "readOnly": True}]


def volumes(wanted: Wanted) -> list[dict[str, Any]]:
    """Its volumes: the policy, the keys, and room to write in."""
    found: list[dict[str, Any]] = [
        {"name": "policies", "configMap": {"name": policy_map(wanted)}},
        {"name": "state", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
    ]
    if not wanted.unsafe_no_keys:
        found.append({"name": "keys", "secret": {"secretName": wanted.keys, "defaultMode": Mode(0o440)}})
    if wanted.record:
        secret = {"secretName": audit_secret(wanted), "defaultMode": Mode(0o440)}
        found.append({"name": "audit-keys", "secret": secret})
    return found


def policy_map(wanted: Wanted) -> str:
    return f"{wanted.name}-policies"


def audit_secret(wanted: Wanted) -> str:
    return f"{wanted.name}-audit"
