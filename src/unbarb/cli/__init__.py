"""The command line: one command, one file; commands are thin and the work is elsewhere.

A command's module is imported only when it is asked for, so that ``unbarb check`` starts quickly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated

import typer

from unbarb import __version__
from unbarb.errors import UnbarbError

COMMANDS = {
    "check": "unbarb.cli.check",
    "rewrite": "unbarb.cli.rewrite",
    "clean": "unbarb.cli.clean",
    "policy": "unbarb.cli.policy",
    "models": "unbarb.cli.models",
    "serve": "unbarb.cli.serve",
    "keys": "unbarb.cli.keys",
    "audit": "unbarb.cli.audit",
    "thresholds": "unbarb.cli.thresholds",
    "data": "unbarb.cli.data",
    "plan": "unbarb.cli.plan",
    "train": "unbarb.cli.train",
    "search": "unbarb.cli.search",
    "crossval": "unbarb.cli.crossval",
    "evaluate": "unbarb.cli.evaluate",
    "lm-detox": "unbarb.cli.lm_detox",
    "compare": "unbarb.cli.compare",
    "report": "unbarb.cli.report",
    "export": "unbarb.cli.export",
    "deploy": "unbarb.cli.deploy",
    "request": "unbarb.cli.request",
}
"""Name → module; each has ``register(app)``. The order is that of ``unbarb --help``."""


def main() -> None:
    """Run the command in ``sys.argv`` and exit with its code."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Texts hold what the terminal's encoding may not.
            stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments)(arguments, prog_name="unbarb")
    except UnbarbError as error:
        print(f"unbarb: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The application, with the one command that `arguments` name, or with all when they name none."""
    # Plain help, not rich's: it starts quicker and docs/cli.md can quote it at any width.
    whole = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    whole.callback()(_root)
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    for name in (first,) if first in COMMANDS else COMMANDS:
        import_module(COMMANDS[name]).register(whole)
    return whole


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"unbarb {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find toxic language, rewrite it into neutral text, and check the rewrite."""
