"""The judge of toxicity: what it learns from."""

from __future__ import annotations

from random import Random

from unbarb.evaluate.judges.corpora import JudgeTexts
from unbarb.evaluate.judges.training import Graded, Training

PLAN = Training(layers=4, seed=71)
LONGEST = 250
"""Characters; the judge reads sentences, and a cut post may have lost what made it toxic."""


def examples(texts: JudgeTexts) -> list[Graded]:
    """Short posts as people graded them; toxic sentences as 1, human rewrites as 0; in random order."""
    graded = [post for post in texts.posts if len(post.text) <= LONGEST]
    for pair in texts.pairs:
        graded.append(Graded(pair.toxic, 1.0))
        graded += (Graded(neutral, 0.0) for neutral in pair.neutral)
    once = list({(example.text, example.target > 0.5): example for example in graded}.values())
    Random(PLAN.seed).shuffle(once)
    return once
