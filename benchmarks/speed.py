"""Speed and size against named peers, as ratios of one run: ``make bench``.

Peers are built from their published configurations with random weights, for time does not depend
on what a weight is: BERT-base (12 layers, 768 wide) as a classifier, BART-base (6 + 6 layers, 768
wide) rewriting with beam 5 and exactly 20 new tokens. Both run in fp32 and bf16; the better one
counts. Every figure is the median of several runs, taken in turns with its peer.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from random import Random

import torch
import transformers
from transformers import BartConfig, BartForConditionalGeneration, BertConfig, BertForSequenceClassification

from unbarb import Guard
from unbarb.detect.embedded import Embedded

ELEVEN_WORDS = "you are a complete idiot and everybody here knows it very"
LAST_WORDS = [
    "well", "soon", "now", "much", "early", "late", "often", "far", "long", "good", "true",
    "plainly", "surely", "clearly", "quickly", "deeply", "truly", "widely", "simply", "gladly",
    "nearly", "fully", "mostly", "firmly", "today", "here", "there", "really", "finally", "easily",
    "openly", "badly", "daily", "calmly", "loudly", "kindly", "softly", "slowly", "neatly",
    "safely",
]  # fmt: skip
TWELVE_WORDS = f"{ELEVEN_WORDS} {LAST_WORDS[0]}"
INSULTS = ("you are a complete idiot", "shut up you stupid moron", "what a pathetic little liar you are")
CLAUSES = (
    "thanks for the update", "I will have a look at it tomorrow", "the second paragraph needs a source",
    "I moved the table to the end of the section", "the map is from an older edition",
    "could you explain why the date was changed", "the museum opens again in spring",
    "we should ask the others before we merge the pages", "her first novel came out in 1994",
    "the bridge was closed for repairs", "this is covered in the guideline on names",
    "I do not agree with the new title", "the photo shows the old station",
    "please sign your comments on the talk page", "the count includes villages without a church",
    "most readers will not know what this means", "the team won the cup three years in a row",
)  # fmt: skip
COMMENTS, TOXIC_SHARE = 10_000, 0.05


def median_of(run: Callable[[], object], rounds: int) -> float:
    """Median seconds of `rounds` runs, after two that are not counted."""
    run(), run()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def bert(kind: torch.dtype) -> BertForSequenceClassification:
    return BertForSequenceClassification(BertConfig()).eval().to(kind)


def bart(kind: torch.dtype) -> BartForConditionalGeneration:
    config = BartConfig(
        d_model=768, encoder_layers=6, decoder_layers=6, encoder_attention_heads=12,
        decoder_attention_heads=12, encoder_ffn_dim=3072, decoder_ffn_dim=3072,
    )  # fmt: skip
    return BartForConditionalGeneration(config).eval().to(kind)


def peers(rounds: int) -> dict[str, dict[str, float]]:
    """Seconds of each peer by precision: one sentence, one rewrite, and one comment in a batch."""
    ids = torch.randint(1000, 20000, (1, 16))
    batch = torch.randint(1000, 20000, (64, 16))
    found: dict[str, dict[str, float]] = {"classify": {}, "rewrite": {}, "classify_batch": {}}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with torch.inference_mode():
            torch.set_num_threads(1)
            classifier, writer = bert(kind), bart(kind)
            found["classify"][name] = median_of(lambda: classifier(ids), rounds)  # noqa: B023
            found["rewrite"][name] = median_of(
                lambda: writer.generate(  # noqa: B023
                    ids, num_beams=5, min_new_tokens=20, max_new_tokens=20, do_sample=False
                ),
                max(3, rounds // 4),
            )
            torch.set_num_threads(2)
            seconds = median_of(lambda: classifier(batch), max(3, rounds // 4))  # noqa: B023
            found["classify_batch"][name] = seconds / len(batch)
    return found


def comments() -> list[str]:
    """10,000 different comments of 8 to 20 words, 5 % of them toxic: clauses drawn and joined."""
    random = Random(1)
    toxic = round(1 / TOXIC_SHARE)
    made = []
    for index in range(COMMENTS):
        clauses = random.sample(CLAUSES, 2)
        if index % toxic == 0:
            clauses[0] = random.choice(INSULTS)
        made.append(f"{', '.join(clauses)}. See number {index}.")
    return made


def ours(rounds: int) -> dict[str, float]:
    """Seconds: one detection without the gate, one rewrite, one comment in a batch of 10,000."""
    detector = Embedded(gate=False)
    guard = Guard(threads=1)
    texts = comments()
    # Another last word each time, so that nothing is remembered from the run before.
    ends = cycle(LAST_WORDS)

    def detect() -> None:
        detector.detect([f"{ELEVEN_WORDS} {next(ends)}"])

    def rewrite() -> None:
        guard(f"{ELEVEN_WORDS} {next(ends)}")

    crew = Guard(rewriter=None, threads=2)
    return {
        "classify": median_of(detect, 10 * rounds),
        "rewrite": median_of(rewrite, 2 * rounds),
        "classify_batch": median_of(lambda: crew.check_batch(texts), 3) / len(texts),
    }


def cold() -> dict[str, float]:
    """Wall seconds and peak memory (MB) of one `unbarb check` as a whole process."""
    command = [sys.executable, "-m", "unbarb", "check", TWELVE_WORDS]
    program = (
        "import resource, subprocess, sys, time; began = time.perf_counter();"
        "subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
        "print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    )
    runs = []
    for _ in range(5):
        out = subprocess.run(
            [sys.executable, "-c", program, *command], capture_output=True, text=True, check=True
        )
        runs.append([float(value) for value in out.stdout.split()])
    return {
        "seconds": statistics.median(seconds for seconds, _ in runs),
        "megabytes": statistics.median(megabytes for _, megabytes in runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="runs of each figure (default 20)")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/speed.json"))
    given = parser.parse_args()
    theirs, own = peers(given.rounds), ours(given.rounds)
    result = {
        "machine": {"processor": platform.processor() or platform.machine(), "torch": torch.__version__,
                    "transformers": transformers.__version__, "python": platform.python_version()},
        "rounds": given.rounds,
        "peer_seconds": theirs,
        "own_seconds": own,
        "times_faster": {name: min(theirs[name].values()) / own[name] for name in own},
        "cold_check": cold(),
    }  # fmt: skip
    given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
