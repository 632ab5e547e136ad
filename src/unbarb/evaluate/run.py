"""All suites over one guard: which there are, what each needs, and the report they make together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from unbarb.data.behaviours import sentences as behaviour_sentences
from unbarb.detect.protocol import Detector
from unbarb.errors import ConfigError
from unbarb.evaluate.agreement import known
from unbarb.evaluate.judges import Judges
from unbarb.evaluate.judges.texts import judge_corpora
from unbarb.evaluate.lists import CONTRASTS, INSULTS, LOOKALIKES, Lists
from unbarb.evaluate.material import Material
from unbarb.evaluate.results import Progress, Report, Table, silent
from unbarb.evaluate.subjects import Bare
from unbarb.evaluate.suites.behaviours import Case, behaviours
from unbarb.evaluate.suites.detection import detection, labels
from unbarb.evaluate.suites.gate import Gated, gate
from unbarb.evaluate.suites.obfuscation import obfuscation
from unbarb.evaluate.suites.rewriting import rewriting
from unbarb.evaluate.suites.spans import spans
from unbarb.evaluate.suites.verification import verification
from unbarb.evaluate.systems import Systems

PER_BEHAVIOUR = 100
VERSIONED = ("unbarb", "numpy", "torch", "transformers", "sacrebleu")


@dataclass(slots=True)
class Bench:
    """One evaluation under way: systems, material, and the judges once somebody needs them.

    `lists` are the test lists, `home` is where judges are kept, `trained` are judges already at hand.
    """

    systems: Systems
    material: Material
    lists: Lists
    home: Path
    threads: int = 1
    progress: Progress = silent
    trained: Judges | None = None

    def judges(self) -> Judges:
        """The judges, trained now if they never were."""
        if self.trained is None:
            corpora = judge_corpora(self.material.corpora, self.material.seed)
            self.trained = Judges.load_or_train(self.home, corpora, self.threads, progress=self.progress)
        return self.trained

    def quality(self) -> dict[str, Any]:
        """Digest and held-out quality of the judges, if any were used."""
        if self.trained is None:
            return {}
        return {"digest": self.trained.digest, "quality": self.trained.quality}


def run(bench: Bench, suites: Sequence[str] = ()) -> Report:
    """Run `suites`, all by default, and give the report.

    Raises:
        ConfigError: a suite of that name does not exist.
        InputError: a corpus that a suite needs is missing.
    """
    unknown = [name for name in suites if name not in SUITES]
    if unknown:
        raise ConfigError(f"no suite named {unknown[0]!r}; there are {', '.join(SUITES)}")
    tables: list[Table] = []
    for name in suites or SUITES:
        bench.progress(f"suite {name}")
        tables += SUITES[name](bench)
    return Report(
        tables=tuple(tables),
        seed=bench.material.seed,
        split=bench.material.side,
        models=bench.systems.models,
        policy=bench.systems.policy,
        judges=bench.quality(),
        versions={name: version(name) for name in VERSIONED},
        agreement="" if bench.trained is None else known(bench.home, bench.trained.digest),
    )


def _detection(bench: Bench) -> list[Table]:
    sets = bench.material.detection()
    return [detection(texts, bench.systems.subjects, bench.progress) for texts in sets]


def _labels(bench: Bench) -> list[Table]:
    return [labels(bench.material.labels(), bench.systems.subjects, bench.progress)]


def _spans(bench: Bench) -> list[Table]:
    return [spans("toxic_spans", bench.material.spans(), bench.systems.subjects, bench.progress)]


def _behaviours(bench: Bench) -> list[Table]:
    material = bench.material
    cases = [
        Case(
            sentence.text,
            sentence.behaviour,
            sentence.labels["identity_attack"] >= 0.5,
            harmless=sentence.labels.get("toxicity") == 0,
        )
        for sentence in behaviour_sentences("test", PER_BEHAVIOUR, material.seed)
        if "identity_attack" in sentence.labels
    ]
    return behaviours("test patterns", cases, bench.systems.subjects, bench.progress)


def _obfuscation(bench: Bench) -> list[Table]:
    lists = bench.lists
    name = lists.called(INSULTS, LOOKALIKES)
    return [obfuscation(name, lists.insults, lists.lookalikes, bench.systems.subjects, bench.progress)]


def _rewriting(bench: Bench) -> list[Table]:
    systems, material = bench.systems, bench.material
    judges = bench.judges()
    delete = material.delete_words()
    return [
        rewriting(data, systems.rewriters, delete, judges, systems.recheck, bench.progress)
        for data in (material.sentences(), material.written())
    ]


def _verify(bench: Bench) -> list[Table]:
    if bench.systems.accepts is None:
        return []
    data = bench.material.sentences()
    clean = bench.judges().toxicity(data.references) < 0.5
    good = [
        pair for pair, ok in zip(zip(data.sources, data.references, strict=True), clean, strict=True) if ok
    ]
    name = f"contrast pairs ({bench.lists.called(CONTRASTS)}) and references"
    return [verification(name, bench.lists.contrasts, good, bench.systems.accepts)]


def _gate(bench: Bench) -> list[Table]:
    if bench.systems.gated is None:
        return []
    with_gate, without = bench.systems.gated
    data: list[Gated] = []
    for texts in bench.material.detection():
        open_, closed = (
            Bare(detector).outcomes(texts.texts, bench.progress) for detector in (without, with_gate)
        )
        settled = _settled(with_gate, texts.texts)
        data += [
            Gated(text, toxic == 1, o.flagged, c.flagged, s, texts.name)
            for text, toxic, o, c, s in zip(
                texts.texts, texts.labels["toxicity"], open_, closed, settled, strict=True
            )
        ]
    return [gate("detection texts", data, with_gate.digest)]


def _settled(detector: Detector, texts: Sequence[str]) -> list[bool]:
    """The gate settled what came back without word scores: only the encoder gives those."""
    return [bool(analysis.text.strip()) and not analysis.words for analysis in detector.detect(texts)]


SUITES: Mapping[str, Callable[[Bench], list[Table]]] = {
    "detection": _detection,
    "labels": _labels,
    "spans": _spans,
    "behaviours": _behaviours,
    "obfuscation": _obfuscation,
    "rewriting": _rewriting,
    "verify": _verify,
    "gate": _gate,
}
