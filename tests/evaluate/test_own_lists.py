"""Which lists are measured on: the package's half for the side, and a user's own files in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from unbarb.errors import InputError
from unbarb.evaluate.lists import CONTRASTS, HALVES, INSULTS, LOOKALIKES, Lists
from unbarb.evaluate.material import SIDES


def test_every_side_has_a_half_of_its_own() -> None:
    assert set(HALVES) == set(SIDES)
    dev, test = Lists.of_package("dev"), Lists.of_package("test")
    assert (dev.half, test.half) == ("tune", "held")
    assert not set(dev.insults) & set(test.insults)


def test_files_of_ones_own_take_the_place_of_the_packages(tmp_path: Path) -> None:
    (tmp_path / INSULTS).write_text("# mine\ny0u fool\n", encoding="utf-8")
    shipped = Lists.of_package()
    mixed = shipped.replaced(tmp_path)
    assert mixed.insults == ("y0u fool",)
    assert (mixed.lookalikes, mixed.contrasts) == (shipped.lookalikes, shipped.contrasts)
    assert mixed.called(INSULTS) == "own lists"
    assert mixed.called(INSULTS, LOOKALIKES) == "lists of the package, held and own lists"
    assert mixed.called(CONTRASTS) == shipped.called(CONTRASTS) == "lists of the package, held"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("other.txt", b"x\n", r"none of obfuscated\.txt, lookalikes\.txt, contrasts\.jsonl"),
        (INSULTS, b"# nothing\n\n", "no texts; give one a line"),
        (LOOKALIKES, b"caf\xe9\n", "not UTF-8"),
        (CONTRASTS, b"\n", "no rows; give one JSON object a line"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(
    tmp_path: Path, file: str, content: bytes, message: str
) -> None:
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError, match=message):
        Lists.of_package().replaced(tmp_path)
