"""Speed and size against named peers, as ratios of one run: ``make bench``.

Peers are built from their published configurations with random weights, for time does not depend
on what a weight is: BERT-base (12 layers, 768 wide) as a classifier, BART-base (6 + 6 layers, 768
wide) rewriting with beam 5 and exactly 20 new tokens. Both run in fp32 and bf16; the better one
counts. Comments in a batch are the same for both: the peer reads them in batches of 64 as they come, padded
to the longest, as a classification pipeline does, and a sample of them, for it is slow.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path

import torch
import transformers
from comments import comments
from transformers import BartConfig, BartForConditionalGeneration, BertConfig, BertForSequenceClassification

from unbarb import Guard
from unbarb.detect.embedded import HOME, Embedded
from unbarb.detect.wordpiece import CLS, SEP, WordPiece

ELEVEN_WORDS = "you are a complete idiot and everybody here knows it very"
LAST_WORDS = [
    "well", "soon", "now", "much", "early", "late", "often", "far", "long", "good", "true",
    "plainly", "surely", "clearly", "quickly", "deeply", "truly", "widely", "simply", "gladly",
    "nearly", "fully", "mostly", "firmly", "today", "here", "there", "really", "finally", "easily",
    "openly", "badly", "daily", "calmly", "loudly", "kindly", "softly", "slowly", "neatly",
    "safely",
]  # fmt: skip
TWELVE_WORDS = f"{ELEVEN_WORDS} {LAST_WORDS[0]}"
COMMENTS, TOXIC_SHARE = 10_000, 0.05
SAMPLE, BATCH = 640, 64


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


def padded(texts: Sequence[str]) -> list[dict[str, torch.Tensor]]:
    """What BERT reads: batches of texts of like length, so that little of them is padding."""
    pieces = sorted(WordPiece(HOME / "tokenizer.json").ids(texts), key=len)
    batches = []
    for start in range(0, len(pieces), BATCH):
        rows = [torch.tensor([CLS, *ids[:510], SEP]) for ids in pieces[start : start + BATCH]]
        mask = [torch.ones_like(row) for row in rows]
        ids, inside = (torch.nn.utils.rnn.pad_sequence(one, batch_first=True) for one in (rows, mask))
        batches.append({"input_ids": ids, "attention_mask": inside})
    return batches


def peers(rounds: int, texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Seconds of each peer by precision: one sentence, one rewrite, and one of `texts` in a batch."""
    ids = torch.randint(1000, 20000, (1, 16))
    batches = padded(texts)
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
            classifier(**batches[0])
            began = time.perf_counter()
            for batch in batches:
                classifier(**batch)
            found["classify_batch"][name] = (time.perf_counter() - began) / len(texts)
    return found


def ours(rounds: int) -> dict[str, float]:
    """Seconds: one detection without the gate, one rewrite, one comment in a batch of 10,000."""
    detector = Embedded(gate=False)
    guard = Guard(threads=1)
    # Another last word each time, so that nothing is remembered from the run before.
    ends = cycle(LAST_WORDS)

    def detect() -> None:
        detector.detect([f"{ELEVEN_WORDS} {next(ends)}"])

    def rewrite() -> None:
        guard(f"{ELEVEN_WORDS} {next(ends)}")

    crew = Guard(rewriter=None, threads=2)
    # Other comments in every run, the first not counted.
    fresh = iter([comments(COMMENTS, TOXIC_SHARE, seed) for seed in range(5)])
    return {
        "classify": median_of(detect, 10 * rounds),
        "rewrite": median_of(rewrite, 2 * rounds),
        "classify_batch": median_of(lambda: crew.check_batch(next(fresh)), 3) / COMMENTS,
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
    sample = comments(COMMENTS, TOXIC_SHARE)[:SAMPLE]
    theirs, own = peers(given.rounds, sample), ours(given.rounds)
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
