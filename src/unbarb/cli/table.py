"""The table of ``check`` and ``rewrite`` in a terminal; rows are printed as they are done."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbarb.cli.marks import changed_spans, found_spans, marked, shown, toxicity
from unbarb.cli.totals import Totals
from unbarb.text import Span, Verdict

STYLES = {
    "allow": "green",
    "flag": "yellow",
    "rewrite": "cyan",
    "mask": "magenta",
    "block": "bold red",
    "route": "bold yellow",
}
WIDTH_OF_A_FILE = 132
SCORES, MEANING, TIME, ACTION = 11, 7, 8, 7


class TableView:
    """Prints each verdict as a row; columns have fixed widths, so rows printed apart line up."""

    def __init__(self, *, carry_out: bool, no_color: bool = False, console: Console | None = None) -> None:
        self.console = console or Console(no_color=no_color or None, highlight=False)
        if not self.console.is_terminal:
            self.console.width = max(self.console.width, WIDTH_OF_A_FILE)
        self._carry_out = carry_out
        self._begun = False

    def rows(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        told = [verdict for verdict in verdicts if verdict.original]
        if not told:
            return
        table = self._table()
        for verdict in told:
            table.add_row(*self._cells(verdict, 1000 * seconds / len(verdicts)))
        self.console.print(table)
        self._begun = True

    def totals(self, totals: Totals) -> None:
        for line in totals.lines():
            self.console.print(Text(line, style="bold" if line[:1].isdigit() else "dim"))

    def _table(self) -> Table:
        table = Table(
            box=box.SIMPLE_HEAD,
            show_header=not self._begun,
            padding=(0, 1),
            pad_edge=False,
            show_edge=False,
        )
        free = self.console.width - SCORES - TIME - ACTION - 12 - (MEANING + 2 if self._carry_out else 0)
        share = max(free // 2, 12) if self._carry_out else max(free * 2 // 3, 12)
        table.add_column("original", width=share, overflow="fold")
        table.add_column("action", width=ACTION)
        told = "rewrite" if self._carry_out else "rule"
        table.add_column(told, width=max(free - share, 12), overflow="fold")
        table.add_column("toxicity", width=SCORES)
        if self._carry_out:
            table.add_column("meaning", width=MEANING, justify="right")
        table.add_column("ms", width=TIME, justify="right")
        return table

    def _cells(self, verdict: Verdict, milliseconds: float) -> list[Text]:
        original = self._text(verdict.original, found_spans(verdict), "bold red underline")
        if verdict.id is not None:
            original = Text(f"{shown(verdict.id)}: ", style="dim").append_text(original)
        for warning in verdict.warnings:
            original.append(f"\n! {shown(warning)}", style="yellow dim")
        cells = [original, Text(verdict.action, style=STYLES[verdict.action])]
        cells.append(self._outcome(verdict) if self._carry_out else self._rule(verdict))
        cells.append(Text(toxicity(verdict)))
        if self._carry_out:
            cells.append(Text("" if verdict.meaning is None else f"{verdict.meaning:.2f}"))
        cells.append(Text(f"{milliseconds:.1f}", style="dim"))
        return cells

    def _rule(self, verdict: Verdict) -> Text:
        return Text("" if verdict.action == "allow" else shown(verdict.rule), style="dim")

    def _outcome(self, verdict: Verdict) -> Text:
        if verdict.text is None:
            return Text(f"withheld: {shown(verdict.message or verdict.rule)}", style="italic")
        if verdict.text == verdict.original:
            return Text("(unchanged)", style="dim")
        return self._text(verdict.text, changed_spans(verdict.edits), "bold green")

    def _text(self, text: str, spans: Sequence[Span], style: str) -> Text:
        """Marked by style where there are styles, by «…» where there are none."""
        if not self.console.is_terminal or self.console.no_color:
            return Text(marked(text, spans))
        styled = Text(shown(text))
        for span in spans:
            styled.stylize(style, span.start, span.end)
        return styled
