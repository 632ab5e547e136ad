"""Measures tuned classifiers on test rows, and writes the figures of docs/classify.md; none is typed.

After ``unbarb train`` of both recipes and ``unbarb crossval`` (docs/classify.md has the commands)::

    python benchmarks/classify.py measure --data SET RUN... > benchmarks/classify.json
    cp OUT/report.json benchmarks/crossval.json
    python benchmarks/classify.py page
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path("benchmarks")
PAGE = Path("docs/classify.md")
FACTS = ("parameters", "final", "seconds", "steps", "digests", "versions")
BLOCK = re.compile(r"(<!-- (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def measure(data: Path, runs: list[Path]) -> dict[str, Any]:
    """Macro ROC-AUC with its interval, and what ``run.json`` says, of each run on the set's test rows."""
    import numpy as np

    from unbarb.cli.crossval_report import System
    from unbarb.data.prepared import Prepared
    from unbarb.data.split import group_key
    from unbarb.train.classifier import load_classifier
    from unbarb.train.labels import label_matrix, positives

    prepared = Prepared.load(data)
    rows = prepared.split("test")
    texts = [row["text"] for row in rows]
    found: dict[str, Any] = {"n": len(rows), "data": prepared.digest, "runs": {}}
    for folder in runs:
        facts = json.loads((folder / "run.json").read_text("utf-8"))
        model = load_classifier(folder / "model")
        scores = model.predict_proba(texts)
        truth = positives(label_matrix(rows, model.labels))
        cuts = np.full((1, len(model.labels)), 0.5)
        system = System(
            facts["name"], model.labels, scores, scores >= 0.5, truth, cuts, list(map(group_key, texts))
        )
        figures = {
            name: [figure.value, figure.low, figure.high]
            for name, figure in system.figures().items()
            if "ROC-AUC" in name
        }
        size = sum(path.stat().st_size for path in (folder / "model").glob("*.safetensors"))
        run = {name: facts.get(name) for name in FACTS}
        found["runs"][facts["name"]] = {**run, "model_bytes": size, "roc_auc": figures}
    return found


def tuned(content: dict[str, Any]) -> list[str]:
    """Runs side by side."""
    lines = [
        f"n = {content['n']:,} test rows; 95 % intervals.",
        "",
        "| recipe | macro ROC-AUC | trained parameters | memory while training | seconds | saved |",
        "|---|---|---|---|---|---|",
    ]
    for name, run in content["runs"].items():
        value, low, high = run["roc_auc"]["macro ROC-AUC"]
        share = run["parameters"]["share"]
        lines.append(
            f"| `{name}` | {value:.4f} ({low:.4f}–{high:.4f}) | {run['parameters']['trainable']:,}"
            f" ({share:.2%}) | {run['final']['memory_mb']:,.0f} MB | {run['seconds']:,.0f}"
            f" | {run['model_bytes'] / 1e6:.1f} MB |"
        )
    return lines


def crossval(content: dict[str, Any]) -> list[str]:
    """The tables of the cross-validation's report."""
    from unbarb.cli.crossval_report import markdown

    labels = [
        name.removeprefix("F1 ") for name in content["systems"]["always clean"] if name.startswith("F1 ")
    ]
    return markdown(content, labels).rstrip().splitlines()


def refreshed(page: str, blocks: dict[str, list[str]]) -> str:
    """The page with every block between its marks made anew; one without figures is left as it is."""

    def block(found: re.Match[str]) -> str:
        lines = blocks.get(found["name"])
        return found[0] if lines is None else f"{found[1]}" + "\n".join(lines) + f"\n{found[3]}"

    return BLOCK.sub(block, page)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("measure", "page"))
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--data", type=Path)
    given = parser.parse_intermixed_args()
    if given.what == "measure":
        print(json.dumps(measure(given.data, given.runs), indent=1))
        return
    blocks = {}
    for name, write, file in (("tuned", tuned, "classify.json"), ("crossval", crossval, "crossval.json")):
        if (FOLDER / file).is_file():
            blocks[name] = write(json.loads((FOLDER / file).read_text("utf-8")))
    PAGE.write_text(refreshed(PAGE.read_text("utf-8"), blocks), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
