"""Bars as SVG: small, without a script, and readable in print and in grey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

ROW, LABEL, BAR = 22, 170, 380
COLUMNS_HIGH = 120


def bars(counts: Mapping[str, int], what: str, *, of: int | None = None) -> str:
    """Horizontal bars, the longest first; `what` says what they show, for those who cannot see them.

    Shares are of all counts together, or of the number `of`.
    """
    if not counts:
        return "<p>None.</p>"
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    most, total = ordered[0][1], of or sum(counts.values())
    rows = []
    for at, (name, count) in enumerate(ordered):
        y, width = at * ROW, max(1, round(BAR * count / most))
        rows.append(
            f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(shortened(name))}</text>'
            f'<rect x="{LABEL}" y="{y + 3}" width="{width}" height="{ROW - 8}"/>'
            f'<text x="{LABEL + width + 6}" y="{y + 15}">{count:,} ({count / total:.1%})</text>'
        )
    return _svg(LABEL + BAR + 130, len(ordered) * ROW, what, "".join(rows))


def columns(names: Sequence[str], counts: Mapping[str, int], failed: Mapping[str, int], what: str) -> str:
    """A column for each of the days or months `names`, failures on top in another tone."""
    if not names:
        return "<p>None.</p>"
    most = max(counts.get(name, 0) + failed.get(name, 0) for name in names)
    width = max(4, min(40, 640 // len(names)))
    parts = [f'<text x="0" y="10">{most:,}</text>']
    for at, name in enumerate(names):
        x, low = at * width, 0
        for kind, count in (("", counts.get(name, 0)), ("failed", failed.get(name, 0))):
            high = round(COLUMNS_HIGH * count / most)
            top = 16 + COLUMNS_HIGH - low - high
            tip = f"{escape(name)}: {count:,}{' failed' if kind else ''}"
            parts.append(
                f'<rect class="{kind}" x="{x}" y="{top}" width="{width - 1}" height="{high}">'
                f"<title>{tip}</title></rect>"
            )
            low += high
    under = 16 + COLUMNS_HIGH + 14
    parts.append(f'<text x="0" y="{under}">{escape(names[0])}</text>')
    if len(names) > 1:
        end = max(len(names) * width, 160)
        parts.append(f'<text x="{end}" y="{under}" text-anchor="end">{escape(names[-1])}</text>')
    return _svg(max(len(names) * width, 160), under + 6, what, "".join(parts))


def shortened(name: str) -> str:
    return name if len(name) <= 26 else name[:25] + "…"


def _svg(width: int, height: int, what: str, inside: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        f' aria-label="{escape(what)}"><title>{escape(what)}</title>{inside}</svg>'
    )
