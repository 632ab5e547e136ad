"""Rude sentences of every day, written for this project, each with what it says without the barbs."""

from unbarb.data.rewrites.generate import kinds, written_pairs

__all__ = ["kinds", "written_pairs"]
