"""A table that fits into the terminal: one too narrow for it leaves out columns and names them, and cuts no number."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

NUMBERS = 2  # columns of them that stay as long as anything else can go
FOLDED = 10  # characters that a column of text is folded to before another one is left out


class Fitted(Table):
    """Columns of numbers are those that do not wrap. The first column stays."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn, left_out = self._of(self.columns), []
        while len(drawn.columns) > 2 and drawn.least_width() > options.max_width:
            numbers = [n for n, column in enumerate(drawn.columns) if n and column.no_wrap]
            gone = numbers[-1] if len(numbers) > NUMBERS else len(drawn.columns) - 1
            left_out.insert(0, str(drawn.columns[gone].header))
            drawn = self._of([*drawn.columns[:gone], *drawn.columns[gone + 1 :]])
        if left_out:
            drawn.caption = Text(f"Too narrow for: {', '.join(left_out)}. {self.caption}".rstrip())
        yield from Table.__rich_console__(drawn, console, options)

    def least_width(self) -> int:
        """Characters that all columns take, texts folded."""
        table, console = self._of(self.columns), Console(width=10_000)
        table.columns = [replace(column, max_width=column.min_width) for column in table.columns]
        return Table.__rich_measure__(table, console, console.options).maximum

    def _of(self, columns: Sequence[Column]) -> Fitted:
        """The same table of these columns, each with its least width."""
        table = copy(self)
        table.columns = [replace(column, _index=n, min_width=_least_width(column)) for n, column in enumerate(columns)]
        return table


def _least_width(column: Column) -> int:
    lines = [line for text in (column.header, *column.cells) for line in str(text).split("\n")]
    widest = max(map(cell_len, lines))
    return widest if column.no_wrap else min(widest, FOLDED)
