"""What a policy says of the record of its decisions: what is kept, how long, and what if it cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

KeptText = Literal["none", "encrypted"]
OnFailure = Literal["fail", "spill"]
KEPT_TEXT: tuple[KeptText, ...] = get_args(KeptText)
ON_FAILURE: tuple[OnFailure, ...] = get_args(OnFailure)


@dataclass(frozen=True, slots=True)
class AuditRules:
    """How decisions under a policy are recorded.

    `text` is what is kept of the texts themselves: nothing, or their encrypted form for
    `retention_days`. `on_failure` is what happens when a decision cannot be written to the record:
    the request fails, or the decision is spilled to disk and written later.
    """

    text: KeptText = "none"
    retention_days: int = 30
    on_failure: OnFailure = "fail"
