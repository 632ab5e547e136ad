"""What holds manifests together: broken on purpose, one thing at a time."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_manifests import ASKED, IMAGE, made

from unbarb.deploy.manifests import guard, kustomize, references
from unbarb.deploy.manifests.documents import Document, parse, read
from unbarb.deploy.manifests.references import Need
from unbarb.deploy.manifests.schemas import Schemas
from unbarb.deploy.manifests.written import differing, write

ROOT = Path(__file__).parents[2]


def broken(name: str, kind: str, change: Callable[[dict[str, Any]], Any]) -> list[str]:
    """What is told of manifests of which one is changed."""
    documents = [Document(json.loads(json.dumps(one.content)), one.file) for one in made(name).documents]
    change(next(one for one in documents if one.kind == kind).content)  # type: ignore[arg-type]
    return [str(one) for one in references.problems(documents)]


def pod(content: Any) -> Any:
    return content["spec"]["template"]["spec"]


def first(content: Any) -> Any:
    return pod(content)["containers"][0]


def ready(content: Any) -> Any:
    return first(content)["readinessProbe"]["httpGet"]


def target(content: Any) -> Any:
    return content["spec"]["scaleTargetRef"]


def model(content: Any) -> Any:
    return content["spec"]["predictor"]["model"]


@pytest.mark.parametrize(
    ("name", "kind", "change", "told"),
    [
        ("service", "Service", lambda c: c["spec"]["selector"].update(tier="web"), "no pod here has"),
        ("service", "Service", lambda c: c["spec"]["ports"][0].update(targetPort="htp"), "no port htp"),
        ("service", "HorizontalPodAutoscaler", lambda c: target(c).update(name="x"), "no Deployment x"),
        ("service", "Deployment", lambda c: c["spec"]["selector"].update(matchLabels={"a": "b"}), "no a=b"),
        ("service", "Deployment", lambda c: pod(c)["volumes"].pop(), "there is no volume"),
        ("service", "Deployment", lambda c: ready(c).update(port=80), "no port 80"),
        ("service", "Deployment", lambda c: first(c).update(name="migrate"), "two containers"),
        ("service", "Deployment", lambda c: c["metadata"].pop("name"), "metadata.name: is missing"),
        ("vllm", "InferenceService", lambda c: model(c).update(runtime="polite-vlm"), "'polite-vllm'?"),
        ("unbarb", "ConfigMap", lambda c: c.update(kind="Secret"), "a credential in a manifest"),
    ],
)  # fmt: skip
def test_what_does_not_hold_together_is_told(
    name: str, kind: str, change: Callable[[dict[str, Any]], Any], told: str
) -> None:
    assert broken(name, kind, lambda _: None) == []
    found = broken(name, kind, change)
    assert told in "\n".join(found)


@pytest.mark.parametrize(
    "name",
    ["AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "HF_TOKEN", "OPENAI_API_KEY", "APIKEY", "client_secret"],
)
def test_a_variable_that_holds_a_credential_is_told(name: str) -> None:
    def written(content: Any) -> None:
        first(content)["env"].append({"name": name, "value": "hunter2"})

    [told] = broken("service", "Deployment", written)
    assert f"a credential in a manifest ({name})" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}},
        {"name": "HF_TOKEN", "value": ""},
        {"name": "PASSWORD", "value": "$(PGPASSWORD)"},
        {"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/token"},
        {"name": "SECRET_NAME", "value": "models"},
        {"name": "TOKENIZERS_PARALLELISM", "value": "false"},
        {"name": "MAX_NEW_TOKENS", "value": "64"},
        {"name": "MONKEY", "value": "see"},
    ],
)
def test_a_variable_that_holds_none_is_not(variable: dict[str, Any]) -> None:
    assert broken("service", "Deployment", lambda content: first(content)["env"].append(variable)) == []


def test_a_variable_of_a_model_of_kserve_is_looked_at_too() -> None:
    [told] = broken(
        "vllm", "InferenceService", lambda c: model(c).update(env=[{"name": "HF_TOKEN", "value": "x"}])
    )
    assert "spec.predictor.model.env[0].value: a credential in a manifest (HF_TOKEN)" in told


def test_a_credential_in_a_kustomization_is_told_with_its_line_and_a_file_of_it_is_not() -> None:
    text = (
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nsecretGenerator:\n"
        "  - name: a\n    envs: [secret.env]\n"
        "  - name: b\n    literals:\n      - empty=\n      - password=hunter2\n"
    )
    documents, _ = parse(text, "kustomization.yaml")
    [problem] = references.problems(documents)
    told = str(problem)
    assert told.startswith("kustomization.yaml:9: ")
    assert "a credential in a kustomization (password)" in told
    assert "hunter2" not in told


def test_two_of_one_name_are_told() -> None:
    documents = [*made("vllm").documents, *made("vllm").documents]
    assert len([*references.problems(documents)]) == len(documents) / 2


def test_what_must_be_in_the_cluster_is_named_with_its_keys() -> None:
    assert references.needs(made("service-own").documents) == [
        Need("Secret", "polite-audit", ("audit-keys.json",)),
        Need("Secret", "polite-database", ("password",)),
        Need("Secret", "polite-keys", ("keys.json",)),
    ]
    # The key of an upstream is optional, the policy is written with the rest.
    [alone] = [one for one in made("service-own").documents if one.kind == "Deployment"]
    assert Need("ConfigMap", "polite-policies") in references.needs([alone])


def test_problems_are_told_by_file_and_line() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  selector:\n    app: b\n"
    documents, _ = parse(text, "web.yaml")
    [problem] = references.problems(documents)
    assert str(problem) == "web.yaml:5: Service a: spec.selector: no pod here has app=b"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [1\n", "line 2: not YAML"),
        ("- 1\n", "line 1: a manifest is a mapping"),
        ("kind: Service\n", "apiVersion is missing"),
        ("apiVersion: v1\nkind: A\nspec:\n  b: 1\n  b: 2\n", "x.yaml:5: A: spec.b: stands there twice"),
    ],
)
def test_what_is_no_manifest(text: str, told: str) -> None:
    _, problems = parse(text, "x.yaml")
    assert told in "\n".join(map(str, problems))


def test_empty_documents_are_none() -> None:
    assert parse("# nothing\n---\n---\n", "x.yaml") == ([], [])


def built(folder: Path) -> list[dict[str, Any]]:
    """What Kustomize makes of a folder, as far as its files here go: resources, components, ConfigMaps."""
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    found: list[dict[str, Any]] = []
    for name in [*listed.get("resources", ()), *listed.get("components", ())]:
        place = folder / name
        found += built(place) if place.is_dir() else [yaml.safe_load(place.read_text("utf-8"))]
    for generator in listed.get("configMapGenerator", ()):
        data = {Path(name).name: (folder / name).read_text("utf-8") for name in generator["files"]}
        assert generator["options"]["disableNameSuffixHash"], "references would go elsewhere"
        found.append(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}
        )
    return found


def top(name: str, folder: Path) -> Path:
    return folder / "overlays" / "production" if ASKED[name]["kind"] == "service" else folder


@pytest.mark.parametrize("name", ASKED)
def test_a_folder_is_whole_for_kustomize(name: str, tmp_path: Path) -> None:
    found = made(name)
    write(found.files, tmp_path)
    documents, _ = read([tmp_path])
    assert [*map(str, kustomize.problems(documents))] == []
    objects = {(one["kind"], one["metadata"]["name"]): one for one in built(top(name, tmp_path))}
    asked = {(one.kind, one.name): dict(one.content) for one in found.documents}
    assert objects.keys() == asked.keys()
    for key, content in objects.items():
        assert content.get("spec") == asked[key].get("spec")
        assert content.get("data") == asked[key].get("data")


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl, which carries Kustomize")
@pytest.mark.parametrize("name", ASKED)
def test_kustomize_itself_takes_a_folder(name: str, tmp_path: Path) -> None:
    found = made(name)
    write(found.files, tmp_path)
    done = subprocess.run(
        ["kubectl", "kustomize", str(top(name, tmp_path))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    documents, wrong = parse(done.stdout, "kustomized.yaml")
    schemas = Schemas()
    told = [
        *wrong,
        *references.problems(documents),
        *(p for one in documents for p in schemas.problems(one)),
    ]
    assert [*map(str, told)] == []
    assert {one.kind for one in documents} == {one.kind for one in found.documents}
    if name == "service":
        [policy] = [one for one in documents if one.kind == "NetworkPolicy" and one.name == "polite"]
        assert len(policy.content["spec"]["ingress"][0]["from"]) == 2, (
            "the overlay lets another namespace in"
        )


def test_what_a_kustomization_lists_must_be_there(tmp_path: Path) -> None:
    found = made("service")
    write(found.files, tmp_path)
    (tmp_path / "base" / "service.yaml").unlink()
    (tmp_path / "base" / "policies" / "polite.yaml").unlink()
    (tmp_path / "postgresql" / "kustomization.yaml").unlink()
    documents, _ = read([tmp_path])
    told = "\n".join(map(str, kustomize.problems(documents)))
    assert "service.yaml: there is no such file" in told
    assert "policies/polite.yaml: there is no such file" in told
    assert "../../postgresql: there is no kustomization.yaml in it" in told
    assert len(told.splitlines()) == 3


def test_an_overlay_names_the_image_by_tag_or_digest() -> None:
    def images(image: str) -> Any:
        text = made("service", image=image).files["overlays/production/kustomization.yaml"]
        return yaml.safe_load(text)["images"]

    digest = "sha256:" + "0" * 64
    assert images(IMAGE) == [{"name": "registry.example/unbarb", "newTag": "0.1.0"}]
    assert images(f"h:5000/unbarb@{digest}") == [{"name": "h:5000/unbarb", "digest": digest}]


def test_files_that_were_changed_are_told(tmp_path: Path) -> None:
    found = made("vllm")
    write(found.files, tmp_path)
    assert differing(found.files, tmp_path) == []
    (tmp_path / "serving-runtime.yaml").write_text("mine\n")
    assert differing(found.files, tmp_path) == ["serving-runtime.yaml"]


def test_the_image_is_what_the_manifests_take_it_for() -> None:
    """User, folder, port and probe are said twice: in the Containerfile, and where manifests are made."""
    text = (ROOT / "Containerfile").read_text("utf-8")
    lines = text.splitlines()
    assert f"USER {guard.USER}:{guard.USER}" in lines
    assert f"WORKDIR {guard.STATE}" in lines
    assert f"EXPOSE {guard.PORT}" in lines
    assert f"http://127.0.0.1:{guard.PORT}{guard.READY}" in text
    assert f'"--keys={guard.KEYS}"' in text
    assert f"--owner={guard.USER} --group={guard.USER}" in text
    stages = [line for line in lines if line.startswith("FROM ")]
    assert len(stages) == 4
    assert {line.split()[1] for line in stages} == {"${PYTHON}", "scratch"}
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    copied = {word for words in copies for word in words}
    assert {f"!{word}" for word in copied} <= set(ignored), "what is copied must not be ignored"
    assert all((ROOT / word).exists() for word in copied)
