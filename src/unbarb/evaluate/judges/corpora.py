"""What judges learn from and are held to: plain sentences, whoever read them."""

from __future__ import annotations

from dataclasses import dataclass

from unbarb.evaluate.judges.training import Graded


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A toxic sentence and what people made of it."""

    toxic: str
    neutral: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JudgeTexts:
    """One side of a split: to train on, or held out.

    `posts` are graded by the share of people who called them toxic, `acceptability` by whether
    linguists accept them (CoLA: research use, which is why judges never ship), `prose` is edited text,
    sentence by sentence.
    """

    posts: tuple[Graded, ...] = ()
    pairs: tuple[Rewritten, ...] = ()
    acceptability: tuple[Graded, ...] = ()
    prose: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JudgeCorpora:
    """Both sides. Whoever builds this answers for it that `train` holds no evaluation sentence."""

    train: JudgeTexts
    held: JudgeTexts
