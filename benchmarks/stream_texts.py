"""Texts as a model streams them: prose, code, tables, lists, JSON, other languages, and some insults."""

from __future__ import annotations

from random import Random

from comments import CLAUSES, INSULTS

FORMATTED = (
    '```python\ndef total(rows):\n    """Add up. Skip what is empty."""\n'
    "    return sum(row.n for row in rows if row)\n```\n\n",
    "```sh\n$ git log --oneline | head -n 5  # the last five\n$ kill -TERM 4711; rm -rf build/\n```\n\n",
    "| name | n. | share |\n|:-----|---:|------:|\n| Ada | 12 | 0.5 |\n| Bob | 3. | 0.125 |\n\n",
    "1. Open the page.\n2. Choose *Edit*:\n   - add a source, e.g. a book;\n   - sign it.\n3. Save.\n\n",
    '{"id": 7, "tags": ["a", "b.c"], "note": "Done. \\"Yes!\\" he said.", "next": null}\n\n',
    "## What changed?\n\n> It was slow… now it is not.\n\n",
    "See https://example.org/a/b.html?q=1.2&r=3. The rest is in `docs/index.md`.\n",
    "$$\\sum_{i=1}^{n} x_i \\leq 3.5$$\n\n",
    "Well done 👩‍👩‍👧 👍🏽! — n\u0303o\u0308 ﬁ ½ …\r\n\r\n",
)
FOREIGN = (
    "Morgen fahren wir mit dem Zug nach Hamburg und besuchen meine Tante.\n",
    "La bibliothèque ouvre à neuf heures et ferme à midi le samedi.\n",
    "Mañana llegamos muy tarde a la estación, así que no nos esperes.\n",
    "今天天气很好。我们去公园走走吧！\n",
    "Завтра утром мы поедем на дачу. Возьми с собой книгу.\n",
    "東京駅で会いましょう。三時でいいですか？\n",
)
RUDE = (
    *INSULTS,
    "You are an\nidiot and a liar.",
    "What an 1d!0t you are.",
    "You are such an i d i o t.",
    "Honestly, shut up, you sad little moron!",
)
WORDS = (
    "idiot", "moron", "liar", "brain-dead", "disgusting", "clown", "stupid", "dumbest", "loser", "1d!0t",
    "i d i o t",
)  # fmt: skip
"""What is rude in `RUDE`; none of it stands in the other texts."""


def sentence(random: Random) -> str:
    clauses = random.sample(CLAUSES, random.choice((1, 1, 2)))
    said = random.choice((", and ", ", but ", "; ", ", so ")).join(clauses)
    return f"{said[0].upper()}{said[1:]}{random.choice(('.', '.', '.', '!', '?', '…'))}"


def texts(count: int, *, rude: bool, seed: int) -> list[str]:
    """`count` texts of 3 to 40 parts; in those that are `rude`, every eighth part or so is an insult."""
    random = Random(seed)
    return ["".join(_part(random, rude) for _ in range(random.randint(3, 40))) for _ in range(count)]


def _part(random: Random, rude: bool) -> str:
    drawn = random.random()
    if drawn < 0.12:
        return random.choice(FORMATTED)
    if drawn < 0.16:
        return random.choice(FOREIGN)
    said = random.choice(RUDE) if rude and drawn > 0.88 else sentence(random)
    return said + random.choice((" ", " ", " ", "\n", "\n\n"))


def chunks(text: str, random: Random) -> list[str]:
    """`text` cut anywhere: single characters, tokens, or long stretches."""
    mean = random.choice((1, 2, 4, 4, 20, 200, 2_000))
    found, at = [], 0
    while at < len(text):
        size = random.randint(1, 2 * mean - 1)
        found.append(text[at : at + size])
        at += size
    return found
