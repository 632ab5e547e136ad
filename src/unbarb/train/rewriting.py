"""From pairs and sentences to rows for the editing trunk."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from unbarb.data.examples import Labelled, Pair
from unbarb.detect.wordpiece import CLS, SEP, WordPiece
from unbarb.rewrite.tags import APPEND, DELETE, KEEP, REPLACE, carry_out
from unbarb.train.align import lowered, tags_of, vocabulary
from unbarb.train.batches import Row
from unbarb.train.damage import damage
from unbarb.train.editor import TagRow

Tagged = list[tuple[tuple[str, ...], list[list[str]]]]


def tagged_pairs(pairs: Sequence[Pair]) -> Tagged:
    """Each toxic sentence with the tags of every reference that tags can say."""
    found: Tagged = []
    for pair in pairs:
        source = lowered(pair.toxic)
        said = [tags_of(source, lowered(neutral)) for neutral in pair.neutrals]
        found.append((source, [tags for tags in said if tags is not None]))
    return found


def tag_vocabulary(tagged: Tagged, seen: int) -> list[str]:
    return vocabulary((tags for _, many in tagged for tags in many), seen)


def tag_rows(tagged: Tagged, vocabulary: Sequence[str], wordpiece: WordPiece) -> list[TagRow]:
    """Rows with soft targets: references share a place by weight, near ones weigh more.

    A reference's weight falls by half for every two words it changes; a place whose tag is not
    in the vocabulary teaches nothing, and neither does a word without pieces.
    """
    index = {tag: at for at, tag in enumerate(vocabulary)}
    usable = [(source, many) for source, many in tagged if many and source]
    rows = []
    pieces = wordpiece.encode([source for source, _ in usable])
    for (_, many), piece in zip(usable, pieces, strict=True):
        first = {0: 0}
        for at, word in enumerate(piece.owner.tolist(), 1):
            first.setdefault(word + 1, at)
        weights = reference_weights(many)
        targets: dict[tuple[int, int], float] = {}
        for tags, weight in zip(many, weights, strict=True):
            for word, tag in enumerate(tags):
                if tag in index and word in first:
                    key = (first[word], index[tag])
                    targets[key] = targets.get(key, 0.0) + weight
        if targets:
            rows.append(TagRow(framed(piece.ids), tuple((p, t, w) for (p, t), w in targets.items())))
    return rows


def reference_weights(many: Sequence[Sequence[str]]) -> list[float]:
    """Weights of a sentence's references, summing to one."""
    changed = np.array([sum(tag != KEEP for tag in tags) for tags in many], float)
    weights = 0.5 ** ((changed - changed.min()) / 2)
    return [float(weight) for weight in weights / weights.sum()]


def framed(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate(([CLS], ids, [SEP])).astype(np.int64)


def phrases_of(vocabulary: Sequence[str]) -> list[str]:
    """What tags may put in: the pool of wrong phrases for damage."""
    return [tag.split("|", 1)[1] for tag in vocabulary if tag.startswith((REPLACE, APPEND))]


def toxic_words(tagged: Tagged, seen: int = 3, share: float = 0.6) -> dict[str, list[str]]:
    """Words that people mostly removed, grouped by the tag they got most often.

    Words of one group stand for each other: swapping them in a sentence teaches the tags more
    insults than the pairs hold.
    """
    met: Counter[str] = Counter()
    fates: dict[str, Counter[str]] = defaultdict(Counter)
    for source, many in tagged:
        for tags in many:
            for word, tag in zip(source, tags[1:], strict=True):
                met[word] += 1
                if removes(tag):
                    fates[word][tag] += 1
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word, tags_met in fates.items():
        if word.isalpha() and tags_met.total() >= max(seen, share * met[word]):
            tag, times = tags_met.most_common(1)[0]
            if times >= share * tags_met.total():
                groups[tag, _ending(word)].append(word)
    return {f"{tag} {ending}": words for (tag, ending), words in groups.items() if len(words) > 1}


def removes(tag: str) -> bool:
    """Whether `tag` takes its word out of the sentence."""
    return tag == DELETE or tag.startswith(REPLACE)


def _ending(word: str) -> str:
    """A rough sort of word: what is swapped should fit where it comes to stand."""
    return next((end for end in ("ing", "ed", "ly", "s", "y") if word.endswith(end)), "")


def swapped(tagged: Tagged, groups: Mapping[str, Sequence[str]], share: float, seed: int) -> Tagged:
    """The pairs, `share` of them with a removed word exchanged for another of its group."""
    rng = np.random.default_rng(seed)
    group_of = {word: words for words in groups.values() for word in words}
    found: Tagged = []
    for source, many in tagged:
        words = list(source)
        if rng.random() < share:
            for at, word in enumerate(words):
                gone = many and all(removes(tags[at + 1]) for tags in many)
                if gone and word in group_of:
                    others = group_of[word]
                    words[at] = others[int(rng.integers(len(others)))]
        found.append((tuple(words), many))
    return found


Sentence = tuple[tuple[str, ...], float, float]
"""Words, fluency and toxicity; NaN where nobody knows."""


def spoilt_edits(
    source: Sequence[str], tags: Sequence[str], toxic: frozenset[str], rng: np.random.Generator
) -> list[Sentence]:
    """The ways edits go wrong, from one reference's `tags`: a replacement left out, an insult left in."""
    found: list[Sentence] = []
    put = [at for at, tag in enumerate(tags) if tag.startswith(REPLACE)]
    if put:
        at = put[int(rng.integers(len(put)))]
        dropped = [DELETE if place == at else tag for place, tag in enumerate(tags)]
        found.append((tuple(carry_out(source, dropped)), 0.0, np.nan))
    rude = [at for at, word in enumerate(source, 1) if word in toxic and removes(tags[at])]
    if rude:
        at = rude[int(rng.integers(len(rude)))]
        left = [KEEP if place == at else tag for place, tag in enumerate(tags)]
        found.append((tuple(carry_out(source, left)), np.nan, 1.0))
    return [item for item in found if len(item[0]) > 1]


def sentence_rows(
    pairs: Sequence[Pair], tagged: Tagged, labelled: Sequence[Labelled], vocabulary: Sequence[str],
    wordpiece: WordPiece, seed: int, epoch: int, share: float, others: int,
) -> list[Row]:  # fmt: skip
    """Rows of (fluency, toxicity): both sides of pairs and other sentences, intact and damaged.

    A damaged neutral sentence is still not toxic; whether a damaged toxic one still is, nobody
    knows. `tagged` belongs to `pairs`, one by one. A `share` of them and `others` labelled
    sentences are drawn anew each epoch.
    """
    rng = np.random.default_rng((seed, epoch))
    phrases = phrases_of(vocabulary)
    toxic_set = frozenset(word for words in toxic_words(tagged).values() for word in words)
    texts: list[Sentence] = []
    for index in rng.permutation(len(pairs))[: round(share * len(pairs))].tolist():
        pair, (source, many) = pairs[index], tagged[index]
        neutral = lowered(pair.neutrals[int(rng.integers(len(pair.neutrals)))])
        texts += [(neutral, 1.0, 0.0), (source, 1.0, 1.0)]
        if len(neutral) >= 3:
            texts.append((tuple(damage(neutral, phrases, rng)), 0.0, 0.0))
        if len(source) >= 3 and rng.random() < 0.25:
            texts.append((tuple(damage(source, phrases, rng)), 0.0, np.nan))
        if many:
            texts += spoilt_edits(source, many[int(rng.integers(len(many)))], toxic_set, rng)
    for at in rng.permutation(len(labelled))[:others].tolist():
        words = lowered(labelled[at].text)
        toxicity = labelled[at].labels.get("toxicity", np.nan)
        texts.append((words, 1.0, toxicity))
        if len(words) >= 4 and rng.random() < 0.6:
            texts.append((tuple(damage(words, phrases, rng)), 0.0, 0.0 if toxicity == 0 else np.nan))
    pieces = wordpiece.encode([words for words, _, _ in texts])
    blank = np.empty(0, np.float32)
    return [
        Row(framed(piece.ids)[:96], np.array([fluency, toxicity], np.float32), blank)
        for piece, (_, fluency, toxicity) in zip(pieces, texts, strict=True)
        if len(piece.ids)
    ]
