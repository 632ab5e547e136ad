"""``unbarb deploy``: lay a model out for a server, upload it, and write the manifests that run it."""

from __future__ import annotations

from importlib import import_module

import typer

PARTS = ("unbarb.cli.deploy_layout", "unbarb.cli.deploy_store", "unbarb.cli.deploy_manifests")
"""Modules of the group's commands, each with ``register(group)``; the order is that of the help."""


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Lay a model out for a server, upload it to object storage, write the manifests that run it.",
    )
    for part in PARTS:
        import_module(part).register(group)
    app.add_typer(group, name="deploy")
