"""An object store on loopback: moto's server, and a proxy in front of it that makes faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from fault_proxy import proxying
from object_store import KIB, PART, Store, environment


@pytest.fixture(scope="session")
def _served() -> Iterator[Store]:
    moto = pytest.importorskip("moto.server", reason="the object store of these tests needs moto[server]")
    models = pytest.importorskip("moto.s3.models")
    import boto3

    from unbarb.deploy.s3.connect import connect

    smallest, models.S3_UPLOAD_PART_MIN_SIZE = models.S3_UPLOAD_PART_MIN_SIZE, PART
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="past",
        aws_secret_access_key="the-proxy",
    )  # fmt: skip
    try:
        with proxying(host, port) as proxy:
            with environment(proxy.address):
                ours = connect()
            yield Store("", proxy, ours, client, address)
    finally:
        client.close()
        server.stop()
        models.S3_UPLOAD_PART_MIN_SIZE = smallest


@pytest.fixture
def store(_served: Store, request: pytest.FixtureRequest) -> Iterator[Store]:
    _served.proxy.clear()
    made = replace(_served, bucket=f"bucket-{sha256(request.node.nodeid.encode()).hexdigest()[:16]}")
    made.client.create_bucket(Bucket=made.bucket)
    with environment(made.proxy.address):
        yield made
    _served.proxy.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of three parts, small ones, an empty one and a hidden one."""
    made = tmp_path / "model"
    (made / "artifacts").mkdir(parents=True)
    (made / "artifacts" / "model.safetensors").write_bytes(Random(1).randbytes(2 * PART + 5 * KIB))
    (made / "artifacts" / "config.json").write_text('{"model_type": "opt"}')
    (made / "config.yml").write_text("name: ä model\n", "utf-8")
    (made / "empty.txt").write_bytes(b"")
    (made / ".token").write_text("hf_secret")
    return made
