"""Clean whole corpora: files in, the same files out without the barbs, and a list of every change.

See docs/corpus.md.
"""

from __future__ import annotations

from unbarb.corpus.manifest import Manifest
from unbarb.corpus.run import clean
from unbarb.corpus.settings import Settings
from unbarb.corpus.stage import CleanRows

__all__ = ["CleanRows", "Manifest", "Settings", "clean"]
