"""One export from start to end by the command: files, card, figures, and what stops it before any work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer
import yaml
from huggingface_hub import HfApi
from transformers import AutoModelForSeq2SeqLM
from typer.testing import CliRunner

import tiny_models as tiny
from unbarb.cli.export import register
from unbarb.detect.folder import file_digests, weights_digest
from unbarb.errors import ConfigError, InputError
from unbarb.export.hub import check_hub, push
from unbarb.prompt import built_in
from unbarb.rewrite.seq2seq import Seq2Seq
from unbarb.text import Analysis

PREFIX = built_in("t5-prefix")
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with an adapter, as `unbarb train` leaves it."""
    folder = tmp_path_factory.mktemp("run")
    words = tiny.tokenizer(folder / "base")
    tiny.save(tiny.t5(), folder / "base")
    base = AutoModelForSeq2SeqLM.from_pretrained(folder / "base")
    model = tiny.lora(base, ["q", "v"], task_type="SEQ_2_SEQ_LM")
    tiny.teach(model, words, PREFIX, steps=10, rate=1e-2)
    tiny.save(model, folder / "run" / "model", PREFIX)
    words.save_pretrained(folder / "run" / "model")
    facts = {
        "schema": 1, "name": "tiny-t5", "objective": "seq2seq", "status": "finished",
        "digests": {"recipe": "ab" * 32, "data": "cd" * 32, "base": weights_digest(folder / "base")},
        "base": {"name": "google-t5/t5-small"}, "modules": ["q", "v"],
        "parameters": {"trainable": 1024, "total": 127808, "share": 0.008}, "best_step": 7,
        "versions": {"torch": "2.13.0"},
    }  # fmt: skip
    (folder / "run" / "run.json").write_text(json.dumps(facts))
    (folder / "run" / "recipe.yaml").write_text("schema: 1\nname: tiny-t5\n")
    rows = [{"id": "1", "source": text, "target": said} for text, said in tiny.PAIRS]
    (folder / "run" / "predictions-dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "run"


def export(*arguments: object) -> str:
    app = typer.Typer()
    register(app)
    result = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_run_becomes_a_model_with_a_card(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "whole"
    told = export(run, "--to", "merged", "--out", out, "--dtype", "fp32")
    assert f"merged: {out}" in told
    assert "prompts 3" in told  # the run's own dev texts
    card = (out / "README.md").read_text("utf-8")
    header, body = card.removeprefix("---\n").split("\n---\n", 1)
    about = yaml.safe_load(header)
    assert about["base_model"] == "google-t5/t5-small"
    assert "detoxification" in about["tags"]
    for said in (
        "# tiny-t5", "Prepared set with the digest `cdcd", "best_step: 7", "trainable: 1024",
        "name: tiny-t5", "detoxify: TEXT", "largest: ", "## Limits", "torch: 2.13.0",
    ):  # fmt: skip
        assert said in body, said
    stored = {name: digest for name, digest in file_digests(out).items() if name != "README.md"}
    assert len(stored) >= 5
    for name, digest in stored.items():
        assert f"- {name}: {digest}" in body
    one, other = (
        Seq2Seq(str(folder)).propose([Analysis("you are an idiot", {})]) for folder in (run / "model", out)
    )
    assert [[candidate.text for candidate in found] for found in one] == [
        [candidate.text for candidate in found] for found in other
    ]


def test_an_adapter_is_copied_with_a_card(run: Path, tmp_path: Path) -> None:
    export(run, "--to", "adapter", "--out", tmp_path / "adapter")
    assert file_digests(run / "model").items() >= {
        (name, digest) for name, digest in file_digests(tmp_path / "adapter").items() if name != "README.md"
    }
    assert "## Intended use" in (tmp_path / "adapter" / "README.md").read_text("utf-8")


def test_prompts_of_ones_own(run: Path, tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("one text\n\nanother text\n", "utf-8")
    told = export(
        run, "--to", "merged", "--out", tmp_path / "whole", "--dtype", "fp32", "--prompts", prompts
    )
    assert "prompts 2" in told
    prompts.write_text("\n")
    with pytest.raises(InputError, match="holds no line"):
        export(run, "--to", "merged", "--out", tmp_path / "other", "--prompts", prompts)


class _Hub(BaseHTTPRequestHandler):
    status = 401

    def do_GET(self) -> None:
        content = json.dumps({"name": "somebody", "type": "user", "auth": {}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def hub() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_hub_is_asked_before_any_work(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="does not take the token"):
        check_hub("team/model", HfApi(hub, token="hf_wrong"))
    monkeypatch.setattr(_Hub, "status", 200)
    assert check_hub("team/model", HfApi(hub, token="hf_right")) == "somebody"
    with pytest.raises(ConfigError, match="is not the name of a repository"):
        check_hub("model", HfApi(hub))


def test_no_token_and_no_network_are_told_apart(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._headers.get_token", lambda: None)
    with pytest.raises(ConfigError, match=r"there is no token for .* `hf auth login`"):
        check_hub("team/model", HfApi(hub))
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        check_hub("team/model", HfApi("http://127.0.0.1:9", token="hf_any"))


def test_an_upload_that_fails_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InputError, match=r"is written, and .* did not take it .*hf upload team/model"):
        push(tmp_path, "team/model", api=HfApi("http://127.0.0.1:9", token="hf_any"))
    assert (tmp_path / "file").read_text() == "kept"


def test_an_unreachable_hub_stops_an_export_before_it_begins(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(HfApi):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("http://127.0.0.1:9", token="hf_any")

    monkeypatch.setattr("unbarb.export.hub.HfApi", Away)
    with pytest.raises(InputError, match="cannot be reached"):
        export(run, "--to", "merged", "--out", tmp_path / "whole", "--push", "team/model")
    assert list(tmp_path.iterdir()) == []
