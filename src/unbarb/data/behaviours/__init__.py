"""Sentences written here for behaviours that a detector of hate must get right."""

from __future__ import annotations

from unbarb.data.behaviours.generate import Behaviour, identity_swaps, names, sentences

__all__ = ["Behaviour", "identity_swaps", "names", "sentences"]
