"""The judge of fluency: what it learns from."""

from __future__ import annotations

from random import Random

from unbarb.evaluate.judges.corpora import JudgeTexts
from unbarb.evaluate.judges.damage import damage
from unbarb.evaluate.judges.training import Graded, Training

PLAN = Training(layers=4, seed=72, epochs=2)
LONGEST = 220
PROSE = 5000


def examples(texts: JudgeTexts, seed: int = PLAN.seed) -> list[Graded]:
    """Sentences of linguists, accepted or not; whole sentences as 1, damaged copies as 0; shuffled."""
    random = Random(seed)
    foreign = [word for pair in texts.pairs for word in pair.neutral[0].split()]
    whole = [text for pair in texts.pairs for text in (pair.toxic, *pair.neutral)]
    whole += random.sample(texts.prose, min(PROSE, len(texts.prose)))
    graded = list(texts.acceptability)
    for sentence in whole:
        if len(sentence) > LONGEST:
            continue
        graded.append(Graded(sentence, 1.0))
        broken = damage(sentence, random, foreign)
        if broken is not None:
            graded.append(Graded(broken, 0.0))
    random.shuffle(graded)
    return graded
