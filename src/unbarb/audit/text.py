"""Texts on record, encrypted: each under a data key of its own, and that under a key of the keyring.

AES-256-GCM throughout (NIST SP 800-38D), with the event's id as associated data, so that a text
cannot be put under another record.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from unbarb.audit.keys import Keyring
from unbarb.errors import AuditError

NONCE = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted text, its encrypted data key, and the id of the key that opens that."""

    text_key: str
    data_key: bytes
    sealed: bytes

    @property
    def digest(self) -> str:
        """SHA-256 in hex: what the record has to say which ciphertext is its own."""
        key = self.text_key.encode()
        return sha256(
            b"%d:%b%d:%b%b" % (len(key), key, len(self.data_key), self.data_key, self.sealed)
        ).hexdigest()

    def to_dict(self) -> dict[str, str]:
        return {
            "text_key": self.text_key,
            "data_key": base64.b64encode(self.data_key).decode(),
            "sealed": base64.b64encode(self.sealed).decode(),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, str]) -> Sealed:
        return cls(raw["text_key"], base64.b64decode(raw["data_key"]), base64.b64decode(raw["sealed"]))


def seal(content: bytes, event: str, keys: Keyring) -> Sealed:
    """Encrypt `content` under a new data key."""
    above = keys.current("text")
    data_key = AESGCM.generate_key(256)
    return Sealed(
        above.id, _encrypted(above.secret or b"", data_key, event), _encrypted(data_key, content, event)
    )


def unseal(text: Sealed, event: str, keys: Keyring) -> bytes:
    """The content of a sealed text.

    Raises:
        AuditError: its key is not in the keyring, or it is not as it was sealed.
    """
    above = keys.find("text", text.text_key)
    if above is None or above.secret is None:
        raise AuditError(
            f"the text of event {event} needs the key {text.text_key}, which the keyring lacks"
        )
    try:
        return _decrypted(_decrypted(above.secret, text.data_key, event), text.sealed, event)
    except (InvalidTag, ValueError) as error:
        raise AuditError(
            f"the text of event {event} is not as it was encrypted; run 'unbarb audit verify'"
        ) from error


def _encrypted(key: bytes, content: bytes, event: str) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, event.encode())


def _decrypted(key: bytes, content: bytes, event: str) -> bytes:
    return AESGCM(key).decrypt(content[:NONCE], content[NONCE:], event.encode())
