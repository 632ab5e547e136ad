"""The keyring: made once, read by its owner alone, rotated without losing what came before."""

from __future__ import annotations

import hmac
import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from audit_events import ENCRYPTED, decision

from unbarb.audit.keys import USES, Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.read import Choice, records
from unbarb.audit.text import seal, unseal
from unbarb.audit.verify import verify
from unbarb.errors import AuditError, ConfigError


def test_a_hash_is_hmac_sha256_with_the_key_in_use(keys: Path) -> None:
    ring = Keyring.load(keys)
    secret = ring.current("hash").secret
    assert secret is not None
    assert len(secret) == 32
    assert ring.hashed("naïve") == hmac.new(secret, "naïve".encode(), sha256).hexdigest()


def test_those_who_create_the_same_file_at_once_get_the_same_keys(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys"
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: Keyring.create(path), range(8)))
    assert len({ring.current("sign").id for ring in rings}) == 1
    assert os.listdir(path.parent) == ["keys"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_keys_that_everybody_can_read_are_refused(keys: Path) -> None:
    keys.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Keyring.load(keys)
    public = keys.with_name("public")
    keys.chmod(0o600)
    public.write_text(json.dumps(Keyring.load(keys).public().to_dict()))
    public.chmod(0o644)
    assert Keyring.load(public).keys["hash"] == ()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"hash": [{"id": "x"}]}', '{"sign": 3}'])
def test_what_is_no_keyring_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="not a file of audit keys"):
        Keyring.load(path)


def test_public_halves_check_signatures_and_do_nothing_else(keys: Path) -> None:
    ring = Keyring.load(keys)
    public = ring.public()
    key, signature = ring.sign(b"said")
    assert public.signed(b"said", key, signature)
    assert not public.signed(b"said otherwise", key, signature)
    assert not public.signed(b"said", "sign-unknown", signature)
    assert not public.signed(b"said", key, "not base64")
    assert "secret" not in json.dumps(public.to_dict())
    for use in USES:
        with pytest.raises(ConfigError, match="whole keyring"):
            public.current(use)


def test_keys_do_not_stand_in_their_representation(keys: Path) -> None:
    ring = Keyring.load(keys)
    assert "secret" not in repr(ring)


def test_rotation_puts_new_keys_into_use_and_keeps_the_old(keys: Path) -> None:
    before = Keyring.load(keys)
    after = before.rotated(["hash"])
    assert Keyring.load(keys).to_dict() == after.to_dict()
    assert len(after.keys["hash"]) == 2
    assert after.hashes("x") == [before.hashed("x"), after.hashed("x")]
    assert after.current("sign") == before.current("sign")
    assert after.rotated(older_than=timedelta(1)).to_dict() == after.to_dict()
    assert keys.stat().st_mode & 0o777 == 0o600


def test_a_log_takes_up_rotated_keys_and_all_before_stays_valid(log: AuditLog, keys: Path) -> None:
    first, second = decision(1, rules=ENCRYPTED), decision(1, rules=ENCRYPTED)
    log.append([first])
    log.checkpoint()
    Keyring.load(keys).rotated()
    log.append([second])
    found = list(records(log, Choice(original="you are an idiot, number 1"), texts=True))
    assert [record["event"] for record in found] == [first.id, second.id]
    assert len({record["hash_key"] for record in found}) == 2
    assert [record["text"]["text"] for record in found] == ["you are wrong", "you are wrong"]
    verified = verify(log)
    assert verified.intact
    assert verified.checkpoints == 1


def test_a_log_whose_keys_file_has_gone_goes_on_with_its_keys(log: AuditLog, keys: Path) -> None:
    keys.rename(keys.with_name("away"))
    log.append([decision()])
    keys.write_text("damaged")
    log.append([decision()])
    assert verify(log).intact
    keys.with_name("away").rename(keys)
    Keyring.load(keys).rotated()
    log.append([decision()])
    assert len({record["hash_key"] for record in records(log)}) == 2


def test_a_log_signed_with_other_keys_is_not_taken_for_ours(log: AuditLog, tmp_path: Path) -> None:
    log.append([decision()])
    log.checkpoint()
    other = Keyring.create(tmp_path / "other")
    assert {one.kind for one in verify(log, keys=other).tamperings} == {"head", "checkpoint"}
    assert verify(log, keys=log.keys.public()).intact


def test_a_sealed_text_opens_for_its_event_and_keys_alone(keys: Path, tmp_path: Path) -> None:
    ring = Keyring.load(keys)
    sealed = seal(b"you are an idiot", "event", ring)
    assert unseal(sealed, "event", ring) == b"you are an idiot"
    assert sealed.sealed != seal(b"you are an idiot", "event", ring).sealed
    with pytest.raises(AuditError, match="not as it was encrypted"):
        unseal(sealed, "another event", ring)
    with pytest.raises(AuditError, match="keyring lacks"):
        unseal(sealed, "event", Keyring.create(tmp_path / "other"))
