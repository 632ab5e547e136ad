"""The section of docs/benchmarks.md about cleaning corpora, from what was measured so far."""

from __future__ import annotations

from typing import Any

SAME = {True: "the same", False: "NOT THE SAME"}


def section(result: dict[str, Any]) -> list[str]:
    """Lines of the section; parts that were not measured yet are left out."""
    parts = {"speed": _speed, "ray": _ray, "kill": _kill}
    lines = [
        "## Cleaning a corpus",
        "",
        "Comments of Wikipedia's talk pages at their natural rate of toxicity (`wiki_natural`: 9,842, of"
        " which 1.5 % were judged toxic), as JSON Lines. Past the first 9,842 rows each is the first half"
        " of one comment and the second half of another of the same class, so that no text comes twice"
        " (`benchmarks/corpus_rows.py`). `unbarb clean` with the policy `default` and"
        f" {result['machine']['cores']} workers, timed from start to end with everything it writes.",
        "",
    ]
    for name, told in parts.items():
        if name in result:
            lines += [*told(result[name]), ""]
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    return [*lines, f"Measured with {machine}."]


def _speed(part: dict[str, Any]) -> list[str]:
    counts, peer, faster = part["counts"], part["peer"], part["times_faster"]
    took = "; ".join(
        f"{task} " + ", ".join(f"{kind} {1e3 * value:.0f}" for kind, value in kinds.items())
        for task, kinds in peer["seconds_a_text"].items()
    )
    return [
        "| | rows | seconds | rows a second |",
        "|---|---|---|---|",
        f"| `unbarb clean` | {part['rows']:,} | {part['seconds']:.0f} | {part['rows_a_second']:,.0f} |",
        *(
            f"| BERT-base classifier, BART-base rewriter, {kind} | a sample: {peer['classified']:,} to"
            f" classify, {peer['rewritten']} to rewrite | | {rate:.1f} |"
            for kind, rate in peer["rows_a_second"].items()
        ),
        "",
        "That is "
        + " and ".join(f"**{times:.0f} times** the peer's in {kind}" for kind, times in faster.items())
        + f". {counts['changed']:,} rows were"
        f" changed, {counts['dropped']:,} dropped, {counts['flagged']:,} flagged. The peer is built from"
        " published configurations with random weights, for no model hub is reached, and time does not"
        " depend on what a weight is: the text-classification pipeline of transformers in batches of 64 of"
        " like length, and BART with four beams, which rewrites the same share of the rows"
        f" ({peer['share_rewritten']:.2%}). Milliseconds a text: {took}.",
    ]


def _ray(part: dict[str, Any]) -> list[str]:
    return [
        f"| engine, {part['rows']:,} rows | seconds | of them start-up | peak of all processes, MB (PSS) |",
        "|---|---|---|---|",
        *(
            f"| {name} | {part[name]['seconds']:.0f} | {part[name]['start_seconds']:.1f}"
            f" | {part[name]['pss_mb']} |"
            for name in ("local", "ray")
        ),
        "",
        "Start-up is the median run over one row for every worker. Beyond it, Ray takes"
        f" {part['overhead']:+.1%} of the local engine's time. All files of the two are"
        f" {SAME[not part['differ']]}, byte for byte: cleaned rows, lists, manifest and report. A tenth of"
        f" the rows takes the local engine {part['tenth']['pss_mb']} MB: ten times the rows,"
        f" {part['local']['pss_mb'] / part['tenth']['pss_mb']:.2f} times the memory.",
    ]


def _kill(part: dict[str, Any]) -> list[str]:
    return [
        f"kill -9 at {part['kills']} random moments, in {part['runs']} runs over {part['rows']:,} rows"
        f" ({part['counts']['unread']} of them no JSON), every second time to the first process alone; each"
        f" run was resumed until it ended: all files are {SAME[part['identical']]} as those of an unbroken"
        f" run. On Ray, {part['workers_killed']} workers killed at random moments, in"
        f" {part['workers_runs']} runs that were left to end: all files are"
        f" {SAME[part['workers_identical']]}.",
    ]
