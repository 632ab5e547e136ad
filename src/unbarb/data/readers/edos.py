"""Explainable Detection of Online Sexism: posts from Gab and Reddit."""

from __future__ import annotations

import re
from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.split import group_key
from unbarb.data.table import rows
from unbarb.errors import InputError

SEXIST = {"sexist": True, "not sexist": False}

# A post that is not sexist may well attack another group, and on Gab many do. One that speaks of
# such a group is not known to be free of identity attacks.
OTHER_GROUP = re.compile(
    r"\b(?:j[e0]w|j00|kike|zion|muslim|islam|moslem|muzz|mohammed|black|white|whitey|negro|nigg|african|arab"
    r"|mexic|latino|hispanic|asian|chin[ek]|indian|paki|immigra|migrant|refugee|illegals|alien|gay|fag|homo"
    r"|lesb|dyke|queer|trann|trans|lgbt|retard|autis|disabled|cripple|goy|race|racial|diversit|chimp|shitskin"
    r"|christian|cathol|liberal|leftist|commie|marxist|third.world|shithole|invader|savage|subhuman)",
    re.IGNORECASE,
)


def edos(path: Path) -> list[Labelled]:
    """Read columns ``text`` and ``sexist``.

    Sexist posts of every category (threats, derogation, animosity, prejudiced discussion) have ``toxicity``
    and ``identity_attack`` 1. The others are only known not to be sexist: no toxicity label, and
    ``identity_attack`` 0 only where no other group is spoken of. The category *threats, plans to harm and
    incitement* is wider than the label ``threat``, which therefore stays unknown.

    Source: Kirk et al. 2023, "SemEval-2023 Task 10: Explainable Detection of Online Sexism",
    https://github.com/rewire-online/edos; CC0 1.0.
    """
    found = []
    for row in rows(path, ("text", "sexist")):
        if row["sexist"] not in SEXIST:
            raise InputError(f"{path}: sexist must be one of {', '.join(SEXIST)}, not {row['sexist']!r}")
        text = row["text"]
        if SEXIST[row["sexist"]]:
            labels = {"toxicity": 1.0, "identity_attack": 1.0}
        else:
            labels = {} if OTHER_GROUP.search(text) else {"identity_attack": 0.0}
        found.append(Labelled(text, labels, None, "edos", group_key(text)))
    return found
