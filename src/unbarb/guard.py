"""The guard: analyse → decide → propose → verify → verdict.

What leaves has been checked, and what failed the check does not leave. Building a guard may load
files; calling it touches no file, log or store.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path

from unbarb.detect.panel import Panel
from unbarb.detect.protocol import Detector
from unbarb.errors import InputError
from unbarb.plugins import Plugin, check_options, instance
from unbarb.policy import Policy, verdict_on, verdict_within
from unbarb.rewrite.mask import MASK
from unbarb.rewrite.protocol import Rewriter
from unbarb.text import Analysis, Direction, Edit, Step, Verdict, apply
from unbarb.verify.ladder import Ladder, Timer, timed
from unbarb.verify.standard import standard_verifier
from unbarb.verify.verifier import Verifier

THE_POLICYS = "the policy's"
"""The rewriter that the policy names."""


class Guard:
    """Finds toxic language, rewrites it and verifies the rewrite; one verdict per text.

    Args:
        policy: a preset's name, a policy file, or a :class:`~unbarb.policy.Policy`.
        detectors: names of plug-ins or detectors; default those the policy names.
        rewriter: name of a plug-in or a rewriter; default the one the policy names; None loads none (for
            a guard that only checks).
        verifier: what every rewrite must pass; default that of the embedded model.
        threads: texts worked on side by side; default one per core, at most four.
        timer: is told the seconds of each step; default nobody is.

    Raises:
        ConfigError: the policy is not valid.
        PluginError: a detector or rewriter cannot be loaded. A guard fails closed.
        ModelError: model files are missing or damaged.
    """

    def __init__(
        self,
        policy: str | Path | Policy = "default",
        detectors: Sequence[str | Plugin | Detector] | None = None,
        rewriter: str | Plugin | Rewriter | None = THE_POLICYS,
        *,
        verifier: Verifier | None = None,
        threads: int | None = None,
        timer: Timer | None = None,
    ) -> None:
        self.policy = policy if isinstance(policy, Policy) else Policy.load(policy)
        self._threads = threads or min(4, os.cpu_count() or 1)
        self._timer = timer
        options = {"gate": self.policy.gate, "threads": self._threads}
        chosen = self.policy.detectors if detectors is None else detectors
        proposing = self.policy.rewriter if rewriter is THE_POLICYS else rewriter
        check_options({"unbarb.detectors": chosen, "unbarb.rewriters": [proposing]})
        self.panel = Panel([instance("unbarb.detectors", one, options) for one in chosen])
        self.unscored = self.policy.unscored(self.panel.labels)
        # The gate's scores are for settling, never for verifying: candidates are read in full.
        self.full = Panel([getattr(member, "ungated", member) for member in self.panel.members])
        self.verifier = verifier
        self._ladder: Ladder | None = None
        if proposing is not None:
            self.verifier = verifier or standard_verifier(self.full)
            rewriters = [instance("unbarb.rewriters", one, {}) for one in (proposing, "mask")]
            self._ladder = Ladder(rewriters, self.full, self.verifier, timer=timer)

    @property
    def rewrites(self) -> bool:
        """Whether it can change texts; one that was built without a rewriter only checks."""
        return self._ladder is not None

    def __call__(
        self, text: str, *, id: str | None = None, direction: Direction = "none", context: str | None = None
    ) -> Verdict:
        """Decide about `text` and carry the decision out."""
        return self.batch([text], ids=[id], direction=direction, context=[context])[0]

    def check(
        self, text: str, *, id: str | None = None, direction: Direction = "none", context: str | None = None
    ) -> Verdict:
        """Decide about `text` and change nothing."""
        return self.check_batch([text], ids=[id], direction=direction, context=[context])[0]

    def batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str | None] | None = None,
        direction: Direction = "none",
        context: Sequence[str | None] | None = None,
    ) -> list[Verdict]:
        """Decide about each text and carry the decision out; verdicts in order.

        A text's verdict does not depend on the others.
        """
        checked = self._checked(texts, ids=ids, direction=direction, context=context)
        decided = [verdict for verdict, _ in checked]
        todo = [at for at, verdict in enumerate(decided) if verdict.action in ("rewrite", "mask")]
        if len(todo) < 2 or self._threads == 1:
            done = [self._carried_out(*checked[at]) for at in todo]
        else:
            with ThreadPoolExecutor(self._threads, thread_name_prefix="unbarb") as pool:
                # In the caller's context, so that a timer knows whose work it is told of.
                contexts = [copy_context() for _ in todo]
                done = list(
                    pool.map(lambda at, own: own.run(self._carried_out, *checked[at]), todo, contexts)
                )
        for at, verdict in zip(todo, done, strict=True):
            decided[at] = verdict
        return decided

    def check_batch(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str | None] | None = None,
        direction: Direction = "none",
        context: Sequence[str | None] | None = None,
    ) -> list[Verdict]:
        """Decide about each text and change nothing; verdicts in order.

        Raises:
            InputError: `ids` or `context` are not as many as the texts, or a text is not a string.
        """
        checked = self._checked(texts, ids=ids, direction=direction, context=context)
        return [verdict for verdict, _ in checked]

    def _checked(
        self,
        texts: Sequence[str],
        *,
        ids: Sequence[str | None] | None,
        direction: Direction,
        context: Sequence[str | None] | None,
    ) -> list[tuple[Verdict, Analysis]]:
        """What is decided about each text, and the analysis that it rests on."""
        for name, given in (("ids", ids), ("context", context)):
            if given is not None and len(given) != len(texts):
                raise InputError(
                    f"{len(texts)} texts but {len(given)} {name}; give one for each text, or none"
                )
        for text in texts:
            if not isinstance(text, str):
                raise InputError(f"a text must be a str, not {type(text).__name__}: {text!r:.60}")
        with timed(self._timer, "detect"):
            analyses = self.panel.detect([self._without_allowed(text) for text in texts], context=context)
        return [
            (
                verdict_on(
                    text, analysis, self.policy, name=name, direction=direction, unscored=self.unscored
                ),
                analysis,
            )
            for text, analysis, name in zip(texts, analyses, ids or [None] * len(texts), strict=True)
        ]

    def within(
        self, texts: Sequence[str], wholes: Sequence[Verdict], *, ids: Sequence[str | None] | None = None
    ) -> list[Verdict]:
        """Carry out on each sentence what was decided about the whole text that it is part of.

        As in a whole text, a sentence stays as it is where every label is under its ceiling, and one that
        nothing can mend is masked whole where the policy allows it. `wholes` are verdicts whose action is
        rewrite or mask; what comes back is about the sentences alone.
        """
        analyses = self.full.detect([self._without_allowed(text) for text in texts])
        return [
            self._within(text, analysis, whole, name)
            for text, analysis, whole, name in zip(
                texts, analyses, wholes, ids or [None] * len(texts), strict=True
            )
        ]

    def _within(self, text: str, analysis: Analysis, whole: Verdict, name: str | None) -> Verdict:
        verdict = verdict_within(text, analysis, whole, self.policy, name=name)
        if verdict.action not in ("rewrite", "mask"):
            return verdict
        done = self._carried_out(verdict, analysis)
        return done if done.text is not None else self.withheld(verdict)

    def withheld(self, verdict: Verdict) -> Verdict:
        """`verdict` on a sentence that nothing can mend: masked whole if the policy allows that.

        The rest of a text need not be withheld for one sentence. Where masks are not allowed, the policy
        says whether to flag, route or block.
        """
        if verdict.action != "mask" and self.policy.on_rewrite_failure != "mask":
            return self._not_rewritten(verdict, ())
        edits = (Edit(0, len(verdict.original.rstrip()), MASK),)
        text = apply(edits, verdict.original)
        return replace(
            verdict,
            action="mask",
            text=text,
            edits=edits,
            scores_after=self.full.detect([text])[0].scores,
            step="mask",
            meaning=0.0,
            not_detoxifiable=verdict.action != "mask",
            warnings=(*verdict.warnings, "no rewrite passed the check"),
        )

    def _without_allowed(self, text: str) -> str:
        """The text with allow-listed phrases blanked: same length, nothing to find there."""
        for span in self.policy.allowed_spans(text):
            text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
        return text

    def _carried_out(self, verdict: Verdict, analysis: Analysis) -> Verdict:
        """Take `verdict`, which rests on `analysis`, down the ladder and say where it came to rest."""
        if self._ladder is None:
            return verdict
        ceilings = self.policy.ceilings(verdict.direction)
        first: Step = "edit" if verdict.action == "rewrite" else "mask"
        masks = first == "mask" or self.policy.on_rewrite_failure == "mask"
        outcome = self._ladder.descend(
            analysis.text, ceilings, first, "mask" if masks else "delete", known=analysis
        )
        verdict = replace(verdict, warnings=verdict.warnings + outcome.failures)
        if outcome.step == "block":
            return self._not_rewritten(verdict, outcome.refused)
        return replace(
            verdict,
            action="mask" if outcome.step == "mask" else "rewrite",
            text=apply(outcome.edits, verdict.original),
            edits=outcome.edits,
            scores_after=outcome.scores,
            step=outcome.step,
            meaning=outcome.meaning,
            models={**verdict.models, **outcome.models},
            not_detoxifiable=outcome.step == "mask" and verdict.action == "rewrite",
        )

    def _not_rewritten(self, verdict: Verdict, refused: Sequence[str]) -> Verdict:
        """No rung held: the policy says whether to flag, route or block."""
        action = self.policy.on_rewrite_failure
        action = action if action in ("flag", "route") else "block"
        last = f"; last refused: {refused[-1]}" if refused else ""
        return replace(
            verdict,
            action=action,
            text=verdict.original if action == "flag" else None,
            step="none" if action == "flag" else action,
            rule=self.policy.event("rewrite_failure").rule,
            not_detoxifiable=True,
            message=self.policy.message,
            warnings=(*verdict.warnings, f"no rewrite passed the check{last}"),
        )
