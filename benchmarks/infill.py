"""Measures the rewriter 'infill' beside copying, deletion and TMaRCo, and writes its figures down.

After ``unbarb train infill-minilm`` (docs/infill.md has the commands), with judges of ``unbarb evaluate``::

    python benchmarks/infill.py measure RUN/model --judges DIR --out infill-outputs > benchmarks/infill.json
    python benchmarks/infill.py page

What a system said is kept in ``--out``, a file a system, so that a stopped measurement goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Any

from section import write_section

FIGURES = Path("benchmarks/infill.json")
PAGE = Path("docs/benchmarks.md")
INFILL, VERIFIED, COPY, DELETE = "infill", "infill, verified", "copy", "delete listed words"
PUBLISHED, KINDER = "TMaRCo as published", "TMaRCo, base reads the mask"
HUMAN = "human reference"
WORDS_OF_A_COMMENT = 30
OPTIONS: Mapping[str, Any] = {"deletions": False}
"""With copy and deletion excluded from its own candidates."""

DONE = {"allow": "allowed", "flag": "flagged", "rewrite": "changed", "mask": "masked"}
"""What the guard did, by its verdict's action, to a text that leaves."""

Rewrite = Callable[[str], str | None]


def measure(
    model: Path, judges: Path, out: Path, limit: int | None, clean: int, side: str
) -> dict[str, Any]:
    """J and its parts on held-out pairs, and what becomes of clean comments."""
    from unbarb.data.corpora import Corpora
    from unbarb.evaluate.judges import Judges
    from unbarb.evaluate.material import Material
    from unbarb.evaluate.tmarco import TMaRCo
    from unbarb.guard import Guard
    from unbarb.rewrite.infill.experts_torch import load_experts
    from unbarb.rewrite.infill.rewriter import Infill

    material = Material(Corpora.from_environment(), side, limit=limit)
    data = material.sentences()
    experts = load_experts(model)
    rewriter = Infill(experts=experts, **OPTIONS)
    guard = Guard(rewriter=rewriter, threads=1)
    published = TMaRCo(experts)
    kinder = replace(published, masked=True)
    out.mkdir(parents=True, exist_ok=True)
    proposals = Proposals(rewriter, guard)
    systems: dict[str, Rewrite] = {
        INFILL: proposals.first, VERIFIED: proposals.verified,
        PUBLISHED: lambda text: published([text])[0], KINDER: lambda text: kinder([text])[0],
    }  # fmt: skip
    outputs: dict[str, Sequence[str | None]] = {
        COPY: data.sources,
        DELETE: material.delete_words()(data.sources),
    }
    seconds = {}
    for name, rewrite in systems.items():
        outputs[name], seconds[name] = said(name, rewrite, data.sources, out)
    outputs[HUMAN] = data.references
    facts = json.loads((model.parent / "run.json").read_text("utf-8"))
    return {
        "pairs": {
            "name": "paradetox",
            "side": side,
            "n": len(data.sources),
            "what": "all" if limit is None else f"a sample by seed {material.seed}",
        },
        "options": dict(OPTIONS),
        "systems": judged(outputs, data.sources, data.references, Judges.load(judges)),
        "seconds_a_text": {name: value / len(data.sources) for name, value in seconds.items() if value},
        "clean": untouched(clean_comments(material, clean), rewriter, guard, published, out),
        "run": {name: facts.get(name) for name in ("digests", "rows", "base", "expert", "anti", "gate")},
        "models": {"experts": experts.digest, "infill": rewriter.digest, "policy": guard.policy.digest},
        "versions": {"unbarb": version("unbarb")},
    }


class Proposals:
    """What the rewriter proposes, asked once: the best, and the first that the guard's check lets by."""

    def __init__(self, rewriter: Any, guard: Any) -> None:
        self._rewriter, self._guard = rewriter, guard
        self._known: dict[str, Any] = {}

    def _of(self, text: str) -> tuple[Any, Any]:
        if text not in self._known:
            (analysis,) = self._guard.full.detect([text])
            self._known[text] = analysis, self._rewriter.propose([analysis])[0]
        return self._known[text]  # type: ignore[no-any-return]

    def first(self, text: str) -> str | None:
        """The best candidate; the text as it was where there is none, which costs J as copying does."""
        candidates = self._of(text)[1]
        return candidates[0].text if candidates else text

    def verified(self, text: str) -> str | None:
        """The first that passes; nothing where none does."""
        analysis, candidates = self._of(text)
        ceilings = self._guard.policy.ceilings("none")
        for candidate in candidates:
            if self._guard.verifier.check(analysis, [candidate], ceilings)[0].accepted:
                return str(candidate.text)
        return None


def said(name: str, rewrite: Rewrite, texts: Sequence[str], out: Path) -> tuple[list[str | None], float]:
    """What a system says to each text, and the processor seconds it took; what is on file is read."""
    path = out / f"{name.replace(' ', '-').replace(',', '')}.jsonl"
    known = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []
    with path.open("a", encoding="utf-8") as file:
        for at in range(len(known), len(texts)):
            began = process_time()
            row = {
                "text": texts[at],
                "output": rewrite(texts[at]),
                "seconds": round(process_time() - began, 4),
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            known.append(row)
            if at % 20 == 0:
                print(f"{name}: {at + 1:,} of {len(texts):,}", file=sys.stderr, flush=True)
    if [row["text"] for row in known] != list(texts):
        raise SystemExit(f"{path} holds other texts; delete it")
    return [row["output"] for row in known], sum(row["seconds"] for row in known)


def judged(
    outputs: Mapping[str, Sequence[str | None]],
    sources: Sequence[str],
    references: Sequence[str],
    judges: Any,
) -> dict[str, Any]:
    """Every system's figures, and by how much J of 'infill' is above its own (paired, with interval)."""
    from unbarb.metrics import bootstrap, paired
    from unbarb.metrics.measured import share

    scores = {name: judges.score(sources, output, references) for name, output in outputs.items()}
    found = {}
    for name, output in outputs.items():
        figures = {key: asdict(figure) for key, figure in scores[name].figures().items()}
        same = [
            None if one is None else float(one == source)
            for one, source in zip(output, sources, strict=True)
        ]
        figures["unchanged"] = asdict(share("unchanged_share/1", same))
        found[name] = {"figures": figures}
        if name not in (INFILL, VERIFIED, HUMAN):
            ours, theirs = scores[INFILL].joint, scores[name].joint
            more = bootstrap.paired_difference(ours, theirs)
            assert more is not None
            found[name]["infill_more"] = {
                "value": more.value, "low": more.low, "high": more.high, "p": paired.p_value(ours, theirs),
            }  # fmt: skip
    return found


def clean_comments(material: Any, limit: int) -> list[str]:
    """Short comments that nobody called toxic, as they come: Wikipedia talk at its natural rate."""
    from unbarb.data.split import split

    held = split(material.corpora.labelled("wiki_natural"), material.seed)[material.side]
    texts = [one.text for one in held if one.labels.get("toxicity") == 0.0]
    return [text for text in texts if 3 <= len(text.split()) <= WORDS_OF_A_COMMENT][:limit]


def untouched(texts: Sequence[str], rewriter: Any, guard: Any, published: Any, out: Path) -> dict[str, Any]:
    """What the guard does to each clean comment, and how many of them others change."""

    def alone(text: str) -> str:
        (analysis,) = guard.full.detect([text])
        candidates = rewriter.propose([analysis])[0]
        return candidates[0].text if candidates else text

    own, _ = said("clean, infill alone", alone, texts, out)
    theirs, _ = said("clean, TMaRCo", lambda text: published([text])[0], texts, out)
    return {
        "name": "wiki_natural", "n": len(texts),
        "guard": decided(guard.batch(texts)),
        "infill_alone": sum(a != b for a, b in zip(own, texts, strict=True)),
        "tmarco": sum(a != b for a, b in zip(theirs, texts, strict=True)),
    }  # fmt: skip


def decided(verdicts: Sequence[Any]) -> dict[str, int]:
    """How many verdicts are of each kind; every one is of exactly one."""
    kinds = Counter("withheld" if verdict.text is None else DONE[verdict.action] for verdict in verdicts)
    return {kind: kinds[kind] for kind in (*DONE.values(), "withheld")}


def told_of_clean(clean: Mapping[str, Any]) -> list[str]:
    """What becomes of clean comments; figures from before the guard's were kept have none of it."""
    kinds = clean.get("guard")
    by_guard = []
    if kinds is not None:
        each = [f"{kinds[kind]} {kind}" for kind in ("allowed", "flagged", "changed", "masked", "withheld")]
        by_guard = [f"by the guard with this rewriter {', '.join(each)};"]
    return [
        f"Clean comments ({clean['name']}, n = {clean['n']}, nobody called them toxic, at most",
        f"{WORDS_OF_A_COMMENT} words):",
        *by_guard,
        f"the rewriter alone, with no policy in front, changes {clean['infill_alone']};",
        f"TMaRCo changes {clean['tmarco']}.",
    ]


def lines(content: Mapping[str, Any]) -> list[str]:
    """The section of the page."""
    pairs, run = content["pairs"], content["run"]
    shown = ("non_toxic", "meaning", "to_reference", "fluency", "joint", "unchanged")
    told = [
        "## Infilling",
        "",
        f"ParaDetox, {pairs['side']} side of the split ({pairs['what']}, n = {pairs['n']}), by judges",
        "trained apart. Base: all-MiniLM-L6-v2 with an output layer and two adapters trained by the recipe",
        f"`infill-minilm`, in {run['base']['steps']:,} + 2 × {run['expert']['steps']:,} steps. *infill* is",
        "its best candidate, unverified, with copy and pure deletion excluded from its candidates; where",
        "it has none the source counts. *verified* is the first candidate that the guard accepts; where",
        "none passes it says nothing (unscored).",
        "Both TMaRCo use the same experts. The last column: J of *infill* less the system's, paired.",
        "",
        "| system | " + " | ".join(shown) + " | infill has more J |",
        "|---|" + "---|" * (len(shown) + 1),
    ]
    for name, system in content["systems"].items():
        cells = [cell(system["figures"][key]) for key in shown]
        more = system.get("infill_more")
        by = (
            f"{more['value']:+.3f} ({more['low']:+.3f}–{more['high']:+.3f}), p = {more['p']:.4f}"
            if more
            else ""
        )
        told.append(f"| {name} | " + " | ".join(cells) + f" | {by} |")
    ppl = {name: run[name]["dev_perplexity"] for name in ("base", "expert", "anti")}
    told += [
        "",
        "Perplexity of hidden pieces on dev texts, clean / toxic: "
        + ", ".join(f"{name} {one['absent']:.0f} / {one['present']:.0f}" for name, one in ppl.items())
        + ".",
        "",
        *told_of_clean(content["clean"]),
        "",
        "Processor seconds a text: "
        + ", ".join(f"{name} {one:.2f}" for name, one in content["seconds_a_text"].items())
        + " (verified: what verification adds).",
    ]
    return told


def cell(figure: Mapping[str, Any]) -> str:
    unscored = f", {figure['unscored']} unscored" if figure["unscored"] else ""
    return f"{figure['value']:.3f} ({figure['low']:.3f}–{figure['high']:.3f}){unscored}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    first = verbs.add_parser("measure")
    first.add_argument("model", type=Path)
    first.add_argument("--judges", type=Path, required=True)
    first.add_argument("--out", type=Path, default=Path("infill-outputs"))
    first.add_argument("--limit", type=int)
    first.add_argument("--clean", type=int, default=200)
    first.add_argument("--side", default="dev")
    verbs.add_parser("page")
    given = parser.parse_args()
    if given.verb == "measure":
        found = measure(given.model, given.judges, given.out, given.limit, given.clean, given.side)
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        write_section(PAGE, "infill", lines(json.loads(FIGURES.read_text("utf-8"))))


if __name__ == "__main__":
    main()
