"""docs/cli.md quotes the help of every command as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from unbarb.cli import COMMANDS
from unbarb.cli.docs import blocks, helps, refreshed

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")


def test_every_command_has_its_block() -> None:
    known = list(helps())
    assert all(any(name.split()[1:2] == [command] for name in known) for command in COMMANDS)
    assert sorted(blocks(PAGE)) == sorted(known), "a new command belongs on the page: see make docs"


def test_the_blocks_are_the_help() -> None:
    # By words: how lines are broken is the business of the help formatter's version.
    assert refreshed(PAGE).split() == PAGE.split(), "the help has changed: make docs"


def test_an_old_block_would_be_noticed() -> None:
    old = PAGE.replace("--resume", "--go-on", 2)
    assert old != PAGE
    assert refreshed(old).split() != old.split()


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_is_listed_with_a_sentence(command: str) -> None:
    (line,) = [line for line in helps()["unbarb"].splitlines() if line.split()[:1] == [command]]
    assert len(line.split()) > 3


def test_one_command_alone_has_the_same_help(run) -> None:
    alone = run("check", "--help")
    assert alone.code == 0
    assert alone.out.split() == helps()["unbarb check"].split()
