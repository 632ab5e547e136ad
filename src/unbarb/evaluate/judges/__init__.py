"""Independent judges of rewrites. Importing this needs the extra ``train`` (torch, transformers)."""

from unbarb.evaluate.judges.corpora import JudgeCorpora, JudgeTexts, Rewritten
from unbarb.evaluate.judges.panel import Judges, Plans
from unbarb.evaluate.judges.scores import RewriteScores
from unbarb.evaluate.judges.training import Graded, Training

__all__ = [
    "Graded",
    "JudgeCorpora",
    "JudgeTexts",
    "Judges",
    "Plans",
    "RewriteScores",
    "Rewritten",
    "Training",
]
