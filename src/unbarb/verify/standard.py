"""The verifier that comes with the embedded model: its settings stand in the model's card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unbarb.detect.embedded import HOME, read_card
from unbarb.detect.lexicon import Lexicon
from unbarb.detect.linear import Linear
from unbarb.detect.protocol import Detector
from unbarb.rewrite.editor import Editor, shared_editor
from unbarb.verify.verifier import Assessment, Verifier


@dataclass(frozen=True, slots=True)
class Settings:
    """What the recipe chose: ceilings of the two opinions, least meaning and fluency, headroom."""

    linear: float = 0.85
    lexicon: float = 0.5
    min_meaning: float = 0.2
    min_fluency: float = 0.012
    headroom: float = 0.0


class EditorJudge:
    """Meaning and fluency as the editing trunk's heads see them."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    def assess(self, source: str, candidates: Sequence[str]) -> list[Assessment]:
        """Cosine to the source, 0…1, and probability of being intact, of each candidate."""
        meant = self._editor.read(source).meaning
        found = []
        for candidate in candidates:
            seen = self._editor.read(candidate)
            found.append(Assessment(min(1.0, max(0.0, float(meant @ seen.meaning))), seen.fluency))
        return found


def standard_verifier(detector: Detector, folder: Path = HOME) -> Verifier:
    """The verifier of the embedded model: the linear model and the lexicon beside `detector`.

    Raises:
        ModelError: model files are missing or damaged.
    """
    settings = Settings(**read_card(folder).get("verify", {}))
    return Verifier(
        detector,
        [(Linear(folder / "linear.npz"), settings.linear), (Lexicon(), settings.lexicon)],
        EditorJudge(shared_editor(folder)),
        min_meaning=settings.min_meaning,
        min_fluency=settings.min_fluency,
        headroom=settings.headroom,
    )
