"""The losses of a run as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

INK, FAINT = "#30343a", "#d9dde2"
CURVES = (("loss", "training", "#0b6e4f"), ("eval_loss", "dev", "#c0532d"))


def write_losses(path: Path, metrics: Sequence[Mapping[str, Any]]) -> None:
    """Draw both losses by step into `path`, a PNG; nothing is written when no line has a loss."""
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    drawn = False
    for key, name, colour in CURVES:
        points = [(line["step"], line[key]) for line in metrics if key in line]
        if points:
            drawn = True
            steps, losses = zip(*points, strict=True)
            axes.plot(
                steps,
                losses,
                color=colour,
                label=name,
                linewidth=1.6,
                marker="o" if len(points) < 30 else "",
                markersize=3,
            )
    if not drawn:
        return
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_xlabel("step", color=INK)
    axes.set_ylabel("loss", color=INK)
    axes.legend(frameon=False)
    part = path.with_name(f"{path.name}.part")
    figure.savefig(part, format="png", dpi=120)
    part.replace(path)
