"""The keys of a record: for hashing, for encrypting texts, and for signing.

They live in one JSON file that only its owner may read, away from the record itself. Of each kind
the last is in use and the others are kept to check what was written with them.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from unbarb.errors import ConfigError

USES = ("hash", "text", "sign")


@dataclass(frozen=True)
class Key:
    """One key: 32 secret bytes, or only the public half of a signing key."""

    id: str
    made: str
    secret: bytes | None = field(default=None, repr=False)
    public: bytes | None = None

    @classmethod
    def new(cls, use: str) -> Key:
        secret, made = os.urandom(32), datetime.now(UTC).isoformat(timespec="seconds")
        public = None
        if use == "sign":
            public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        return cls(f"{use}-{os.urandom(4).hex()}", made, secret, public)

    @cached_property
    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret or b"")

    @cached_property
    def verifier(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.public or b"")

    def to_dict(self) -> dict[str, str]:
        halves = {"secret": self.secret, "public": self.public}
        written = {name: base64.b64encode(half).decode() for name, half in halves.items() if half}
        return {"id": self.id, "made": self.made, **written}

    @classmethod
    def from_dict(cls, raw: Mapping[str, str]) -> Key:
        secret, public = (
            base64.b64decode(raw[half], validate=True) if half in raw else None
            for half in ("secret", "public")
        )
        return cls(raw["id"], raw["made"], secret, public)


@dataclass(frozen=True)
class Keyring:
    """All keys of a record, by use, oldest first.

    Made by :meth:`create`, :meth:`load` or :meth:`rotated`. A keyring that holds public halves alone
    can check signatures and nothing else.
    """

    keys: Mapping[str, Sequence[Key]]
    path: Path | None = None

    @classmethod
    def create(cls, path: Path) -> Keyring:
        """Write a keyring with one new key of each use, unless there is a file; give what is there then.

        Raises:
            ConfigError: the file cannot be written or read.
        """
        ring = cls({use: (Key.new(use),) for use in USES}, path)
        fresh = path.with_name(f"{path.name}.{os.urandom(4).hex()}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(fresh, ring.to_dict())
            try:
                os.link(fresh, path)  # unlike a rename it does not replace what another process made
            except FileExistsError:
                return cls.load(path)
            finally:
                fresh.unlink()
        except OSError as error:
            raise ConfigError(f"{path}: the keys cannot be written ({error.strerror})") from error
        return ring

    @classmethod
    def load(cls, path: Path) -> Keyring:
        """The keyring of a file, or the public halves that :meth:`public` wrote.

        Raises:
            ConfigError: it cannot be read, is no keyring, or others may read its secrets.
        """
        try:
            raw = json.loads(path.read_text("utf-8"))
            ring = cls({use: tuple(map(Key.from_dict, raw.get(use, ()))) for use in USES}, path)
        except OSError as error:
            raise ConfigError(
                f"{path}: the keys cannot be read ({error.strerror}); make them with"
                f" 'unbarb audit keys create {path}'"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"{path}: not a file of audit keys") from error
        secrets = any(key.secret for keys in ring.keys.values() for key in keys)
        if secrets and os.name == "posix" and path.stat().st_mode & 0o007:
            raise ConfigError(f"{path}: everybody can read these keys; run 'chmod 600 {path}'")
        return ring

    def rotated(self, uses: Sequence[str] = USES, older_than: timedelta | None = None) -> Keyring:
        """Put a new key of each use into use and write the file; keys younger than asked stay.

        Raises:
            ConfigError: the file cannot be written, or a key has no secret.
        """
        changed = dict(self.keys)
        for use in uses:
            age = datetime.now(UTC) - datetime.fromisoformat(self.current(use).made)
            if older_than is None or age >= older_than:
                changed[use] = (*self.keys[use], Key.new(use))
        ring = replace(self, keys=changed)
        if self.path is not None and changed != self.keys:
            fresh = self.path.with_name(f"{self.path.name}.{os.urandom(4).hex()}.new")
            try:
                _write(fresh, ring.to_dict())
                os.replace(fresh, self.path)
            except OSError as error:
                raise ConfigError(f"{self.path}: the keys cannot be written ({error.strerror})") from error
        return ring

    def public(self) -> Keyring:
        """The public halves alone, for those who check the record elsewhere."""
        return Keyring({"sign": tuple(replace(key, secret=None) for key in self.keys["sign"])})

    def to_dict(self) -> dict[str, Any]:
        return {"schema": 1} | {use: [key.to_dict() for key in keys] for use, keys in self.keys.items()}

    def current(self, use: str) -> Key:
        """The key in use.

        Raises:
            ConfigError: there is none with its secret.
        """
        keys = self.keys.get(use, ())
        if not keys or keys[-1].secret is None:
            raise ConfigError(
                f"{self.path or 'these keys'}: no secret key to {use} with; give the whole keyring"
            )
        return keys[-1]

    def find(self, use: str, id: str) -> Key | None:
        return next((key for key in self.keys.get(use, ()) if key.id == id), None)

    def hashed(self, text: str) -> str:
        """The keyed hash of a text: HMAC-SHA-256 in hex, with the key in use."""
        return keyed_hash(self.current("hash"), text)

    def hashes(self, text: str) -> list[str]:
        """The keyed hash of a text with every key there ever was: for looking it up."""
        return [keyed_hash(key, text) for key in self.keys.get("hash", ()) if key.secret]

    def sign(self, message: bytes) -> tuple[str, str]:
        """The id of the signing key in use, and the Ed25519 signature in base64."""
        key = self.current("sign")
        return key.id, base64.b64encode(key.signer.sign(message)).decode()

    def signed(self, message: bytes, key: str, signature: str) -> bool:
        """Whether the key of that id made the signature; False where the key is not known."""
        known = self.find("sign", key)
        if known is None:
            return False
        try:
            known.verifier.verify(base64.b64decode(signature, validate=True), message)
        except (InvalidSignature, ValueError):
            return False
        return True


def keyed_hash(key: Key, text: str) -> str:
    """HMAC-SHA-256 in hex; a lone surrogate, which UTF-8 cannot hold, is hashed as its three bytes."""
    return hmac.digest(key.secret or b"", text.encode("utf-8", "surrogatepass"), "sha256").hex()


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write to a new file that only its owner may read, and to the disk."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
