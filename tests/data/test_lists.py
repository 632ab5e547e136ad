"""The lists that the package carries: enough of them, and halves that are apart."""

from __future__ import annotations

from importlib.resources import files

import pytest

from unbarb.data.lists import Half, contrasts, lookalikes, obfuscated

FOLDER = files("unbarb") / "data" / "disguise"


@pytest.mark.parametrize(("half", "insults", "clean"), [("tune", 450, 1500), ("held", 320, 720)])
def test_there_are_enough(half: Half, insults: int, clean: int) -> None:
    assert len(obfuscated(half)) >= insults
    assert len(lookalikes(half)) >= clean
    assert len(contrasts(half)) >= 150
    assert all(text.strip() for text in obfuscated(half) + lookalikes(half))


def test_halves_share_no_disguised_word_and_no_text() -> None:
    lines = (FOLDER / "obfuscated.tsv").read_text("utf-8").split("\n")[1:-1]
    rows = [line.split("\t")[:3] for line in lines]
    words = {half: {word for own, _, word in rows if own == half} for half in ("tune", "held")}
    assert not words["tune"] & words["held"]
    assert len(rows) == len(obfuscated("tune")) + len(obfuscated("held"))
    for read in (obfuscated, lookalikes):
        assert not set(read("tune")) & set(read("held"))
        assert read("tune")
