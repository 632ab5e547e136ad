"""The containers that serve models on KServe: their commands, probes and room to write in.

Sources: the runtimes that KServe ships (config/runtimes/kserve-huggingfaceserver.yaml), the manual of vLLM
(``vllm serve``), and the templates of Open Data Hub (odh-model-controller, config/runtimes/caikit-*.yaml).
"""

from __future__ import annotations

from typing import Any

from unbarb.deploy.manifests.guard import SECURITY
from unbarb.deploy.manifests.objects import Manifest, resources
from unbarb.deploy.manifests.wanted import GUARD_CPU, LORA_RANKS, Wanted

PORT = 8080
MODELS = "/mnt/models"
"""Where KServe's storage initializer puts a model."""

CACHE = [{"name": "HF_HOME", "value": "/tmp/hf"}, {"name": "HOME", "value": "/tmp"}]
MINUTES_TO_START = 15


def containers(wanted: Wanted) -> list[Manifest]:
    """The containers of the runtime, the one that KServe calls ``kserve-container`` first."""
    return {
        "huggingface": _huggingface,
        "vllm": _vllm,
        "caikit": _caikit,
        "caikit-tgis": _caikit_tgis,
    }[wanted.runtime](wanted)


def model_format(wanted: Wanted) -> str:
    """The format by which a runtime is matched with a model."""
    return {"vllm": "vLLM", "caikit-tgis": "caikit"}.get(wanted.runtime, wanted.runtime)


def openai_path(wanted: Wanted) -> str:
    """Where the predictor speaks OpenAI's API."""
    return "/openai/v1" if wanted.runtime == "huggingface" else "/v1"


def places(wanted: Wanted) -> list[dict[str, str]]:
    """What is fetched, and where to, where it is not one model at the usual place.

    Caikit looks for folders of models in its folder, and calls each by its name: one that lies in it as
    files alone is not found.
    """
    if wanted.runtime.startswith("caikit"):
        return [{"uri": str(wanted.model), "mountPath": f"{MODELS}/{wanted.name}"}]
    if wanted.adapter:
        return [
            {"uri": str(wanted.model), "mountPath": f"{MODELS}/base"},
            {"uri": wanted.adapter, "mountPath": f"{MODELS}/adapter"},
        ]
    return []


def _container(image: str, **more: Any) -> Manifest:
    return {
        "name": "kserve-container",
        "image": image,
        **more,
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "securityContext": SECURITY,
    }


def _mounts() -> list[Manifest]:
    return [{"name": "tmp", "mountPath": "/tmp"}, {"name": "shm", "mountPath": "/dev/shm"}]


def _probes(ready: dict[str, Any], live: dict[str, Any]) -> dict[str, Any]:
    every = {"periodSeconds": 10, "timeoutSeconds": 5}
    return {
        "startupProbe": {**ready, **every, "failureThreshold": MINUTES_TO_START * 6},
        "readinessProbe": {**ready, **every, "failureThreshold": 3},
        "livenessProbe": {**live, **every, "periodSeconds": 15, "failureThreshold": 4},
    }


def _get(path: str) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": PORT}}


def _huggingface(wanted: Wanted) -> list[Manifest]:
    return [
        _container(
            wanted.container_image,
            args=["--model_name={{.Name}}", f"--model_dir={MODELS}", "--disable_log_requests"],
            env=CACHE,
            volumeMounts=_mounts(),
            **_probes(_get("/v2/health/ready"), _get("/v2/health/live")),
        )
    ]


def _vllm(wanted: Wanted) -> list[Manifest]:
    base = f"{MODELS}/base" if wanted.adapter else MODELS
    # A request names the model it wants: with an adapter, the service's name is the adapter's.
    named = "{{.Name}}-base" if wanted.adapter else "{{.Name}}"
    adapter = [
        "--enable-lora",
        "--lora-modules={{.Name}}=" + f"{MODELS}/adapter",
        f"--max-lora-rank={min(rank for rank in LORA_RANKS if rank >= wanted.lora_rank)}",
    ]
    return [
        _container(
            wanted.container_image,
            command=["vllm", "serve", base],
            args=[f"--port={PORT}", f"--served-model-name={named}", *(adapter if wanted.adapter else [])],
            # Its image has no user of this number, and torch asks for the user's name.
            env=[*CACHE, {"name": "USER", "value": "vllm"}],
            volumeMounts=_mounts(),
            **_probes(_get("/health"), _get("/health")),
        )
    ]


def _caikit_environment() -> list[dict[str, str]]:
    return [
        {"name": "RUNTIME_LIBRARY", "value": "caikit_nlp"},
        {"name": "RUNTIME_LOCAL_MODELS_DIR", "value": MODELS},
        {"name": "RUNTIME_HTTP_ENABLED", "value": "true"},
        {"name": "RUNTIME_GRPC_ENABLED", "value": "false"},
        *CACHE,
    ]


def _caikit_probes() -> dict[str, Any]:
    def probe(what: str) -> dict[str, Any]:
        return {"exec": {"command": ["python", "-m", "caikit_health_probe", what]}}

    found = _probes(probe("readiness"), probe("liveness"))
    return found | {"startupProbe": _probes(_get("/health"), {})["startupProbe"]}


def _caikit(wanted: Wanted) -> list[Manifest]:
    return [
        _container(
            wanted.container_image,
            command=["python", "-m", "caikit.runtime"],
            env=_caikit_environment(),
            volumeMounts=_mounts(),
            **_caikit_probes(),
        )
    ]


def _caikit_tgis(wanted: Wanted) -> list[Manifest]:
    tgis = _container(
        wanted.container_image,
        command=["text-generation-launcher"],
        args=[f"--model-name={MODELS}/{wanted.name}/artifacts/"],
        env=CACHE,
        volumeMounts=_mounts(),
    )
    del tgis["ports"]  # Caikit asks it inside of the pod; the one port is Caikit's
    caikit = _caikit(wanted)[0] | {
        "name": "transformer-container",
        "image": "quay.io/opendatahub/caikit-tgis-serving:stable",
        "resources": resources(GUARD_CPU, "2Gi"),
    }
    del caikit["command"]  # its image starts Caikit, set up to find TGIS beside it
    return [tgis, caikit]
