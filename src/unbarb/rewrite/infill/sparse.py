"""Computes a masked model's outputs only where they are asked for.

The output layer, as wide as the vocabulary, is most of a small model's work, and of a sentence only the
masked places are of interest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor


@contextmanager
def only_at(model: Any, places: Tensor) -> Iterator[None]:
    """Within the block, `model` gives logits of shape (n, vocabulary) for the n places that are true.

    `places` is (rows, length), bool. It holds for every model of transformers whose output embeddings come
    last; another one's logits stay as they are.
    """

    def chosen(_: Any, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (given[0][places], *given[1:]) if given[0].shape[:2] == places.shape else given

    hook = model.get_output_embeddings().register_forward_pre_hook(chosen)
    try:
        yield
    finally:
        hook.remove()
