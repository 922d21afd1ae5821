"""One table for every format: pages, Markdown, LaTeX and the console draw the same rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from relearn_lite.report.numbers import interval, number, signed
from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from relearn_lite.report.fitted import Fitted

TONES = {"best": "bold", "good": "green", "bad": "red", "warn": "yellow", "": ""}  # on the console


@dataclass(frozen=True)
class Cell:
    """A number or a text. spread: the interval, as text; tone: one of TONES; value, bounds: the number in full."""

    text: str
    spread: str = ""
    tone: str = ""
    value: float | None = None
    bounds: Sequence[float] | None = None


MISSING = Cell("—")


def measured(value: float | None, bounds: Sequence[float] | None = None, tone: str = "") -> Cell:
    """A number with its interval."""
    return Cell(number(value), interval(bounds), tone, value, bounds)


def changed(difference: Mapping[str, Any]) -> Cell:
    """A difference of two models ({mean, low, high}) with its interval, where it has one."""
    low, high = difference["low"], difference["high"]
    spread = "" if low is None else f"{signed(low)} to {signed(high)}"
    return Cell(signed(difference["mean"]), spread, value=difference["mean"])


@dataclass(frozen=True)
class Row:
    """One line of a table.

    cells: by column, one or several numbers. label: its key. sign: what stands for it in pictures. reading: how to read
    it. notes: what must be known beside it. failure: why there are no cells, summed up before its colon.
    """

    name: str
    cells: Mapping[str, Cell | tuple[Cell, ...]]
    label: str = ""
    sign: str = ""
    reading: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failure: str = ""

    def at(self, column: str) -> tuple[Cell, ...]:
        """What stands in a column; a dash where nothing does."""
        cells = self.cells.get(column, MISSING)
        return cells if isinstance(cells, tuple) else (cells,)


@dataclass(frozen=True)
class Table:
    """first: heading of the rows' names; columns: key and heading of the others; left: columns that hold text.

    notes_below: the rows' notes are told after the table (see `notes`), not in it.
    """

    kind: ClassVar[str] = "table"
    first: str
    columns: Mapping[str, str]
    rows: Sequence[Row]
    left: Collection[str] = ()
    notes_below: bool = False

    def only(self, columns: Mapping[str, str]) -> Table:
        """The same rows with these columns."""
        return replace(self, columns=columns)

    def notes(self) -> list[tuple[str, str]]:
        """(name, what must be known) of the rows that have notes."""
        return [(row.name, " ".join(row.notes)) for row in self.rows if row.notes]

    def console(self, title: str, caption: str = "", spreads: bool = False) -> Fitted:
        """For the terminal. spreads: intervals below the values."""
        from rich.box import HEAVY_HEAD, SIMPLE_HEAD
        from rich.text import Text

        from relearn_lite.report.fitted import Fitted

        drawn = Fitted(
            title=Text(visible(title), style="bold"), title_justify="left", caption=Text(visible(caption)),
            caption_justify="left", box=HEAVY_HEAD if spreads else SIMPLE_HEAD, show_lines=spreads,
            collapse_padding=not spreads,
        )  # fmt: skip
        drawn.add_column(Text(self.first), overflow="fold")
        for key, text in self.columns.items():
            side = "left" if key in self.left else "right"
            drawn.add_column(Text(text), justify=side, no_wrap=side == "right", overflow="fold")
        for row in self.rows:
            cells = [Text(row.failure.partition(":")[0].lower(), style="red")] if row.failure else [
                Text("\n").join(
                    Text(visible(cell.text), style=TONES[cell.tone]).append(
                        f"\n{cell.spread}" if spreads and cell.spread else "", style="not bold dim"
                    ) for cell in row.at(key)
                ) for key in self.columns
            ]  # fmt: skip
            drawn.add_row(Text(visible(row.name)), *cells)
        return drawn
