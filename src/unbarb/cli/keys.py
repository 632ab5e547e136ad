"""``unbarb keys``: make, list, rotate and revoke the API keys of the service."""

from __future__ import annotations

import json as json_format
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from unbarb.errors import ConfigError, InputError
from unbarb.serve.keys import SCOPES, Key, Keyfile, made, new_id, rotated

KeysFile = Annotated[Path, typer.Option("--keys", metavar="FILE", help="The file of keys.")]
Which = Annotated[str, typer.Argument(metavar="ID", help="The key's id or name.")]
FILE = Path("unbarb-keys.json")


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Make, list, rotate and revoke API keys."
    )
    for command in (create, list_keys, rotate, revoke):
        group.command(command.__name__.removesuffix("_keys"))(command)
    app.add_typer(group, name="keys")


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is, or what for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(metavar="SCOPE", show_default=False,
                     help=f"One of {', '.join(SCOPES)}; repeat for more. Default: check and rewrite."),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(metavar="NAME", show_default=False, help="The policy it judges by.")
    ] = None,
    allow_policy: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", show_default=False,
                     help="A policy that its requests may name; repeat for more. Default: every one."),
    ] = None,
    rate: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Requests a minute of its own.")
    ] = None,
    keys: KeysFile = FILE,
) -> None:  # fmt: skip
    """Make a key and print it, once: the file holds only its hash.

    The service reads the file again when it changes. Exit codes: 0 done, 2 wrong use.
    """
    scopes = tuple(scope or ("check", "rewrite"))
    wrong = [one for one in scopes if one not in SCOPES]
    if wrong:
        raise InputError(f"--scope {', '.join(wrong)}: not known; there are {', '.join(SCOPES)}")
    with Keyfile(keys, create=True) as file:
        if any(key.name == name and not key.revoked for key in file.keys.values()):
            raise InputError(f"{keys}: {name!r} is there already; rotate it, or choose another name")
        key, token = made(
            Key(
                id=new_id(),
                name=name,
                scopes=scopes,
                policies=tuple(allow_policy or ()),
                policy=policy,
                rate=rate,
                created=_now().isoformat(timespec="seconds"),
            )
        )
        file.keys[key.id] = key
    typer.echo(token)


def list_keys(
    keys: KeysFile = FILE,
    json: Annotated[bool, typer.Option("--json", help="One key a line, as JSON.")] = False,
) -> None:
    """List the keys: id, name, what each may do, and until when. No secret is shown, nor kept."""
    with Keyfile(keys) as file:
        for key in file.keys.values():
            told = {
                "id": key.id,
                "name": key.name,
                "scopes": list(key.scopes),
                "policy": key.policy,
                "policies": list(key.policies),
                "rate": key.rate,
                "created": key.created,
                "state": _state(key),
            }
            line = json_format.dumps(told, ensure_ascii=False) if json else _line(key)
            typer.echo(line)


def rotate(
    which: Which,
    grace: Annotated[
        float, typer.Option(min=0.0, help="Hours for which the old secret is still good.")
    ] = 24.0,
    keys: KeysFile = FILE,
) -> None:
    """Give a key a new secret and print it, once; its id, scopes and policies stay."""
    with Keyfile(keys) as file:
        key, token = rotated(_named(file, which), timedelta(hours=grace), _now())
        file.keys[key.id] = key
    typer.echo(token)


def revoke(which: Which, keys: KeysFile = FILE) -> None:
    """Make a key good for nothing, at once. It stays listed: the record names its id."""
    with Keyfile(keys) as file:
        key = _named(file, which)
        file.keys[key.id] = key.as_revoked()
    typer.echo(f"{key.id}  {key.name}  revoked")


def _named(file: Keyfile, which: str) -> Key:
    found = [key for key in file.keys.values() if which in (key.id, key.name) and not key.revoked]
    if not found:
        there = ", ".join(f"{key.id} ({key.name})" for key in file.keys.values() if not key.revoked)
        raise ConfigError(f"{file.path}: no key {which!r}; there are {there or 'none'}")
    return found[0]


def _state(key: Key) -> str:
    if key.revoked:
        return "revoked"
    until = [secret.until for secret in key.secrets if secret.until and secret.good(_now())]
    return f"good; an old secret until {max(until)}" if until else "good"


def _line(key: Key) -> str:
    policy = f"  policy {key.policy}" if key.policy else ""
    allowed = f"  may name {', '.join(key.policies)}" if key.policies else ""
    rate = f"  {key.rate} a minute" if key.rate else ""
    return f"{key.id}  {key.name}  {', '.join(key.scopes)}{policy}{allowed}{rate}  {_state(key)}"


def _now() -> datetime:
    return datetime.now(UTC)
