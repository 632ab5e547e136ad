"""How much memory a training has taken at most."""

from __future__ import annotations

import resource
import sys


def peak_mb() -> float:
    """The most memory so far, in MB (10⁶ bytes): on the GPU when one is used, else of this process.

    On a GPU it is what torch allocated for tensors on this process's device; what the CUDA context and the
    allocator's reserve take comes on top.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        return round(int(torch.cuda.max_memory_allocated()) / 1e6, 1)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return round(most * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)
