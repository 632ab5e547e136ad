"""From a guard to what is evaluated: itself, its parts, and what it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb import plugins
from unbarb.detect.protocol import Detector
from unbarb.evaluate.results import Progress, silent
from unbarb.evaluate.subjects import AlwaysClean, Bare, Guarded, chunks
from unbarb.evaluate.suites.rewriting import Flags, Rewrite
from unbarb.evaluate.suites.verification import Accepts
from unbarb.evaluate.systems import Systems
from unbarb.guard import Guard
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Edit
from unbarb.verify.standard import standard_verifier

COMPARED = ("linear", "lexicon")
"""Detectors of this package that a guard is compared with, besides *always clean*."""


def systems_of(guard: Guard, progress: Progress = silent) -> Systems:
    """The guard beside *linear*, *lexicon* and *always clean*; its rewriting, its verify and its gate.

    Raises:
        PluginError: a detector to compare with does not load.
    """
    members: list[Detector] = list(guard.panel.members)
    others = [Bare(plugins.load("unbarb.detectors", name)()) for name in COMPARED]
    pairs = ((one, getattr(one, "ungated", one)) for one in members)
    gated = next(((one, bare) for one, bare in pairs if bare is not one), None)
    return Systems(
        subjects=(Guarded(guard, digest=guard.policy.digest), *others, AlwaysClean()),
        rewriters={"unbarb": _rewrite(guard, progress)},
        recheck=_recheck(guard),
        accepts=_accepts(guard),
        gated=gated,
        models={one.name: one.digest for one in members},
        policy={"name": guard.policy.name, "digest": guard.policy.digest},
    )


def _rewrite(guard: Guard, progress: Progress) -> Rewrite:
    def rewrite(texts: Sequence[str]) -> list[str | None]:
        found: list[str | None] = []
        for chunk in chunks(texts, 32):
            found += [verdict.text for verdict in guard.batch(chunk)]
            progress(f"rewriting: {len(found):,} of {len(texts):,}")
        return found

    return rewrite


def _recheck(guard: Guard) -> Flags:
    """Whether the policy would still do more than flag."""
    return lambda texts: [
        verdict.action not in ("allow", "flag")
        for chunk in chunks(texts)
        for verdict in guard.check_batch(chunk)
    ]


def _accepts(guard: Guard) -> Accepts:
    """Verify as the guard uses it: candidates are read in full, without the gate."""
    full = guard.full
    verifier = guard.verifier or standard_verifier(full)
    ceilings = guard.policy.ceilings("none")

    def accepts(sources: Sequence[str], candidates: Sequence[str]) -> list[bool | None]:
        found: list[bool | None] = []
        for analysis, text in zip(full.detect(sources), candidates, strict=True):
            whole = Candidate(text, (Edit(0, len(analysis.text), text),), "edit")
            found.append(verifier.check(analysis, [whole], ceilings)[0].accepted)
        return found

    return accepts
