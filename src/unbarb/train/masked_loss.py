"""The loss of several labels at once, some of them unknown."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def masked_loss(logits: Tensor, truth: Tensor, positive_weight: Tensor) -> Tensor:
    """Mean binary cross-entropy over the known labels, a scalar.

    `logits` and `truth` are (texts, labels); `truth` is 0…1, NaN where unknown. `positive_weight` (labels,)
    is what the positive side of each label weighs. A batch that knows nothing has loss 0.
    """
    known = ~torch.isnan(truth)
    each = nn.functional.binary_cross_entropy_with_logits(
        logits, torch.where(known, truth, 0.0), pos_weight=positive_weight.to(logits), reduction="none"
    )
    return (each * known).sum() / known.sum().clamp(min=1)
