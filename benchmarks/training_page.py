"""The section of docs/benchmarks.md about the throughput of training, from benchmarks/training.json.

``python benchmarks/training_page.py`` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from section import write_section

FIGURES, PAGE = Path("benchmarks/training.json"), Path("docs/benchmarks.md")
PEERS = {
    "bare_transformers": "transformers' `Trainer`, bare",
    "bare_trl": "TRL's `SFTTrainer`, bare",
}


def section(result: dict[str, Any]) -> list[str]:
    """Lines of the section."""
    return [
        "## Training beside bare loops",
        "",
        "Tokens a second of `unbarb train`, with the figures, checkpoints and run folder it always writes,"
        " and of a loop of the same library on the same model (random weights) and rows, in turns; the"
        f" ratio is the median of {result['rounds']} rounds, whose own ratios stand beside it. At least"
        f" {result['runs'][0]['least']} is wanted.",
        "",
        "| objective | peer | unbarb, tokens/s | peer, tokens/s | ratio | of each round |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one['objective']} | {PEERS[one['peer']]} | {one['tokens_per_second']['ours']:,}"
            f" | {one['tokens_per_second']['peer']:,} | {one['ratio']:.3f}"
            f" | {', '.join(f'{ratio:.3f}' for ratio in one['ratios'])} |"
            for one in result["runs"]
        ),
        "",
        f"{result['size'].capitalize()} models in {result['dtype']}, batches of {result['batch']},"
        f" {result['steps']} steps, {result['device']}, {result['threads']} thread(s), torch"
        f" {result['torch']}, transformers {result['transformers']}.",
    ]


def main() -> None:
    """Write the section from the stored figures."""
    write_section(PAGE, "training", section(json.loads(FIGURES.read_text("utf-8"))))


if __name__ == "__main__":
    main()
