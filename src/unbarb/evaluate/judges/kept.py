"""One judge's trained weights in a run folder: the same sentences and the same plan are trained on once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from unbarb.errors import ModelError
from unbarb.evaluate.judges.encoder import SentenceJudge
from unbarb.evaluate.judges.training import Graded, Progress, Training, fit

RECIPE = "judges/1"
"""Changes when anything but the sentences and the plan changes what a judge learns."""


def digest_of(plan: Training, examples: Sequence[Graded]) -> str:
    """``sha256:…`` of all that makes the weights what they are."""
    state = hashlib.sha256(f"{RECIPE} {plan!r}".encode())
    for example in examples:
        state.update(f"{example.text!r} {example.target!r}\n".encode())
    return f"sha256:{state.hexdigest()}"


def weights_file(folder: Path, name: str, digest: str) -> Path:
    """Where the weights of the judge `name` with this digest lie."""
    return folder / f"{name}-{digest.removeprefix('sha256:')[:16]}.safetensors"


def load(path: Path, layers: int) -> SentenceJudge:
    """The judge in `path`.

    Raises:
        ModelError: there is none.
    """
    if not path.is_file():
        raise ModelError(f"no judge at {path}; `unbarb evaluate` trains it")
    model = SentenceJudge.from_base(layers)
    model.load_state_dict(load_file(path))
    return model.eval()


def load_or_train(
    folder: Path, name: str, plan: Training, examples: Sequence[Graded], threads: int, progress: Progress
) -> tuple[SentenceJudge, str]:
    """The judge `name` and its digest, trained on `threads` threads and kept when it is not there yet."""
    digest = digest_of(plan, examples)
    path = weights_file(folder, name, digest)
    if path.is_file():
        return load(path, plan.layers), digest
    progress(f"judge of {name}: learns from {len(examples):,} sentences, once")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        torch.manual_seed(plan.seed)
        model = fit(
            SentenceJudge.from_base(plan.layers),
            examples,
            plan,
            lambda at: progress(f"judge of {name}: {at}"),
        )
    finally:
        torch.set_num_threads(before)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), path)
    return model, digest
