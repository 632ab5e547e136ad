"""Puts what an evaluation measured into a model's card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unbarb.errors import InputError
from unbarb.export.bundle import write_card

KEPT = ("metric", "value", "n", "unscored", "low", "high", "level", "seed")


def add_figures(report: Path, folder: Path, system: str = "unbarb") -> None:
    """Write the figures of `system` in a ``report.json`` into ``card.json`` of a model folder.

    Raises:
        InputError: the report is missing, no report, or about another model.
    """
    try:
        found = json.loads(report.read_text(encoding="utf-8"))
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        tables = found["tables"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{report} and {folder}/card.json: cannot be read together: {error}") from error
    about = {key: found[key] for key in ("split", "seed", "policy", "judges")}
    card["figures"] = {"about": about, "tables": [_table(table, system) for table in tables]}
    write_card(card, folder)


def _table(table: Mapping[str, Any], system: str) -> dict[str, Any]:
    rows = [row for row in table["rows"] if row["system"].startswith(system)] or table["rows"][:1]
    figures = {
        name: {key: figure[key] for key in KEPT if figure.get(key) is not None}
        for name, figure in rows[0]["figures"].items()
    }
    return {"suite": table["suite"], "name": table["name"], "data": table["data"], "figures": figures}
