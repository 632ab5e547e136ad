"""JSON that could be read in two ways is refused."""

from __future__ import annotations

import pytest

from unbarb.wire.bodies import read, sound, value, written


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("[1]", "JSON list, not an object"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "JSON with 'c' given twice"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "Expecting property name"),
    ],
)
def test_what_is_no_object_to_be_read_in_one_way(data: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read(data)


def test_constants_are_let_pass_only_where_it_is_said() -> None:
    assert value("[-Infinity]") == [float("-inf")]
    with pytest.raises(ValueError, match="-Infinity is not JSON"):
        value("[-Infinity]", constants=False)


def test_half_a_surrogate_pair_survives_and_is_made_sound_when_asked() -> None:
    half = {"text": "a\ud83d"}
    assert read(written(half)) == half
    assert sound("\ud83c\udf0d a\ud83d") == "🌍 a\ufffd"
