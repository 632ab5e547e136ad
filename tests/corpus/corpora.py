"""Texts for corpora that the real guard cleans, and what came of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unbarb.corpus import Manifest

CLEAN = "The bridge was closed for repairs."
RUDE = "You are an idiot and the bridge was closed for repairs."
THREAT = "I will kill you tonight."


@dataclass(frozen=True)
class Ran:
    """A finished run: its manifest, its folder, and the lists in it."""

    manifest: Manifest
    out: Path

    @property
    def counts(self) -> dict[str, int]:
        return {name: count for name, count in self.manifest.counts.items() if count}

    def data(self, name: str) -> bytes:
        return (self.out / "data" / name).read_bytes()

    @property
    def all(self) -> bytes:
        """The cleaned shards, one behind the other."""
        return b"".join((self.out / one["file"]).read_bytes() for one in self.manifest.outputs)

    def list(self, name: str) -> list[dict[str, Any]]:
        parts = [(self.out / path).read_bytes() for path in self.manifest.lists[name]]
        return [json.loads(line) for part in parts for line in part.splitlines()]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its name."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
