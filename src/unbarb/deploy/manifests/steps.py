"""What is left to do with manifests: the Secrets that they name, and the command that applies them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unbarb.deploy.manifests import guard
from unbarb.deploy.manifests.references import Need
from unbarb.deploy.manifests.wanted import Wanted


def steps(wanted: Wanted, needs: Sequence[Need], where: str | None) -> Iterator[str]:
    """Commands for a shell, in order; `where` is the folder that was written, None for a stream."""
    place = f" --namespace {wanted.namespace}" if wanted.namespace else ""
    if wanted.namespace:
        yield f"kubectl create namespace {wanted.namespace}"
    for need in needs:
        if need.kind == "Secret":
            yield from _made(wanted, need, place)
        elif need.kind == "ServiceAccount":
            yield f"kubectl create serviceaccount {need.name}{place}"
    if wanted.kind == "service" and where is not None:
        where = f"{where}/overlays/production"
    yield f"kubectl apply -k {where}" if where is not None else "kubectl apply -f -"


def _made(wanted: Wanted, need: Need, place: str) -> Iterator[str]:
    """How a Secret is made; what is in it goes through files, not through a command line."""
    make = f"kubectl create secret generic {need.name}{place}"
    if need.name == wanted.keys and need.keys == ("keys.json",):
        scope = " --scope proxy" if wanted.kind == "transformer" or wanted.upstream else ""
        yield f"unbarb keys create CLIENT{scope} --keys keys.json  # prints the client's key, once"
        yield f"{make} --from-file=keys.json"
    elif need.name == guard.audit_secret(wanted):
        yield "unbarb audit keys create audit-keys.json  # keep a copy of it in a safe place"
        yield f"{make} --from-file=audit-keys.json"
    elif need.name == wanted.s3_secret:
        yield f"{make} --from-env-file=s3.env  # AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=…"
        yield (
            f"kubectl annotate secret {need.name}{place} serving.kserve.io/s3-endpoint=HOST"
            " serving.kserve.io/s3-usehttps=1 serving.kserve.io/s3-region=REGION"
        )
    else:
        yield f"{make} {' '.join(f'--from-file={key}' for key in need.keys)}"
