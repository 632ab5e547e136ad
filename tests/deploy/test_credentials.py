"""Who may write, and where to: from the environment alone, with TLS, and every refusal in words."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import typer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fault_proxy import proxying, refusing
from object_store import Store, environment
from typer.testing import CliRunner

pytest.importorskip("botocore")

from unbarb.cli.deploy import register
from unbarb.deploy.s3.connect import check_endpoint, connect
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.upload import upload
from unbarb.errors import ConfigError, InputError


@pytest.fixture
def nothing(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """An environment without anything of AWS's, and a home with a profile in it."""
    home = tmp_path / "home" / ".aws"
    home.mkdir(parents=True)
    (home / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = from-a-file\n"
    )
    (home / "config").write_text("[default]\nendpoint_url = http://10.0.0.1\nregion = eu-west-3\n")
    with environment("") as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        patch.delenv("AWS_ENDPOINT_URL")
        patch.setenv("HOME", str(home.parent))
        yield patch


def test_files_in_the_home_are_not_read(nothing: pytest.MonkeyPatch) -> None:
    nothing.setenv("AWS_PROFILE", "default")
    with pytest.raises(
        ConfigError, match=r"no credentials in the environment; set AWS_ACCESS_KEY_ID.*~/\.aws"
    ):
        connect()


@pytest.mark.parametrize(
    ("there", "missing"),
    [("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")],
)
def test_half_a_key_is_told(nothing: pytest.MonkeyPatch, there: str, missing: str) -> None:
    nothing.setenv(there, "half")
    with pytest.raises(ConfigError, match=f"{there} is set and {missing} is not"):
        connect()


def test_a_pod_with_a_role_of_its_own_needs_no_key(nothing: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a token")
    nothing.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/uploader")
    nothing.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    client: Any = connect()
    credentials = client._request_signer._credentials
    assert credentials.method == "assume-role-with-web-identity"


def test_without_an_endpoint_it_is_awss_own_with_tls(nothing: pytest.MonkeyPatch) -> None:
    nothing.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    nothing.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    nothing.setenv("AWS_REGION", "eu-central-1")
    client = connect()
    assert client.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"


@pytest.mark.parametrize("address", ["https://store.example", "http://127.0.0.1:9000", "http://localhost:9000",
                                     "http://[::1]:9000"])  # fmt: skip
def test_an_endpoint_with_tls_or_on_this_machine_is_taken(address: str) -> None:
    check_endpoint(address, allow_http=False)


def test_an_endpoint_in_the_clear_is_taken_only_when_it_is_said() -> None:
    with pytest.raises(
        ConfigError, match=r"without TLS anyone on the way reads the model; use https://.*--allow-http"
    ):
        check_endpoint("http://minio.models.svc:9000", allow_http=False)
    check_endpoint("http://minio.models.svc:9000", allow_http=True)


@pytest.mark.parametrize(
    ("address", "said"),
    [("store.example", "give https://HOST"),
     ("https://key:secret@store.example", "holds a name or a password")],
)  # fmt: skip
def test_an_endpoint_that_is_none_is_told(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        check_endpoint(address, allow_http=True)


def test_no_command_takes_a_key() -> None:
    app = typer.Typer()
    register(app)
    group: Any = typer.main.get_command(app).commands["deploy"]
    ours = [group.commands[name] for name in ("upload", "download", "verify", "layout")]
    options = {name for command in ours for one in command.params for name in one.opts}
    assert "--allow-http" in options
    assert not [
        name for name in options if any(word in name for word in ("key", "secret", "token", "password"))
    ]


@pytest.fixture
def strict(store: Store, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The store asks who it is; the key of somebody who may only list."""
    import boto3

    iam = boto3.client(
        "iam",
        endpoint_url=store.address,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
    )
    iam.create_user(UserName=store.bucket)
    rule = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [rule]})
    iam.put_user_policy(UserName=store.bucket, PolicyName="reader", PolicyDocument=policy)
    key = iam.create_access_key(UserName=store.bucket)["AccessKey"]
    iam.close()
    # After so many requests moto asks who it is; it never does by itself.
    monkeypatch.setattr("moto.settings.INITIAL_NO_AUTH_ACTION_COUNT", 0)
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_an_unknown_key_a_wrong_secret_and_a_key_that_may_not_are_told_apart(
    store: Store, folder: Path, strict: tuple[str, str]
) -> None:
    place = Place(store.bucket, "models/m1")
    known, secret = strict
    with environment(store.address) as patch:
        with (
            closing(connect()) as client,
            pytest.raises(ConfigError, match=r"does not take the credentials .*403 InvalidAccessKeyId"),
        ):
            upload(client, folder, place)
        patch.setenv("AWS_ACCESS_KEY_ID", known)
        with (
            closing(connect()) as client,
            pytest.raises(ConfigError, match=r"does not take the credentials .*403 SignatureDoesNotMatch"),
        ):
            upload(client, folder, place)
        patch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        with (
            closing(connect()) as client,
            pytest.raises(
                ConfigError, match=r"may not do this in s3://.*403 AccessDenied.*need s3:ListBucket"
            ),
        ):
            upload(client, folder, place)


def test_a_bucket_that_is_not_there_is_told(store: Store, folder: Path) -> None:
    with pytest.raises(
        InputError, match=r"there is no bucket 'no-such-bucket'.*aws s3 mb s3://no-such-bucket"
    ):
        upload(store.ours, folder, Place("no-such-bucket", "models/m1"))


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, "ExpiredToken", "the credentials have expired"),
        (403, "RequestTimeTooSkewed", "this machine's clock is wrong"),
        (301, "PermanentRedirect", "is in another region"),
        (400, "BadDigest", "the bytes were damaged on the way"),
        (503, "SlowDown", "the store refused: 503 SlowDown: words; run the same command again"),
    ],
)
def test_other_refusals_say_what_to_do(
    store: Store, folder: Path, status: int, code: str, said: str
) -> None:
    store.proxy.fault = lambda asked: refusing(status, code, "words") if asked.bytes else None
    with pytest.raises((ConfigError, InputError), match=said):
        upload(store.ours, folder, Place(store.bucket, "models/m1"))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key and a certificate for this machine that nobody else has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a store of one's own")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    kept = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "store.pem").write_bytes(kept + made.public_bytes(serialization.Encoding.PEM))
    return tmp_path / "store.pem"


def test_a_certificate_is_checked(store: Store, folder: Path, certificate: Path) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    host, port = store.address.removeprefix("http://").split(":")
    place = Place(store.bucket, "models/m1")
    with proxying(host, int(port), tls) as proxy, environment(proxy.address) as patch:
        with (
            closing(connect()) as client,
            pytest.raises(ConfigError, match=r"certificate is not trusted .*AWS_CA_BUNDLE=FILE"),
        ):
            upload(client, folder, place)
        assert proxy.log == []
        patch.setenv("AWS_CA_BUNDLE", str(certificate))
        with closing(connect()) as client:
            assert upload(client, folder, place).files == 4


def test_a_store_that_does_not_answer_is_told(folder: Path) -> None:
    with (
        environment("http://127.0.0.1:9"),
        closing(connect()) as client,
        pytest.raises(InputError, match=r"cannot be reached.*AWS_ENDPOINT_URL.*run the same command again"),
    ):
        upload(client, folder, Place("bucket", "models/m1"))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("models/m1", "is not the address of a folder"),
        ("s3://Bad_Bucket/m1", "is not the address of a folder"),
        ("s3://bucket", "is a whole bucket"),
        ("s3://bucket/a/../b", "has an empty part"),
    ],
)
def test_an_address_that_is_none_is_told(address: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Place.parse(address)


def test_the_command_says_what_it_did(store: Store, folder: Path) -> None:
    app = typer.Typer()
    register(app)
    address = f"s3://{store.bucket}/models/m1"
    told = CliRunner().invoke(
        app, ["deploy", "upload", str(folder), address, "--json"], catch_exceptions=False
    )
    assert told.exit_code == 0, told.output
    said = json.loads(told.stdout)
    assert {name: said[name] for name in ("place", "files", "parts_there", "replaced")} == {
        "place": address, "files": 4, "parts_there": 0, "replaced": False,
    }  # fmt: skip
    again = CliRunner().invoke(app, ["deploy", "upload", str(folder), address], catch_exceptions=False)
    assert f"{address}: 4 files, {said['bytes']:,} bytes, each checked by its SHA-256" in again.stdout
    assert "sent 0 bytes" in again.stdout
