"""The guard's promise over text that comes in chunks: what leaves has been checked, and never changes."""

from unbarb.stream.faces import AsyncStreamGuard, Judge, StreamGuard
from unbarb.stream.flow import Counts, Released
from unbarb.stream.judge import judge
from unbarb.stream.pieces import Piece

__all__ = ["AsyncStreamGuard", "Counts", "Judge", "Piece", "Released", "StreamGuard", "judge"]
