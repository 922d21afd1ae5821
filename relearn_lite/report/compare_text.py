"""The comparison as text: Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relearn_lite.report.compare import COLUMNS, LEGEND, Cell, Line, headings
from relearn_lite.report.markdown_text import inline
from relearn_lite.report.untrusted import visible

LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "—": "---", "–": "--", "−": "$-$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "→": r"$\rightarrow$", "∞": r"$\infty$",
}  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """A table more. rows: a name and its cells, each of pieces that are bold or not; notes: (name, what to know)."""

    title: str
    head: list[str]
    rows: list[tuple[str, list[list[tuple[str, bool]]]]]
    notes: list[tuple[str, str]]
    legend: str


def as_markdown(name: str, table: Sequence[Line], judged_by: str, sheets: Sequence[Sheet] = ()) -> str:
    """A pipe table, with intervals and notes below it; then those of the sheets."""

    def shown(cell: Cell) -> str:
        text = f"**{cell.text}**" if cell.best else cell.text
        return f"{text} ({cell.interval_text})" if cell.interval else text

    head = ["Method", *headings().values(), "Time", "Memory"]
    rows = []
    for line in table:
        cells = ["failed", *[""] * (len(COLUMNS) - 1)] if line.failure else [shown(line.cells[key]) for key in COLUMNS]
        rows.append([inline(visible(line.name)), *cells, line.time, line.memory])
    told = _items([(line.name, text) for line in table for text in _notes(line)])
    title = f"# Methods compared, {inline(visible(name))}"
    parts = [title, _grid(head, rows), told, inline(visible(judged_by)), LEGEND]
    for sheet in sheets:
        rows = [[inline(visible(name)), *map(_bold, cells)] for name, cells in sheet.rows]
        grid = _grid(["Method", *map(inline, sheet.head)], rows)
        parts += [f"## {sheet.title}", grid, _items(sheet.notes), inline(sheet.legend)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"|{'|'.join(row)}|" for row in (head, rule, *rows))


def _items(notes: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {inline(visible(name))}: {inline(visible(text))}" for name, text in notes)


def _bold(cell: Sequence[tuple[str, bool]]) -> str:
    return "".join(f"**{text}**" if bold else text for text, bold in cell)


def _notes(line: Line) -> list[str]:
    return [f"failed: {line.failure}"] if line.failure else list(line.notes)


def as_latex(table: Sequence[Line], sheets: Sequence[Sheet] = ()) -> str:
    """A tabular with the best in bold, and one for each sheet; needs no package."""
    rows = []
    for line in table:
        if line.failure:
            cells = [rf"\multicolumn{{{len(COLUMNS)}}}{{l}}{{failed}}"]
        else:
            cells = [_latex_bold([(line.cells[key].text, line.cells[key].best)]) for key in COLUMNS]
        rows.append([latex(line.name), *cells, latex(line.time), latex(line.memory)])
    drawn = [_tabular([*headings().values(), "Time", "Memory"], rows)]
    for sheet in sheets:
        rows = [[latex(name), *map(_latex_bold, cells)] for name, cells in sheet.rows]
        drawn.append(f"% {sheet.title}\n{_tabular(sheet.head, rows)}")
    return "\n".join(drawn)


def _tabular(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """head: the columns behind the method's, as they are; rows: in LaTeX already."""
    first = " & ".join(["Method", *map(latex, head)]) + r" \\ \hline"
    body = "\n".join([first, *(" & ".join(row) + r" \\" for row in rows)])
    return f"\\begin{{tabular}}{{l{'r' * len(head)}}}\n\\hline\n{body}\n\\hline\n\\end{{tabular}}\n"


def _latex_bold(cell: Sequence[tuple[str, bool]]) -> str:
    return "".join(rf"\textbf{{{latex(text)}}}" if bold else latex(text) for text, bold in cell)


def latex(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "".join(LATEX.get(character, character) for character in visible(text))
