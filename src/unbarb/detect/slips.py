"""Insults in words that no disguise explains: glued to others (``youidiot``) or with a letter slipped."""

from __future__ import annotations

from functools import cache, lru_cache

from unbarb.detect.wordlist import load

SHORTEST_SLIP = 6
"""Only words this long are looked up with one letter wrong: shorter ones have many neighbours."""

SHORTEST_GLUED = 4
"""The shortest listed word that is looked for in a glued one."""

_TURNED = ("ing", "in", "ed", "ers", "er", "est")
_BEFORE = """
you your youre youare ur the such this that these those are all big fat old and little total go get shut
just real really complete absolute what they youfat theyre my bloody dirty filthy hey damn goddamn what
"""
_AFTER = "you off up ass asses face head boy girl people yourself"
_FIRST = frozenset(_BEFORE.split())
_LAST = frozenset(_AFTER.split())


@cache
def _deleted() -> dict[str, tuple[str, ...]]:
    """Every plain long word, and it without one of its letters, with the words that gave it."""
    found: dict[str, tuple[str, ...]] = {}
    for form, entry in load().words.items():
        steady = entry.plain and entry.sense == "always" and form.isalpha()
        if steady and len(form) >= SHORTEST_SLIP and not form.endswith(_TURNED):
            for key in {form, *(form[:i] + form[i + 1 :] for i in range(1, len(form)))}:
                found[key] = (*found.get(key, ()), form)
    return found


@lru_cache(maxsize=16384)
def near(word: str) -> str | None:
    """The plain listed word that `word` (lower case letters) is with one letter wrong, or None.

    One letter added, left out or changed, or two neighbours swapped (Damerau 1964); the first is kept.
    """
    listed = load()
    if len(word) < SHORTEST_SLIP - 1 or word in listed.words or word in listed.innocent:
        return None
    index = _deleted()
    keys = {word, *(word[:i] + word[i + 1 :] for i in range(1, len(word)))}
    forms = {form for key in keys for form in index.get(key, ()) if _one_apart(word, form)}
    return min(forms, key=lambda form: (-listed.words[form].n, form)) if forms else None


def _one_apart(word: str, form: str) -> bool:
    if len(word) < len(form):
        return len(word) >= SHORTEST_SLIP - 1 and len(form) > SHORTEST_SLIP
    if len(word) > len(form):
        return True
    places = [i for i, (a, b) in enumerate(zip(word, form, strict=True)) if a != b]
    if len(places) == 1:
        return True
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    return word[places[0]] == form[places[1]] and word[places[1]] == form[places[0]]


@lru_cache(maxsize=16384)
def glued(word: str) -> tuple[int, ...]:
    """Where to cut `word` (lower case letters) so that all parts are everyday or listed words.

    Returns:
        The cuts; empty where it does not come apart, or no part is a plain listed word.
    """
    listed = load()
    if not 6 <= len(word) <= 30 or word in listed.words or word in listed.innocent:
        return ()
    cuts = _cuts(word, 0, False)
    return cuts[1:] if cuts else ()


def _cuts(word: str, at: int, rude: bool) -> tuple[int, ...]:
    """Where the parts of ``word[at:]`` start; empty where there are none or none of all is rude."""
    words = load().words
    for end in range(len(word), at + 1, -1):
        part = word[at:end]
        entry = words.get(part)
        bad = entry is not None and entry.plain and len(part) >= SHORTEST_GLUED
        listed = entry is not None and len(part) >= SHORTEST_GLUED
        if not listed and part not in (_LAST if end == len(word) else _FIRST):
            continue
        if end == len(word):
            if (rude or bad) and at > 0:
                return (at,)
            continue
        rest = _cuts(word, end, rude or bad)
        if rest:
            return (at, *rest)
    return ()
