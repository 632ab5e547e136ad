"""Is a rewrite less toxic, does it mean the same, is it fluent? Suite ``rewriting``.

*Copy*, *delete listed words* and *human reference* always stand beside what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from unbarb.evaluate.results import Example, Progress, Row, Table, digest_of, silent
from unbarb.metrics import bootstrap
from unbarb.metrics.bleu import bleu
from unbarb.metrics.chrf import chrf
from unbarb.metrics.measured import Measured, share
from unbarb.metrics.scored import Floats

NOTE = (
    "By judges trained apart: share with P(toxic) < .5, mean cosine to the source, mean P(intact),"
    " J = mean of (1 − toxicity) × (.4 cosine to source + .6 cosine to reference) × fluency, each"
    " system's J less that of the human references (paired), chrF and BLEU to the reference, share"
    " of the outputs equal to their source, share of the outputs that the policy's own check would"
    " still act on."
)
HUMAN = "human reference"
SHOWN = 24

Rewrite = Callable[[Sequence[str]], Sequence[str | None]]
"""Texts in, rewrites out; `None` where nothing may leave."""

Flags = Callable[[Sequence[str]], Sequence[bool]]


class Scores(Protocol):
    """What judges say, a number a sentence; :class:`unbarb.evaluate.judges.RewriteScores`."""

    @property
    def toxicity(self) -> Floats: ...

    @property
    def to_source(self) -> Floats: ...

    @property
    def fluency(self) -> Floats: ...

    @property
    def joint(self) -> Floats: ...

    def figures(self) -> dict[str, Measured]: ...


class Panel(Protocol):
    """What scores rewrites; :class:`unbarb.evaluate.judges.Judges`."""

    def score(
        self, sources: Sequence[str], outputs: Sequence[str | None], references: Sequence[str]
    ) -> Scores: ...


@dataclass(frozen=True, slots=True)
class Sentences:
    """Toxic sentences with one human rewrite each, equally many."""

    name: str
    sources: tuple[str, ...]
    references: tuple[str, ...]


def rewriting(
    data: Sentences,
    systems: Mapping[str, Rewrite],
    delete: Rewrite,
    judges: Panel,
    recheck: Flags | None = None,
    progress: Progress = silent,
) -> Table:
    """The table of `systems` and the three baselines; `recheck` is the policy's own check of outputs."""
    outputs: dict[str, Sequence[str | None]] = {
        "copy": data.sources,
        "delete listed words": delete(data.sources),
        HUMAN: data.references,
    }
    for name, rewrite in systems.items():
        progress(f"rewriting: {name}")
        outputs[name] = rewrite(data.sources)
    scores: dict[str, Scores] = {}
    for name, output in outputs.items():
        progress(f"judging: {name}")
        scores[name] = judges.score(data.sources, output, data.references)
    rows = []
    for name, output in outputs.items():
        figures = _figures(data, output, scores[name], scores[HUMAN].joint if name != HUMAN else None)
        if recheck is not None:
            figures["policy would act"] = share("flagged_share/1", _rechecked(output, recheck))
        rows.append(Row(name, figures))
    examples = tuple(example for name in systems for example in _examples(name, data, outputs, scores))
    digest = digest_of([data.sources, data.references])
    return Table("rewriting", data.name, NOTE, digest, tuple(rows), examples=examples)


def _figures(
    data: Sentences, output: Sequence[str | None], scores: Scores, human: Floats | None
) -> dict[str, Measured]:
    figures = scores.figures()
    if human is not None:
        found = bootstrap.paired_difference(scores.joint, human)
        if found is not None:
            n = figures["joint"].n
            figures["joint less human"] = Measured(
                "paired_difference/1",
                found.value,
                n,
                len(output) - n,
                found.low,
                found.high,
                seed=bootstrap.SEED,
            )
    figures["chrf"] = chrf(output, data.references)
    figures["bleu"] = bleu(output, data.references)
    same = [None if o is None else float(o == s) for o, s in zip(output, data.sources, strict=True)]
    figures["unchanged"] = share("unchanged_share/1", same)
    return figures


def _rechecked(output: Sequence[str | None], recheck: Flags) -> list[float | None]:
    flags = iter(recheck([text for text in output if text is not None]))
    return [None if text is None else float(next(flags)) for text in output]


def _examples(
    name: str, data: Sentences, outputs: Mapping[str, Sequence[str | None]], scores: Mapping[str, Scores]
) -> list[Example]:
    """Every so many, evenly over the set: not picked by how good they look."""
    step = max(1, len(data.sources) // SHOWN)
    found = []
    for i in range(0, len(data.sources), step)[:SHOWN]:
        own = scores[name]
        numbers = {
            "toxicity": own.toxicity,
            "meaning": own.to_source,
            "fluency": own.fluency,
            "joint": own.joint,
        }
        said = {
            key: round(float(column[i]), 3) for key, column in numbers.items() if column[i] == column[i]
        }
        found.append(Example(name, data.sources[i], outputs[name][i], data.references[i], said))
    return found
