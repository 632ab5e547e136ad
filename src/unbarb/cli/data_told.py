"""How a prepared set is told in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unbarb.data.prepared import Prepared

MEANING = {
    "duplicate": "the same letters as another",
    "duplicate_with_other_labels": "the same letters as another, labelled otherwise",
    "near_duplicate": "source nearly the same as another",
    "unchanged": "target that changes nothing",
    "empty": "without text",
    "unlabelled": "without a label",
    "too_long": "longer than --longest",
    "no_neutral": "sentences that nobody rewrote",
    "no_neutral_side": "no side toxic enough beside a neutral one",
    "not_in_plan": "not in the plan",
    "similarity": "similarity out of its limits",
    "length": "lengths too different",
    "unscored": "without any score",
    "unreadable": "that cannot be read",
    "augmented_into_test": "made, but of a held-out source",
}
"""What the reasons in the manifest mean; others speak for themselves."""


def lines(prepared: Prepared) -> Iterator[str]:
    """Rows, what went and why, the plan, what was made, leaks."""
    manifest = prepared.manifest
    rows = ", ".join(f"{count:,} {split}" for split, count in manifest["rows"].items())
    yield f"{prepared.folder}: {rows}; {prepared.kind}, digest {prepared.digest[:12]}"
    if "read" in manifest:
        yield f"  read {manifest['read']:,} rows: " + "; ".join(map(_source, manifest["sources"]))
    for reason, count in manifest.get("drops", {}).items():
        yield f"  left out {count:,}: {MEANING.get(reason, reason)}"
    yield from _plan(manifest.get("plan") or {})
    for way, count in manifest.get("augmented", {}).items():
        yield f"  added {count:,} training rows: {way}"
    yield "  sources in two splits: 0"
    leak = manifest.get("leaks", {}).get("of_a_split_by_row")
    if leak:
        yield (
            f"  a split by row would leak: {leak['leaked']:.1%} of the test rows of a {leak['share']:.0%}"
            f" split have their source in train ({leak['rows']:,} rows of {leak['sources']:,} sources,"
            f" mean of {leak['draws']} splits)"
        )


def _source(source: Mapping[str, Any]) -> str:
    layout = "" if source["layout"] == source["name"] else f" as {source['layout']}"
    return f"{source['rows']:,} of {source['name']}{layout}"


def _plan(plan: Mapping[str, Any]) -> Iterator[str]:
    for split, done in plan.get("splits", {}).items():
        total, wanted = sum(done["taken"].values()), sum(done["wanted"].values())
        how = (
            f"scaled by {done['scale']:.3f}" if done["scale"] < 1 else "met" if total == wanted else "short"
        )
        yield f"  plan {plan['name']}, {split}: {total:,} of {wanted:,} rows, {how}"
        for label, count in done["taken"].items():
            there, asked = done["there"][label], done["wanted"][label]
            yield f"    {label}: {count:,} taken of {there:,} (plan: {asked:,})"
