"""Every kind of manifests: whole, without a secret, and what was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from unbarb.deploy.manifests import guard, references
from unbarb.deploy.manifests.documents import Document, parse
from unbarb.deploy.manifests.names import (
    Replicas,
    quantity,
    wrong_image,
    wrong_name,
    wrong_place,
    wrong_quantity,
)
from unbarb.deploy.manifests.references import at
from unbarb.deploy.manifests.wanted import KINDS, Wanted
from unbarb.deploy.manifests.written import Written, written
from unbarb.errors import ConfigError

IMAGE = "registry.example/unbarb:0.1.0"
MODEL, ADAPTER = "s3://models/base", "s3://models/adapters/detox"

ASKED: dict[str, dict[str, Any]] = {
    "huggingface": {"kind": "huggingface", "model": MODEL, "s3_secret": "s3"},
    "huggingface-gpu": {"kind": "huggingface", "model": MODEL, "storage_key": "ours", "gpus": 1},
    "huggingface-scaled": {"kind": "huggingface", "model": MODEL, "replicas": "1-4", "namespace": "trust"},
    "vllm": {"kind": "vllm", "model": MODEL, "service_account": "reader"},
    "vllm-adapter": {"kind": "vllm", "model": MODEL, "adapter": ADAPTER, "lora_rank": 40, "s3_secret": "s"},
    "caikit": {"kind": "caikit", "model": MODEL, "s3_secret": "s3"},
    "caikit-tgis": {"kind": "caikit-tgis", "model": MODEL, "s3_secret": "s3", "gpus": 1},
    "unbarb": {"kind": "unbarb", "image": IMAGE},
    "unbarb-record": {"kind": "unbarb", "image": IMAGE, "database": "postgresql://guard@db.trust/audit"},
    "transformer": {"kind": "transformer", "model": MODEL, "adapter": ADAPTER, "unbarb_image": IMAGE},
    "transformer-hf": {
        "kind": "transformer", "model": MODEL, "predictor": "huggingface", "unbarb_image": IMAGE,
        "namespace": "trust", "unsafe_no_keys": True,
    },
    "service": {"kind": "service", "image": IMAGE},
    "service-own": {
        "kind": "service", "image": IMAGE, "upstream": "https://models.example/v1",
        "database": "postgresql://guard@db.trust:6432/audit?sslmode=verify-full",
        "cpu": "3500m", "memory": "2Gi", "replicas": "3",
    },
}  # fmt: skip
"""At least one of each kind."""


def made(name: str, **more: Any) -> Written:
    return written(Wanted(name="polite", **{**ASKED[name], **more}))


def only(found: Written, kind: str) -> dict[str, Any]:
    [document] = [one for one in found.documents if one.kind == kind]
    return dict(document.content)


def containers(found: Written) -> Iterator[tuple[Mapping[str, Any], Document]]:
    for pod in references.pods(found.documents):
        for container, _ in pod.containers:
            if "image" in container:
                yield container, pod.document


def test_every_kind_is_asked_for() -> None:
    assert {asked["kind"] for asked in ASKED.values()} == set(KINDS)


@pytest.mark.parametrize("name", ASKED)
def test_manifests_hold_together_and_their_yaml_reads_as_they_are(name: str) -> None:
    found = made(name)
    again, wrong = parse(found.stream, "-")
    assert [one.content for one in again] == [one.content for one in found.documents]
    assert [*map(str, [*wrong, *references.problems(again)])] == []
    assert len(again) >= 2


@pytest.mark.parametrize("name", ASKED)
def test_the_same_wish_gives_the_same_bytes(name: str) -> None:
    first, second = made(name), made(name)
    assert (first.files, first.stream) == (second.files, second.stream)


@pytest.mark.parametrize("name", ASKED)
def test_no_secret_is_written_but_named(name: str) -> None:
    found = made(name)
    assert not [one for one in found.documents if one.kind == "Secret"]
    asked = ASKED[name]
    named = {need.name for need in references.needs(found.documents) if need.kind == "Secret"}
    assert named >= {asked["s3_secret"]} if "s3_secret" in asked else True
    if KINDS[asked["kind"]].guard and not asked.get("unsafe_no_keys"):
        assert "polite-keys" in named


@pytest.mark.parametrize("name", ASKED)
def test_every_container_is_probed_bounded_and_without_rights(name: str) -> None:
    seen = 0
    for container, document in containers(made(name)):
        seen += 1
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["readOnlyRootFilesystem"] is True
        assert security["runAsNonRoot"] is True
        assert security["capabilities"] == {"drop": ["ALL"]}
        assert "tmp" in {one["name"] for one in container["volumeMounts"]}, "nowhere to write"
        if container.get("ports"):
            assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
        if document.kind != "ServingRuntime":  # there the InferenceService says how much
            assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
    assert seen >= 1


@pytest.mark.parametrize("name", ASKED)
def test_every_pod_is_no_root_and_has_no_token(name: str) -> None:
    pods = [pod for pod in references.pods(made(name).documents) if pod.document.kind != "ServingRuntime"]
    for pod in pods:
        assert pod.spec["securityContext"]["runAsNonRoot"] is True
        assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod.spec["automountServiceAccountToken"] is False
    assert pods


def test_a_pod_that_ends_has_time_for_what_is_in_flight() -> None:
    spec = at(only(made("service"), "Deployment"), ("spec", "template", "spec"))
    told = dict(word.split("=", 1) for word in spec["containers"][0]["args"] if "=" in word)
    assert spec["terminationGracePeriodSeconds"] > int(told["--drain-delay"]) + int(told["--drain"])


def test_vllm_serves_the_adapter_under_the_services_name() -> None:
    found = made("vllm-adapter")
    service = only(found, "InferenceService")["spec"]["predictor"]
    assert service["storageUris"] == [
        {"uri": MODEL, "mountPath": "/mnt/models/base"},
        {"uri": ADAPTER, "mountPath": "/mnt/models/adapter"},
    ]
    assert "storageUri" not in service["model"]
    [container] = only(found, "ServingRuntime")["spec"]["containers"]
    assert container["command"] == ["vllm", "serve", "/mnt/models/base"]
    assert "--lora-modules={{.Name}}=/mnt/models/adapter" in container["args"]
    assert "--max-lora-rank=64" in container["args"], "the next that vLLM knows"
    assert service["model"]["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_caikit_finds_its_model_in_a_folder_of_the_services_name() -> None:
    found = made("caikit-tgis")
    [place] = only(found, "InferenceService")["spec"]["predictor"]["storageUris"]
    assert place == {"uri": MODEL, "mountPath": "/mnt/models/polite"}
    tgis, caikit = only(found, "ServingRuntime")["spec"]["containers"]
    assert tgis["args"] == ["--model-name=/mnt/models/polite/artifacts/"]
    assert (tgis["name"], caikit["name"]) == ("kserve-container", "transformer-container")
    assert {"name": "RUNTIME_LOCAL_MODELS_DIR", "value": "/mnt/models"} in caikit["env"]
    assert "ports" not in tgis, "KServe takes one port, and Caikit's is meant"


def test_a_model_comes_by_a_storage_key_or_an_account() -> None:
    model = only(made("huggingface-gpu"), "InferenceService")["spec"]["predictor"]["model"]
    assert model["storage"] == {
        "key": "ours",
        "path": "base",
        "parameters": {"type": "s3", "bucket": "models"},
    }
    found = made("huggingface")
    assert only(found, "ServiceAccount")["secrets"] == [{"name": "s3"}]
    assert only(found, "InferenceService")["spec"]["predictor"]["serviceAccountName"] == "polite-models"
    reader = made("vllm")
    assert only(reader, "InferenceService")["spec"]["predictor"]["serviceAccountName"] == "reader"
    assert [need.kind for need in references.needs(reader.documents)] == ["ServiceAccount"]


def test_a_gpu_brings_the_image_for_it() -> None:
    [container] = only(made("huggingface-gpu"), "ServingRuntime")["spec"]["containers"]
    assert container["image"].endswith("-gpu")


@pytest.mark.parametrize(("replicas", "kind"), [("2", "external"), ("1-4", "hpa")])
def test_copies_are_scaled_only_between_two_numbers(replicas: str, kind: str) -> None:
    predictor = only(made("huggingface", replicas=replicas), "InferenceService")["spec"]["predictor"]
    assert predictor["annotations"] == {"serving.kserve.io/autoscalerClass": kind}
    assert ("scaleMetric" in predictor) == (kind == "hpa")


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("transformer", "http://polite-predictor/v1"),
        ("transformer-hf", "http://polite-predictor.trust.svc.cluster.local/openai/v1"),
    ],
)
def test_a_transformer_passes_chats_on_to_its_predictor(name: str, url: str) -> None:
    found = made(name)
    [container] = only(found, "InferenceService")["spec"]["transformer"]["containers"]
    shell, flag, script = container["command"]
    assert (shell, flag) == ("/bin/sh", "-c")
    assert f"--upstream={url}" in script.split()
    assert ("--unsafe-no-keys" in script) == (name == "transformer-hf")


def test_nobody_goes_around_the_guard() -> None:
    """Labels as KServe gives them: serving.kserve.io/inferenceservice and component."""
    spec = only(made("transformer"), "NetworkPolicy")["spec"]
    assert spec["podSelector"]["matchLabels"]["component"] == "predictor"
    [rule] = spec["ingress"]
    [guard_pods] = rule["from"]
    assert guard_pods["podSelector"]["matchLabels"] == {
        "serving.kserve.io/inferenceservice": "polite",
        "component": "transformer",
    }


def test_the_password_of_the_record_comes_from_a_secret() -> None:
    [container] = only(made("unbarb-record"), "ServingRuntime")["spec"]["containers"]
    assert "--audit=postgresql://guard@db.trust/audit?sslmode=require" in container["args"]
    [password] = [one for one in container["env"] if one["name"] == "PGPASSWORD"]
    secret = {"name": "polite-database", "key": "password"}
    assert password["valueFrom"] == {"secretKeyRef": secret}
    assert "--no-audit" in only(made("unbarb"), "ServingRuntime")["spec"]["containers"][0]["args"]


def test_the_policy_is_called_after_the_service_and_still_valid(tmp_path: Path) -> None:
    policy = yaml.safe_load(made("unbarb", policy="strict").files["policies/polite.yaml"])
    assert (policy["name"], policy["labels"]["toxicity"]["threshold"]) == ("polite", 0.3)
    own = tmp_path / "own.yaml"
    own.write_text("schema: 1\nname: own\nlabels:\n  toxicity: {threshold: 2, action: rewrite}\n")
    with pytest.raises(ConfigError, match=r"own\.yaml:4"):
        made("unbarb", policy=str(own))
    own.write_text('{schema: 1, "name": own, labels: {toxicity: {threshold: 0.5, action: rewrite}}}\n')
    with pytest.raises(ConfigError, match="name: polite"):
        made("unbarb", policy=str(own))


def test_a_model_that_no_policy_uses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="/mnt/models"):
        made("unbarb", model=MODEL)
    own = tmp_path / "own.yaml"
    own.write_text(
        "schema: 1\nname: own\nrewriter: {name: seq2seq, model: /mnt/models}\n"
        "labels:\n  toxicity: {threshold: 0.5, action: rewrite}\n"
    )
    found = made("unbarb", model=MODEL, policy=str(own))
    assert only(found, "InferenceService")["spec"]["predictor"]["model"]["storageUri"] == MODEL


def test_only_what_the_service_needs_may_pass_its_network_policy() -> None:
    spec = only(made("service-own"), "NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert [port["port"] for rule in spec["egress"] for port in rule["ports"]] == [53, 53, 6432, 443]
    policies = [one for one in made("service").documents if one.kind == "NetworkPolicy"]
    assert len(policies) == 2
    database = policies[1].content["spec"]["ingress"][0]["from"]
    assert database == [
        {"podSelector": {"matchLabels": policies[0].content["spec"]["podSelector"]["matchLabels"]}}
    ]


def test_threads_follow_the_cores() -> None:
    for cpu, threads in (("500m", 1), ("2", 2), ("3500m", 3)):
        asked = Wanted(kind="service", name="x", image=IMAGE, cpu=cpu)
        assert f"--set=threads={threads}" in guard.command(asked)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Wanted(
            kind="unbarb", name="My Guard", namespace="-x", image="unbarb:latest", cpu="two", memory="4",
            replicas="6-2", policy="strickt", database="postgresql://u:geheim@h/d", s3_secret="S3", gpus=1,
        )  # fmt: skip
    told = str(error.value)
    lines = told.splitlines()
    for part in (
        "'my-guard' would do", "--namespace", "not latest", "--cpu 'two'", "4Gi", "smaller number first",
        "did you mean 'strict'?", "polite", "leave the password out", "--s3-secret", "--gpus",
    ):  # fmt: skip
        if part != "polite":
            assert part in told, part
    assert len(lines) == len(set(lines)) >= 10
    assert "geheim" not in told


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kind": "vlm"}, "did you mean 'vllm'?"),
        ({"kind": "vllm"}, "--model is missing"),
        ({"kind": "vllm", "model": "s3://"}, "the bucket is missing"),
        ({"kind": "vllm", "model": "s3://models"}, "the prefix is missing"),
        ({"kind": "vllm", "model": "s3a://models/x"}, "did you mean 's3'?"),
        ({"kind": "vllm", "model": "https://a:b@h/x"}, "name a Secret"),
        ({"kind": "huggingface", "model": MODEL, "adapter": ADAPTER}, "huggingface takes none"),
        ({"kind": "vllm", "model": MODEL, "lora_rank": 0}, "--lora-rank 0"),
        ({"kind": "vllm", "model": MODEL, "gpus": 0}, "build for processors"),
        ({"kind": "vllm", "model": MODEL, "adapter": ADAPTER, "storage_key": "k"}, "here give --s3-secret"),
        ({"kind": "vllm", "model": MODEL, "s3_secret": "a", "service_account": "b"}, "give one of them"),
        ({"kind": "vllm", "model": MODEL, "database": "postgresql://u@h/d"}, "vllm runs no unbarb"),
        ({"kind": "unbarb"}, "--image is missing"),
        ({"kind": "transformer", "model": MODEL}, "--unbarb-image is missing"),
        ({"kind": "transformer", "model": MODEL, "unbarb_image": IMAGE, "predictor": "caikit"}, "OpenAI"),
        ({"kind": "service", "image": IMAGE, "model": MODEL}, "the service carries its model"),
        ({"kind": "service", "image": IMAGE, "database": "sqlite:///x.db"}, "replicas share no file"),
        ({"kind": "service", "image": IMAGE, "database": "postgresql://h/d"}, "the user is missing"),
        ({"kind": "service", "image": IMAGE, "upstream": "models.example"}, "https://HOST/v1"),
        ({"kind": "unbarb", "image": IMAGE, "upstream": "https://h/v1"}, "service does"),
    ],
)  # fmt: skip
def test_wrong_wishes(asked: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as error:
        Wanted(name="polite", **asked)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("given", "value"),
    [("2", 2), ("500m", Decimal("0.5")), ("1.5Gi", 3 * 2**29), ("2k", 2000), ("1e3", 1000), ("1E", 10**18)],
)
def test_quantities(given: str, value: Decimal | int) -> None:
    assert quantity(given) == value


@pytest.mark.parametrize("given", ["", "two", "4 Gi", "4GiB", "-1", "0", "1,5", "0x10"])
def test_what_is_no_quantity(given: str) -> None:
    with pytest.raises(ConfigError):
        quantity(given)
    assert wrong_quantity(given, "--memory", "256Mi", "4Gi") is not None


@pytest.mark.parametrize("given", ["a", "polite-bot", "b2"])
def test_names(given: str) -> None:
    assert wrong_name(given, "--name") is None


@pytest.mark.parametrize("given", ["", "-a", "a-", "2b", "a.b", "a_b", "Ä", "a" * 64])
def test_what_is_no_name(given: str) -> None:
    assert wrong_name(given, "--name") is not None


@pytest.mark.parametrize(
    "given", ["unbarb:1", "quay.io/a/b:v1.2-x", "h:5000/a/b:c", "a@sha256:" + "0" * 64]
)
def test_images(given: str) -> None:
    assert wrong_image(given, "--image") is None


@pytest.mark.parametrize("given", ["unbarb", "h:5000/unbarb", "a:latest", "a b:1", "", "A:1"])
def test_what_is_no_image(given: str) -> None:
    assert wrong_image(given, "--image") is not None


@pytest.mark.parametrize(
    "given", [MODEL, "pvc://disk/base", "hf://org/name", "oci://r.example/m:1", "gs://b/x"]
)
def test_places(given: str) -> None:
    assert wrong_place(given, "--model") is None


def test_replicas() -> None:
    assert Replicas.parse("3") == Replicas(3, 3)
    assert Replicas.parse("2-6").scaled
    for given in ("0", "6-2", "a", "1-", "-3"):
        with pytest.raises(ConfigError):
            Replicas.parse(given)


def test_the_stream_is_json_too() -> None:
    """Nothing in it is of YAML's own types, such as a date, which a cluster would not take."""
    for name in ASKED:
        json.dumps([dict(one.content) for one in made(name).documents])
