"""The card of the embedded model before its figures are known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from unbarb.cli.calibrate import TEXT_FLOOR
from unbarb.train.recipe import Recipe


def first_card() -> dict[str, Any]:
    """What a detector asks for; the last step writes the whole card."""
    return {"thresholds": {"word": 0.5, "text": TEXT_FLOOR}}


def card_of(recipe: Recipe) -> dict[str, Any]:
    """All that a recipe says of its model; the thresholds are still those of `first_card`."""
    return {
        "name": recipe.name,
        "schema": 1,
        "purpose": "finds toxic language in English, proposes rewrites, and judges them",
        "licence": "Apache-2.0; NOTICE names the data it saw and their licences",
        "intended_use": "comments, chat and the output of language models, in English, with a policy",
        "limits": "misses irony and what needs context; other languages are reported, not judged;"
        " how often it is wrong stands under figures",
        "data": [*recipe.detector.corpora, "paradetox", "behaviours (written for this project)"],
        "base": {
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "sha256": recipe.base_sha256,
            "licence": "Apache-2.0",
        },
        "recipe": asdict(recipe),
        "taste": asdict(recipe.taste),
        "verify": asdict(recipe.verify),
        **first_card(),
    }
