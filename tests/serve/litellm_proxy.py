"""LiteLLM's own proxy, from an environment of its own: `make litellm` builds it."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_urlsafe
from time import monotonic, sleep

import httpx2

from environments import program

CONFIG = """
model_list:
  - model_name: toy
    litellm_params: {{model: openai/toy, api_base: "{upstream}/v1", api_key: none}}
guardrails:
  - guardrail_name: unbarb
    litellm_params:
      guardrail: generic_guardrail_api
      mode: [pre_call, post_call]
      default_on: true
      api_base: {guardrail}
      api_key: none
      unreachable_fallback: fail_closed
      fail_on_error: true
      streaming_transform_mode: incremental_diff
      streaming_sampling_rate: 2
"""


@contextmanager
def proxying(folder: Path, upstream: str, guardrail: str) -> Iterator[tuple[str, str]]:
    """The address and the key of a LiteLLM proxy in front of `upstream`, guarded by `guardrail`."""
    config, log, key = folder / "litellm.yaml", folder / "litellm.log", f"sk-{token_urlsafe(32)}"
    config.write_text(CONFIG.format(upstream=upstream, guardrail=guardrail), encoding="utf-8")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    given = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1"}
    run = [
        program("litellm", "litellm"),
        "--config",
        str(config),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--telemetry",
        "False",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            run, env=os.environ | given, stdout=out, stderr=subprocess.STDOUT, cwd=folder
        )
    try:
        _wait(process, f"{address}/health/liveliness", log)
        yield address, key
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    """Until it answers; it loads for half a minute on a small machine."""
    end = monotonic() + 180
    while monotonic() < end:
        assert process.poll() is None, f"LiteLLM's proxy ended:\n{log.read_text()[-2000:]}"
        try:
            if httpx2.get(address, timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            sleep(0.1)
    raise AssertionError(f"LiteLLM's proxy did not answer:\n{log.read_text()[-2000:]}")
