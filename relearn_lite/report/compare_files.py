"""The comparison for the console and as files: compare.html, compare.csv, compare.md, compare.tex."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.core.files import write_text
from relearn_lite.report import compare_analysis, compare_attacks, compare_checks
from relearn_lite.report.compare import COLUMNS, LEGEND, Cell, Compared, Line, headings, judged, lines
from relearn_lite.report.compare_answers import same_questions
from relearn_lite.report.compare_chart import marks
from relearn_lite.report.compare_scatter import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, dots, place_x, place_y
from relearn_lite.report.compare_text import as_latex, as_markdown
from relearn_lite.report.html import TEMPLATES, template
from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from rich.table import Table

WIDE = 190  # characters that all columns take with their intervals
SHORT = {"kfr": "KFR", "krr": "KRR", "ls_share": "LS/van.", "balance": "Balance"}  # fits beside the longest name


def write_comparison(folder: Path, name: str, compared: Sequence[Compared], questions: int, mask: bool) -> None:
    """Writes compare.html, .csv, .md and .tex to a folder."""
    table = lines(compared)
    analysis = compare_analysis.sheet(table)
    sheets = {spans: [each for each in (compare_attacks.sheet(table, spans), analysis) if each]
              for spans in (True, False)}  # fmt: skip
    write_text(folder / "compare.csv", as_csv(table))
    write_text(folder / "compare.md", as_markdown(name, table, judged(compared), sheets[True]))
    write_text(folder / "compare.tex", as_latex(table, sheets[False]))
    write_text(folder / "compare.html", as_html(name, compared, questions, mask))


def as_html(name: str, compared: Sequence[Compared], questions: int, mask: bool) -> str:
    """The page as one HTML text that loads nothing and runs nothing."""
    table = lines(compared)
    return template("compare.html.j2").render(
        name=name, lines=table, headings=headings(), legend=LEGEND, judged_by=judged(compared), masked=mask,
        dots=dots(table), size=(WIDTH, HEIGHT), box=(LEFT, WIDTH - RIGHT, TOP, HEIGHT - BOTTOM),
        ticks=[(place_x(n / 5), place_y(n / 5), f"{n / 5:g}") for n in range(6)],
        checks=compare_checks.pictures(table), checks_legend=compare_checks.LEGEND,
        attacks=compare_attacks.view(table), analysis=compare_analysis.view(table), marks=marks(table),
        questions=same_questions(compared, questions, mask),
        style=(TEMPLATES / "report.css").read_text(encoding="utf-8"),
    )  # fmt: skip


def as_csv(table: Sequence[Line]) -> str:
    """All numbers in full; what could not be had is empty. A failed method has a reason and no numbers.

    Those of attacks and analyses stand behind the others, where there are any.
    """
    out = StringIO()
    rows = csv.writer(out, lineterminator="\n")
    numbers = [key + end for key in COLUMNS for end in ("", "_low", "_high")]
    more = [part for part in (compare_attacks, compare_analysis) if any(map(part.figures, table))]
    rows.writerow(["method", "status", *numbers, "seconds", "memory_mb", "notes",
                   *(figure for part in more for figure in part.FIGURES)])  # fmt: skip
    for line in table:
        values = [part for key in COLUMNS for part in _parts(line.cells.get(key))]
        notes = " ".join([line.failure] if line.failure else line.notes)
        state = "failed" if line.failure else "done"
        added = []
        for part in more:
            known = part.figures(line)
            added += [known.get(figure) for figure in part.FIGURES]
        rows.writerow([line.name, state, *values, line.seconds, line.memory_mb, visible(notes), *added])
    return out.getvalue()


def _parts(cell: Cell | None) -> tuple[float | None, ...]:
    return (None, None, None) if cell is None else (cell.value, *(cell.interval or (None, None)))


def console_table(name: str, table: Sequence[Line], width: int) -> Table:
    """The table for a terminal `width` characters wide: value over interval, the best in bold.

    A narrow one gets fewer columns and no intervals; the page and the files have them all.
    """
    from rich.box import HEAVY_HEAD, SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    wide = width >= WIDE
    title = Text(f"Methods compared, {visible(name)}", style="bold")
    made = Table(title=title, title_justify="left", show_lines=wide, box=HEAVY_HEAD if wide else SIMPLE_HEAD,
                 collapse_padding=not wide)  # fmt: skip
    made.add_column("method", overflow="fold")
    heads = {key: text for key, text in headings().items() if wide or key in SHORT}
    for key, text in heads.items():
        made.add_column(text if wide else f"{SHORT[key]} {text[-1]}", justify="right", no_wrap=True)
    made.add_column("time", justify="right", no_wrap=True)
    made.add_column("memory", justify="right", no_wrap=True)
    for line in table:
        if line.failure:
            made.add_row(Text(visible(line.name)), Text("failed", style="red"))
            continue
        cells = []
        for key in heads:
            cell = line.cells[key]
            text = Text(cell.text, style="bold" if cell.best else "")
            spanned = wide and cell.interval
            cells.append(text.append(f"\n{cell.interval_text}", style="not bold dim") if spanned else text)
        made.add_row(Text(visible(line.name)), *cells, line.time, line.memory)
    return made
