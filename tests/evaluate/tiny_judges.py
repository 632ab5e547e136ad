"""Judges that are trained in seconds on a few sentences, for tests of what uses judges."""

from __future__ import annotations

from pathlib import Path

from unbarb.evaluate.judges import Graded, JudgeCorpora, Judges, JudgeTexts, Plans, Rewritten, Training

THINGS = ("car", "train", "weather", "meeting", "soup", "keyboard", "match", "film", "bus", "printer")
TOXIC = tuple(f"this damn {thing} is a stupid mess, you idiot" for thing in THINGS)
NEUTRAL = tuple(f"this {thing} is not in good order" for thing in THINGS)
TEXTS = JudgeTexts(
    posts=(Graded("thanks for the nice lunch", 0.0), Graded("shut up you idiot", 1.0)),
    pairs=tuple(Rewritten(toxic, (neutral,)) for toxic, neutral in zip(TOXIC, NEUTRAL, strict=True)),
    acceptability=(Graded("The cat sat on the mat.", 1.0), Graded("Cat the sat mat on.", 0.0)),
)
PLANS = Plans(
    toxicity=Training(layers=1, seed=1, epochs=12, batch=8, rate=1e-3),
    fluency=Training(layers=1, seed=2, epochs=1, batch=8),
)


def train(folder: Path) -> Judges:
    """Judges in `folder`, which know the pairs above and little else."""
    return Judges.load_or_train(folder, JudgeCorpora(TEXTS, TEXTS), plans=PLANS)
