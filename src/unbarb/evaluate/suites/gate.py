"""What does the gate cost? Suite ``gate``: toxic texts that the encoder finds and the gate lets pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unbarb.evaluate.results import Row, Table, digest_of
from unbarb.metrics import binomial
from unbarb.metrics.measured import Measured, share

NOTE = (
    "Lost: of the toxic texts flagged without the gate, the share no longer flagged with it, and"
    " its one-sided 95 % upper bound. Settled: the share of the texts that the encoder never saw."
)


@dataclass(frozen=True, slots=True)
class Gated:
    """One text: is it toxic, flagged without the gate, flagged with it, settled by it; and of what kind."""

    text: str
    toxic: bool
    without: bool
    with_gate: bool
    settled: bool
    kind: str = "all"


def gate(name: str, data: Sequence[Gated], digest: str = "") -> Table:
    """The table of one set of texts: a row for all and one a kind."""
    kinds = list(dict.fromkeys(item.kind for item in data))
    rows = [Row("all", _figures(data), digest)]
    if len(kinds) > 1:
        rows += [Row(kind, _figures([i for i in data if i.kind == kind]), digest) for kind in kinds]
    return Table("gate", name, NOTE, digest_of(data), tuple(rows))


def _figures(data: Sequence[Gated]) -> dict[str, Measured]:
    found = [item for item in data if item.toxic and item.without]
    lost = sum(not item.with_gate for item in found)
    bound = binomial.upper_bound(lost, len(found))
    return {
        "lost recall": share("lost_recall/1", [float(not item.with_gate) for item in found]),
        "lost recall, at most": Measured(binomial.METRIC, bound, len(found)),
        "settled": share("settled_share/1", [float(item.settled) for item in data]),
    }
