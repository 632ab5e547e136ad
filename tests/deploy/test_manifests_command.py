"""``unbarb deploy manifests`` and ``unbarb deploy check`` as commands."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner, Result

from unbarb.cli import deploy_manifests
from unbarb.deploy.manifests.wanted import KINDS
from unbarb.errors import UnbarbError

IMAGE = "registry.example/unbarb:0.1.0"
VLLM = ("vllm", "--name", "chat", "--model", "s3://models/base", "--s3-secret", "models-s3")
app = typer.Typer()
deploy_manifests.register(app)


def run(*arguments: str) -> Result:
    """The command; what it says is wrong is where the program would print it."""
    result = CliRunner().invoke(app, [*arguments])
    if isinstance(result.exception, UnbarbError):
        result.stderr_bytes = (result.stderr_bytes or b"") + str(result.exception).encode()
    elif result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_stream_is_printed_and_what_is_left_to_do_told_beside_it() -> None:
    done = run("manifests", *VLLM, "--namespace", "trust")
    assert done.exit_code == 0, done.stderr
    kinds = [one["kind"] for one in yaml.safe_load_all(done.stdout)]
    assert kinds == ["ServiceAccount", "ServingRuntime", "InferenceService"]
    assert "the schemas of KServe and Kubernetes 1." in done.stderr
    make = "kubectl create secret generic models-s3 --namespace trust --from-env-file=s3.env"
    assert make in done.stderr
    assert "serving.kserve.io/s3-endpoint=HOST" in done.stderr
    assert "AWS_SECRET_ACCESS_KEY=…" in done.stderr
    assert done.stderr.strip().endswith("kubectl apply -f -")


def test_a_folder_is_written_checked_and_not_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "k8s"
    service = ("manifests", "service", "--name", "unbarb", "--image", IMAGE, "-o", str(folder))
    done = run(*service)
    assert done.exit_code == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted(str(one) for one in folder.rglob("*") if one.is_file())
    assert f"kubectl apply -k {folder}/overlays/production" in done.stderr
    checked = run("check", str(folder))
    assert checked.exit_code == 0, checked.stderr
    assert "Secret unbarb-keys with keys.json" in checked.stdout
    assert run(*service).exit_code == 0, "the same again changes nothing"
    (folder / "base" / "service.yaml").write_text("mine\n")
    (folder / "base" / "policies" / "unbarb.yaml").write_text("mine too\n")
    again = run(*service)
    assert (
        "base/service.yaml, base/policies/unbarb.yaml would be written over; give --force" in again.stderr
    )
    assert (folder / "base" / "service.yaml").read_text() == "mine\n"
    assert run(*service, "--force").exit_code == 0
    assert "mine" not in (folder / "base" / "service.yaml").read_text()


def test_every_step_makes_a_secret_that_is_named(tmp_path: Path) -> None:
    service = ("manifests", "service", "--name", "unbarb", "--image", IMAGE, "--namespace", "trust")
    done = run(*service, "-o", str(tmp_path / "x"))
    steps = [line.strip() for line in done.stderr.partition("to do:")[2].splitlines() if line.strip()]
    made = [line.split()[4] for line in steps if line.startswith("kubectl create secret")]
    assert sorted(made) == ["unbarb-audit", "unbarb-database", "unbarb-keys"]
    assert all("--namespace trust" in line for line in steps if line.startswith("kubectl create secret"))
    assert steps[0] == "kubectl create namespace trust"
    before = [line for line in steps if line.startswith("unbarb ")]
    assert [line.split()[1:3] for line in before] == [["audit", "keys"], ["keys", "create"]]


def test_what_unbarb_does_without_a_record_is_told() -> None:
    alone = run("manifests", "unbarb", "--name", "guard", "--image", IMAGE)
    assert "keeps no record of its decisions" in alone.stderr
    kept = run(
        "manifests", "unbarb", "--name", "guard", "--image", IMAGE, "--database", "postgresql://u@h/d"
    )
    assert kept.exit_code == 0
    assert "keeps no record" not in kept.stderr


def test_wrong_wishes_write_nothing(tmp_path: Path) -> None:
    done = run("manifests", "vllm", "--name", "Chat", "--cpu", "lots", "-o", str(tmp_path / "x"))
    assert done.exit_code != 0
    assert all(part in done.stderr for part in ("'chat' would do", "--model is missing", "--cpu 'lots'"))
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").write_text("")
    into = run("manifests", *VLLM, "-o", str(tmp_path / "file"))
    assert "cannot be written" in into.stderr


def test_manifests_that_the_clusters_definition_does_not_take_are_not_written(tmp_path: Path) -> None:
    carried = files("unbarb.deploy.manifests") / "crds" / "servingruntimes.json.gz"
    crd = json.loads(gzip.decompress(carried.read_bytes()))
    spec = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    del spec["properties"]["volumes"]
    (tmp_path / "old.yaml").write_text(json.dumps(crd))
    done = run("manifests", *VLLM, "--crd", str(tmp_path / "old.yaml"), "-o", str(tmp_path / "x"))
    assert done.exit_code != 0
    assert "would not be taken by the cluster" in done.stderr
    assert "spec.volumes: there is no such field" in done.stderr
    assert not (tmp_path / "x").exists()


def test_check_tells_what_is_wrong_by_file_and_line(tmp_path: Path) -> None:
    run("manifests", *VLLM, "-o", str(tmp_path))
    file = tmp_path / "inference-service.yaml"
    lines = file.read_text().splitlines()
    at = next(number for number, line in enumerate(lines, 1) if "storageUri:" in line)
    file.write_text(file.read_text().replace("storageUri:", "storageURL:"))
    done = run("check", str(file))
    assert done.exit_code == 2
    assert f"{file}:{at}: InferenceService chat: spec.predictor.model.storageURL" in done.stderr
    assert "did you mean 'storageUri'?" in done.stderr
    assert "1 manifest: 1 problem" in done.stdout
    told = run("check", str(file), "--json", "--kubernetes", "1.33")
    outcome = json.loads(told.stdout)
    assert (told.exit_code, outcome["valid"], outcome["kubernetes"]) == (2, False, "1.33")
    assert outcome["problems"][0]["line"] == at
    assert outcome["needs"] == [{"kind": "ServiceAccount", "name": "chat-models", "keys": []}]


def test_check_takes_files_that_are_there(tmp_path: Path) -> None:
    assert "cannot be read" in run("check", str(tmp_path / "none.yaml")).stderr
    assert "no .yaml file" in run("check", str(tmp_path)).stderr


def test_without_the_extra_manifests_are_written_and_check_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "unbarb.deploy.manifests.schemas", raising=False)
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    done = run("manifests", *VLLM)
    assert done.exit_code == 0, done.stderr
    assert "not checked against the schemas, which need pip install 'unbarb[kubernetes]'" in done.stderr
    assert "unbarb[kubernetes]" in run("check", "x.yaml").stderr
    assert "unbarb[kubernetes]" in run("manifests", *VLLM, "--kubernetes", "1.33").stderr


def test_the_commands_of_the_page_do_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "kubernetes.md").read_text("utf-8")
    blocks = re.findall(r"```(?:console|sh)?\n(.*?)```", page, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    commands = [line for line in lines if line.lstrip("$ ").startswith("unbarb deploy ")]
    assert len(commands) == 5
    monkeypatch.chdir(tmp_path)
    for command in commands:
        done = run(*shlex.split(command.lstrip("$ "), comments=True)[2:])
        assert done.exit_code == 0, f"{command}\n{done.stderr}"


def test_the_help_names_every_kind() -> None:
    help = run("manifests", "--help").stdout
    named = re.findall(r"^ +([a-z-]+)  +\S", help.partition("Exit codes")[0], re.MULTILINE)
    assert named == list(KINDS)
