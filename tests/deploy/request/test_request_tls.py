"""Certificates are looked at: there is no switch that would leave it."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from model_endpoint import Endpoint, listening, says
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.client import Client
from unbarb.deploy.request.http import Http
from unbarb.errors import ConfigError


@dataclass(frozen=True)
class Secure:
    """An endpoint with a certificate of nobody but itself."""

    endpoint: Endpoint
    certificate: Path


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secure]:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unbarb test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with listening(ssl_certfile=str(certificate), ssl_keyfile=str(secret)) as endpoint:
        endpoint.then(says({"generated_text": "fine", "finish_reason": "EOS_TOKEN"}))
        yield Secure(endpoint, certificate)


def test_a_certificate_without_a_voucher_is_refused(secure: Secure, client: Callable[..., Client]) -> None:
    with pytest.raises(Failure, match="certificate is not trusted") as caught:
        client(url=secure.endpoint.url, key="sesame").ask("hello")
    assert caught.value.scope == "setup"
    assert secure.endpoint.seen == []


def test_one_that_is_vouched_for_is_taken(secure: Secure, client: Callable[..., Client]) -> None:
    assert client(url=secure.endpoint.url, ca=secure.certificate).ask("hello").answer.text == "fine"


def test_it_must_be_for_that_host(secure: Secure, client: Callable[..., Client]) -> None:
    elsewhere = secure.endpoint.url.replace("127.0.0.1", "localhost")
    with pytest.raises(Failure, match=r"certificate is not trusted .*mismatch"):
        client(url=elsewhere, ca=secure.certificate).ask("hello")


def test_tls_where_there_is_none(endpoint: Endpoint, client: Callable[..., Client]) -> None:
    with pytest.raises(Failure, match=r"no TLS there .*; is it http://") as caught:
        client(url=endpoint.url.replace("http", "https")).ask("hello")
    assert caught.value.scope == "setup"


def test_a_file_without_certificates_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for file in ("ca.pem", "missing.pem"):
        with pytest.raises(ConfigError, match=f"{file}: no certificates"):
            Http("https://localhost", ca=tmp_path / file)
