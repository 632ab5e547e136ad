"""Makes a client of an object store: with TLS, and with nothing but what the environment says.

What is read are the variables that AWS's own tools know: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``,
``AWS_SESSION_TOKEN``; ``AWS_ROLE_ARN`` with ``AWS_WEB_IDENTITY_TOKEN_FILE``, or
``AWS_CONTAINER_CREDENTIALS_*``, where a cluster gives a pod its role; ``AWS_ENDPOINT_URL_S3`` or
``AWS_ENDPOINT_URL``; ``AWS_REGION`` or ``AWS_DEFAULT_REGION``; ``AWS_CA_BUNDLE``; ``AWS_MAX_ATTEMPTS``.
Files in ``~/.aws`` are not read, and the machine's own role is not asked for: which keys were used is
then always to be seen, and a key never stands in a command line or a file of this tool.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from unbarb.errors import ConfigError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SOURCES = ("env", "assume-role-with-web-identity", "container-role")
"""The ways to credentials, of all that botocore knows, that the environment names."""

_NO_FILES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""In botocore's terms: (key in a file, variable, default, conversion)."""

CONNECT, READ = 10.0, 60.0
"""Seconds until a store that does not answer is given up."""


def connect(*, allow_http: bool = False, parallel: int = 4) -> S3Client:
    """A client of the store that the environment names, for `parallel` threads.

    Raises:
        ConfigError: there are no credentials, or the endpoint is not one, or it is without TLS and neither
            on this machine nor allowed.
    """
    session = botocore.session.Session(session_vars=_NO_FILES)
    resolver = session.get_component("credential_provider")
    resolver.providers = [one for one in resolver.providers if one.METHOD in SOURCES]
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        check_endpoint(endpoint, allow_http=allow_http)
    # A store of one's own seldom has a name for each bucket, and any has a path for it.
    style = {"addressing_style": "path" if endpoint else "auto"}
    config = Config(
        s3=style,  # type: ignore[arg-type]
        signature_version="s3v4",
        retries={"mode": "standard"},
        connect_timeout=CONNECT,
        read_timeout=READ,
        max_pool_connections=max(10, parallel),
        # Parts carry SHA-256; a second checksum that not every store knows is left out.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    try:
        if _half(os.environ) or session.get_credentials() is None:
            raise ConfigError(_no_credentials(os.environ))
        client = session.create_client("s3", region_name=region, endpoint_url=endpoint, config=config)
        return cast("S3Client", client)
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(
            f"the object store cannot be set up: {error}; see AWS_* in the environment"
        ) from error


def check_endpoint(address: str, *, allow_http: bool) -> None:
    """Refuse an endpoint that would carry keys and models in the clear.

    Raises:
        ConfigError: it is no address, or http to another machine and not allowed.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"AWS_ENDPOINT_URL is {address!r}; give https://HOST or https://HOST:PORT")
    if parts.username or parts.password:
        raise ConfigError("AWS_ENDPOINT_URL holds a name or a password; set AWS_ACCESS_KEY_ID and"
                          " AWS_SECRET_ACCESS_KEY instead")  # fmt: skip
    if parts.scheme == "http" and not allow_http and not _here(parts.hostname):
        raise ConfigError(
            f"AWS_ENDPOINT_URL is {address}: without TLS anyone on the way reads the model; use https://"
            " (a certificate of one's own: AWS_CA_BUNDLE), or say --allow-http where the network is trusted"
        )


def _here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _half(environment: Mapping[str, str]) -> str:
    """Which of the two halves of a key is missing, where one is there."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    there = [name for name in names if environment.get(name)]
    missing = [name for name in names if not environment.get(name)]
    return f"{there[0]} is set and {missing[0]} is not" if len(there) == 1 else ""


def _no_credentials(environment: Mapping[str, str]) -> str:
    return (
        f"{_half(environment) or 'there are no credentials in the environment'}; set AWS_ACCESS_KEY_ID and"
        " AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for a key that expires). Files in ~/.aws are not"
        " read: `aws configure export-credentials --format env` prints what they hold"
    )
