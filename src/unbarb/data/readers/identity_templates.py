"""Identity terms in friendly and in hostile sentences."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

from unbarb.data.examples import NOTHING, Labelled
from unbarb.data.split import group_key
from unbarb.data.table import rows

# "Being deaf is vile", "Ian is a stupid Sikh", "You are a dumb lesbian" call somebody something.
CALLS_NAMES = frozenset({"being_adj", "name_adj", "you_are_adj", "you_occupation"})


def identity_templates(path: Path, per_pattern: int = 400, seed: int = 7) -> list[Labelled]:
    """Read ``template``, ``toxicity`` and ``text``, at most `per_pattern` rows per template and side.

    Without the limit one template (``name_adj``, 72,000 rows) would be nearly all of it. Friendly
    sentences have all labels 0. Hostile ones have ``toxicity`` 1 and ``identity_attack`` 1, but 0 where the
    target is an occupation, and ``insult`` 1 where somebody is called something; other labels are unknown
    ("kill" and "murder" stand among verbs like "hate", coarse words among mild ones).

    Source: Dixon et al. 2018, "Measuring and Mitigating Unintended Bias in Text Classification", English
    sentence templates, https://github.com/conversationai/unintended-ml-bias-analysis; CC BY 4.0.
    """
    patterns: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for row in rows(path, ("template", "toxicity", "text")):
        patterns[row["template"], row["toxicity"] == "toxic"].append(row["text"])
    rng = random.Random(seed)
    found = []
    for (template, hostile), texts in sorted(patterns.items()):
        chosen = sorted(set(texts))
        for text in rng.sample(chosen, min(per_pattern, len(chosen))):
            labels = _hostile(template) if hostile else NOTHING
            found.append(Labelled(text, labels, None, "identity_templates", group_key(text)))
    return found


def _hostile(template: str) -> dict[str, float]:
    labels = {"toxicity": 1.0, "identity_attack": 0.0 if template == "you_occupation" else 1.0}
    return labels | ({"insult": 1.0} if template in CALLS_NAMES else {})
