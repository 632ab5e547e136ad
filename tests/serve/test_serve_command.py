"""``unbarb serve`` and ``unbarb keys`` as processes: they start, drain, and say what is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

HELLO = {"text": "you are an idiot"}


def unbarb(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    command = [sys.executable, "-m", "unbarb", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server as a process, and its address, once it is ready."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "unbarb",
        "serve",
        "--port",
        str(port),
        "--dialects",
        "native",
        *arguments,
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 60
        while not _ready(address):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        yield process, address
    finally:
        process.terminate()  # not killed: a supervisor takes its workers along
        process.wait(60)


def _ready(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/health/ready").status_code == 200
    except httpx2.TransportError:
        return False


def test_keys_from_making_to_revoking(tmp_path: Path) -> None:
    made = unbarb("keys", "create", "web", "--scope", "check", "--rate", "60", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert re.fullmatch(r"unbarb_[0-9a-f]{12}_[\w-]{43}", token)
    again = unbarb("keys", "create", "web", cwd=tmp_path)
    assert again.returncode == 2
    assert "web" in again.stderr
    turned = unbarb("keys", "rotate", "web", "--grace", "1", cwd=tmp_path).stdout.strip()
    assert turned != token
    assert turned.split("_")[1] == token.split("_")[1]
    (line,) = unbarb("keys", "list", "--json", cwd=tmp_path).stdout.splitlines()
    listed = json.loads(line)
    assert (listed["name"], listed["scopes"], listed["rate"]) == ("web", ["check"], 60)
    assert listed["state"].startswith("good; an old secret until 20")
    assert turned.rpartition("_")[2] not in line
    assert unbarb("keys", "revoke", listed["id"], cwd=tmp_path).returncode == 0
    assert "revoked" in unbarb("keys", "list", cwd=tmp_path).stdout
    gone = unbarb("keys", "rotate", "web", cwd=tmp_path)
    assert gone.returncode == 2
    assert "no key 'web'" in gone.stderr


def test_what_is_wrong_is_told_before_anything_starts(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "bad.yaml").write_text("schema: 1\nname: bad\nlabels: {}\n")
    done = unbarb("serve", "--policies", "policies", "--keys", "none.json", cwd=tmp_path)
    assert done.returncode == 2
    assert "bad.yaml:3" in done.stderr
    assert "none.json" in done.stderr
    assert "Traceback" not in done.stderr
    open_wide = unbarb("serve", "--host", "0.0.0.0", "--set", "windw=1", cwd=tmp_path)
    assert open_wide.returncode == 2
    assert "windw" in open_wide.stderr
    assert "--unsafe-no-keys" in open_wide.stderr, "all that is wrong is told at once"
    assert list(tmp_path.glob("*.db*")) == []


def test_a_server_stops_gracefully_and_leaves_its_record(tmp_path: Path) -> None:
    with serving(tmp_path, "--drain-delay", "0.3") as (process, address):
        with httpx2.Client(base_url=address) as client:
            assert client.post("/v1/rewrite", json=HELLO).json()["action"] == "rewrite"
            process.send_signal(signal.SIGTERM)
            states = [client.get("/health/ready").json()]
            while states[-1]["status"] == "ready":
                states.append(client.get("/health/ready").json())
            assert states[-1] == {"status": "not ready", "reasons": ["draining"]}
            late = client.post("/v1/check", json=HELLO)
            assert late.status_code == 200, "what comes while it drains is still answered"
            assert late.headers["connection"] == "close"
        process.wait(30)
        output = (tmp_path / "server.log").read_text()
        assert process.returncode in (0, -signal.SIGTERM), output
    assert "idiot" not in output
    done = unbarb("audit", "verify", "--log", "unbarb-audit.db", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_workers_add_their_figures_up_and_one_that_is_killed_comes_back(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as (process, address):
        for _ in range(10):
            assert httpx2.post(f"{address}/v1/check", json=HELLO).status_code == 200
        figures = httpx2.get(f"{address}/metrics").text
        pattern = r'unbarb_verdicts_total\{action="rewrite",direction="none",surface="native"\} (\S+)'
        (count,) = re.findall(pattern, figures)
        assert float(count) == 10.0
        assert 'unbarb_queue_depth{lane="check"} 0.0' in figures
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        workers = [one for one in children if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()]
        assert len(workers) == 2
        os.kill(int(workers[0]), signal.SIGKILL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            now = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if workers[0] not in now and len(now) >= len(children) and _ready(address):
                break
            time.sleep(0.05)
        else:
            pytest.fail("the worker did not come back")
        assert httpx2.post(f"{address}/v1/check", json=HELLO).status_code == 200
    done = unbarb("audit", "verify", "--log", "unbarb-audit.db", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["fastapi", "uvicorn", "prometheus_client", "sqlalchemy"])
def test_without_its_extra_the_command_says_what_to_install(package: str, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.modules[{package!r}] = None; sys.argv = ['unbarb', 'serve', '--port', '0'];"
        "from unbarb.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert f"needs the package '{package}': pip install 'unbarb[serve]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_serves_is_loaded_by_serving_alone() -> None:
    program = (
        "import sys, unbarb.guard, unbarb.stream, unbarb.cli.keys, unbarb.cli.serve;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "unbarb" in loaded
    assert not loaded & {
        "fastapi",
        "starlette",
        "pydantic",
        "uvicorn",
        "sqlalchemy",
        "prometheus_client",
        "torch",
    }
