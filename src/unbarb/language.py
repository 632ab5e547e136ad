"""Which language a text is in, judged by script and by everyday words."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path

_SAMPLE = 600
_LETTERS = re.compile(r"[^\W\d_]+")
_ASCII_LETTERS = re.compile("[a-z]+")
_NOISY = re.compile("[@#&/'’]")
_NOISE = re.compile(
    r"https?://\S+|www\.\S+|[@#]\w+|&#?\w+;|['’](?=(?:s|t|m|re|ll|ve|d)\b)|(?<=n)['’](?=t\b)"
)
_WORDS = Path(__file__).parent / "models" / "language" / "words.tsv"
_ENGLISH = ("en",)
_OWN = (_ENGLISH, 1.0)
_LAST_LATIN = "\u024f"
_HAS_LATIN = re.compile("[a-z\u00df-\u00f6\u00f8-\u024f]")
_SCRIPTS = (
    (0x0370, 0x03FF, "el"), (0x0400, 0x052F, "ru"), (0x0530, 0x058F, "hy"), (0x0590, 0x05FF, "he"),
    (0x0600, 0x077F, "ar"), (0x08A0, 0x08FF, "ar"), (0x0900, 0x097F, "hi"), (0x0980, 0x09FF, "bn"),
    (0x0A00, 0x0A7F, "pa"), (0x0A80, 0x0AFF, "gu"), (0x0B00, 0x0B7F, "or"), (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"), (0x0C80, 0x0CFF, "kn"), (0x0D00, 0x0D7F, "ml"), (0x0D80, 0x0DFF, "si"),
    (0x0E00, 0x0E7F, "th"), (0x0E80, 0x0EFF, "lo"), (0x0F00, 0x0FFF, "bo"), (0x1000, 0x109F, "my"),
    (0x10A0, 0x10FF, "ka"), (0x1100, 0x11FF, "ko"), (0x1200, 0x137F, "am"), (0x1780, 0x17FF, "km"),
    (0x3040, 0x30FF, "ja"), (0x3130, 0x318F, "ko"), (0x3400, 0x4DBF, "zh"), (0x4E00, 0x9FFF, "zh"),
    (0xAC00, 0xD7AF, "ko"),
)  # fmt: skip
_SCRIPT_STARTS = [start for start, _, _ in _SCRIPTS]
_OWN_LETTERS = {
    "ru": (("be", "ў"), ("uk", "іїєґ"), ("mk", "ѓќѕ"), ("sr", "ђјљњћџ")),
    "ar": (("ur", "ٹڈڑےں"), ("fa", "پچژگ")),
    "hi": (("mr", "ळ"),),
}
_MARKED_BY = {
    "es tl": "ñ",
    "de": "ß",
    "de sv fi": "ä",
    "de sv fi tr hu": "ö",
    "de tr hu": "ü",
    "pt": "ãõ",
    "fr pt tr ca": "ç",
    "fr pt vi": "êô",
    "fr it ca": "èà",
    "it": "ì",
    "it ca": "ò",
    "fr it": "ù",
    "fr": "œû",
    "fr ro": "î",
    "fr pt ro": "â",
    "sv da no": "å",
    "da no": "øæ",
    "pl": "łąężźśń",
    "pl hr": "ć",
    "tr": "ğşı",
    "cs": "řěůý",
    "cs hr": "čšž",
    "hr vi": "đ",
    "hu": "őű",
    "ro vi": "ă",
    "ro": "țș",
    "vi": "ơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "es hu cs pt": "á",
    "fr es hu pt": "é",
    "es cs hu pt": "í",
    "es pl hu pt": "ó",
    "es hu pt": "ú",
    "es": "¿",
}
_MARKED = {letter: codes for codes, letters in _MARKED_BY.items() for letter in letters}


def language(text: str) -> str:
    """Which language `text` is in, judged by script and by everyday words.

    Returns:
        ``"en"``, another ISO 639-1 code, or ``"und"`` where it cannot be said: no letters, too
        short, or words of no known list. In doubt between English and another it is English: slang,
        leet and misspellings must not pass for Spanish.
    """
    sample = text[:_SAMPLE]
    if _NOISY.search(sample):
        sample = _NOISE.sub(" ", sample)
    plain = sample.isascii()
    words = (_ASCII_LETTERS if plain else _LETTERS).findall(sample.lower())
    if not plain:
        foreign = [word for word in words if word[0] > _LAST_LATIN and not _HAS_LATIN.search(word)]
        if sum(map(len, foreign)) * 2 > sum(map(len, words)):
            return _by_script("".join(foreign))
    return _by_words(words)


def _by_script(letters: str) -> str:
    """The language of letters that are not Latin: by script, then by letters only it has."""
    counts: dict[str, int] = {}
    for letter in letters[:200]:
        at = bisect_right(_SCRIPT_STARTS, ord(letter)) - 1
        if at >= 0 and ord(letter) <= _SCRIPTS[at][1]:
            counts[_SCRIPTS[at][2]] = counts.get(_SCRIPTS[at][2], 0) + 1
    if not counts:
        return "und"
    if "ja" in counts and counts["ja"] * 10 > counts.get("zh", 0):
        return "ja"
    found = max(counts, key=lambda name: counts[name])
    if len(letters) < (2 if found in ("zh", "ko", "ja") else 6):
        return "und"
    for code, own in _OWN_LETTERS.get(found, ()):
        if any(letter in own for letter in letters):
            return code
    return found


def _by_words(words: Sequence[str]) -> str:
    """The language of Latin words: the one whose everyday words they are, if clearly so."""
    if not words:
        return "und"
    # Not a set, whose order is another in every process: then sums, and ties, would be too.
    voices = [voice for voice in map(_voice, dict.fromkeys(words)) if voice]
    english = voices.count(_OWN)
    least = max(1.9 if english else 1.0, 0.2 * len(words), 1.0 + 1.2 * english)
    if english and sum(weight for _, weight in voices) - english * _OWN[1] < least:
        return "en"  # all others together could not outvote it
    shared = 0
    scores: dict[str, float] = {}
    hits: dict[str, int] = {}
    for codes, weight in voices:
        if codes == _ENGLISH:
            continue
        shared += weight < 0.5 and "en" in codes
        for code in codes:
            scores[code] = scores.get(code, 0.0) + weight
            hits[code] = hits.get(code, 0) + (weight > 0.5)
    scores.pop("en", None)
    if scores and len(words) >= 3:
        best = max(scores, key=lambda code: scores[code] if hits[code] else 0.0)
        needed = max(1.9 if english else 1.2 if shared else 1.0, 0.2 * len(words), 1.0 + 1.2 * english)
        hits_needed = 3 if len(words) == 3 else 2 if english or shared > 1 else 1
        if hits[best] >= hits_needed and scores[best] >= needed:
            return best
    return "en" if english or shared else "und"


@lru_cache(maxsize=1 << 15)
def _voice(word: str) -> tuple[Sequence[str], float] | None:
    """The languages that `word` speaks for, and how loudly; None for those that speak for none."""
    codes: Sequence[str] | None = _everyday().get(word)
    if codes == _ENGLISH:
        return _OWN
    weight = 0.95 if len(word) < 4 else 1.3 if codes and len(codes) == 1 else 1.0
    if codes is None:
        codes = _by_shape(word)
        weight = 0.6
    elif "en" in codes or len(word) == 1:
        weight = 0.4
    return (codes, weight) if codes else None


@cache
def _everyday() -> Mapping[str, tuple[str, ...]]:
    """Every listed word, and every ending (with a hyphen before it), with the languages it speaks for."""
    lists: dict[str, tuple[str, ...]] = {}
    for line in _WORDS.read_text("utf-8").splitlines():
        code, _, words = line.partition("\t")
        ending, code = code[:1] == "-", code.lstrip("-")
        for word in words.split():
            key = f"-{word}" if ending else word
            lists[key] = (*lists.get(key, ()), code)
    return lists


def _by_shape(word: str) -> Sequence[str]:
    """The languages that the marks and the ending of an unlisted word speak for."""
    if len(word) < 4 and word.isascii():
        return ()
    found: list[str] = []
    for letter in () if word.isascii() else dict.fromkeys(word):
        found += _MARKED.get(letter, "").split()
    for size in (2, 3, 4, 5):
        if size < len(word) - 1:
            found += _everyday().get("-" + word[-size:], ())
    return tuple(dict.fromkeys(found))
