"""The comparison under attack: what each method still hides and still knows, as table, picture and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from relearn_lite.report.compare import Cell, Line, asked_alike, best_of
from relearn_lite.report.compare_chart import Picture, marks, picture
from relearn_lite.report.compare_text import Sheet
from relearn_lite.report.rows import number
from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from rich.table import Table

RATES = {"kfr": "forget", "krr": "retain"}
RELEARNING = "relearning_"
COLUMNS = {
    "plain": "No attack",
    "paraphrase": "Other wordings, worst",
    "jailbreak": "Jailbreak, worst",
    "sampling": "Sampling",
    "precision": "Precision, worst",
    "any": "Any of these, worst",
    "relearning_forget": "Relearnt from forget",
    "relearning_retain": "Relearnt from retain",
    "relearning_unrelated": "Relearnt from unrelated",
}
FIGURES = tuple(f"attack_{key}_{rate}{end}" for key in COLUMNS for rate in RATES for end in ("", "_low", "_high"))
LEGEND = (
    "Of two numbers the first is KFR, the share of forget answers that do not tell, the second KRR, the share of "
    "retain answers that do. ↑ higher is better for both; with each its 95 % interval over the questions; the best of "
    "the methods is bold. Worst: a question counts as leaked if one wording, prompt or way to hold the weights leaks "
    "it, and as lost if one loses it. Sampling: 1 − leak@k, of several answers drawn. Any of these: the worst of all "
    "columns before it. Relearnt: after a few steps of fine-tuning on a few examples of that source, on questions "
    "that were not among them. A high KFR with a low KRR says little: so asked, the model answers nothing. Vanilla's "
    "line shows what a model that knows would tell. Judged by the judges of the first table: unless these are the "
    "ReLearn paper's, nothing here compares with the paper. — could not be had."
)


@dataclass(frozen=True)
class Pair:
    """KFR and KRR under one attack. note: why one is not known, or how many answers were not judged."""

    kfr: Cell
    krr: Cell
    note: str = ""


@dataclass(frozen=True)
class Attacked:
    """One line: a pair for each column; reason: why there are none."""

    sign: str
    name: str
    pairs: Mapping[str, Pair]
    reason: str = ""

    @property
    def notes(self) -> str:
        told = [f"{COLUMNS[key]}: {pair.note}." for key, pair in self.pairs.items() if pair.note]
        return " ".join([f"Not attacked: {self.reason.rstrip('.')}."] if self.reason else told)


@dataclass(frozen=True)
class View:
    """All that the template shows. ends: by line, KFR before and after relearning from forget."""

    headings: Mapping[str, str]
    lines: list[Attacked]
    alike: bool
    relearning: Picture | None
    ends: Mapping[str, tuple[str, str]]
    legend: str = LEGEND


def attacks_of(line: Line) -> Mapping[str, Any] | None:
    """What attacks.json tells of a line's model; None where it was not attacked."""
    if line.number is None:
        runs = [each.vanilla.results for each in line.of if each.vanilla]
    else:
        runs = [each.results for each in line.of]
    return next((run.attacks for run in runs if run and run.attacks), None)


def view(table: Sequence[Line]) -> View | None:
    """The section of the page; None where no method was attacked."""
    lines = _lines(table)
    if not lines:
        return None
    curves = {}
    for line in table:
        curve = ((attacks_of(line) or {}).get("relearning") or {}).get("forget") or {}
        if curve.get("steps"):
            curves[line.name] = list(zip(curve["steps"], curve["kfr"], strict=True))
    drawn = picture(
        "Relearnt from forget", ("step of fine-tuning on a few of the secrets", "KFR"), curves, marks(table), 1.0
    )
    ends = {name: (number(points[0][1]), number(points[-1][1])) for name, points in curves.items()}
    alike = asked_alike([each for line in table for each in line.of], "attacks")
    return View(headings(table), lines, alike, drawn, ends)


def headings(table: Sequence[Line]) -> dict[str, str]:
    """The columns that some run has, with the k of sampling and the steps of relearning."""
    found = [_outcomes(attacks) for line in table if (attacks := attacks_of(line))]
    told = {}
    for key, heading in COLUMNS.items():
        rows = [rows[key] for rows in found if key in rows]
        details = sorted({row.get("k") or row.get("steps") for row in rows} - {None})
        many = " or ".join(map(str, details))
        if rows:
            told[key] = heading + (f", leak@{many}" if key == "sampling" else f", {many} steps" if many else "")
    return told


def _lines(table: Sequence[Line]) -> list[Attacked]:
    """Nothing, unless a method was attacked. Vanilla has a line only where it was to be attacked."""
    if not any(attacks_of(line) for line in table if line.number):
        return []
    told = []
    for line in table:
        attacks = attacks_of(line)
        if attacks:
            told.append(Attacked(line.sign, line.name, {key: _pair(row) for key, row in _outcomes(attacks).items()}))
        elif reason := _why_not(line):
            told.append(Attacked(line.sign, line.name, {}, visible(reason)))
    methods = {line.name for line in table if line.number}
    return _with_best(told, methods)


def _why_not(line: Line) -> str | None:
    if line.number is None:
        return next((each.vanilla.failure for each in line.of if each.vanilla), None)
    return "it failed" if line.failure else line.of[0].failure or "its recipe asks for no attacks"


def _outcomes(attacks: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """By column, the row of attacks.json that sums it up; of a curve its last point."""
    found = {"plain": attacks["plain"]}
    for row in attacks["attacks"]:
        if row["way"] in ("worst", "leak@k"):
            reasons = [other["reason"] for other in attacks["attacks"] if other["attack"] == row["attack"]]
            known = row["kfr"] is not None or row["krr"] is not None
            found[row["attack"]] = row if known else {**row, "reason": next(filter(None, reasons), None)}
    if attacks["attacks"]:
        found["any"] = attacks["any"]
    for source, curve in attacks["relearning"].items():
        last = {key: curve[key][-1] for key in (*RATES, "intervals", "missing")} if not curve["reason"] else {}
        nothing = {"kfr": None, "krr": None, "intervals": {}, "missing": {}, "reason": curve["reason"]}
        found[RELEARNING + source] = nothing | last | {"steps": curve["steps"][-1] if last else None}
    return {key: found[key] for key in COLUMNS if key in found}


def _pair(row: Mapping[str, Any]) -> Pair:
    missing = [f"{count} {RATES[rate]} answers not judged" for rate, count in row["missing"].items()]
    cells = {rate: Cell(row[rate], row["intervals"].get(rate)) for rate in RATES}
    return Pair(**cells, note=visible(row["reason"] or "; ".join(missing)))


def _with_best(lines: Sequence[Attacked], methods: set[str]) -> list[Attacked]:
    """The best of the methods marked in each column, for KFR and KRR each; none where all are alike."""

    def best(key: str, rate: str) -> str | None:
        pairs = [line.pairs[key] for line in lines if line.name in methods and key in line.pairs]
        cells = [getattr(pair, rate) for pair in pairs]
        alike = len({cell.text for cell in cells}) < 2
        return None if alike else number(best_of(rate, [cell.value for cell in cells]))

    bests = {(key, rate): best(key, rate) for key in COLUMNS for rate in RATES}

    def marked(key: str, pair: Pair) -> Pair:
        cells = {rate: getattr(pair, rate) for rate in RATES}
        return replace(pair, **{n: replace(cell, best=cell.text == bests[key, n]) for n, cell in cells.items()})

    return [
        replace(line, pairs={key: marked(key, pair) for key, pair in line.pairs.items()})
        if line.name in methods else line for line in lines
    ]  # fmt: skip


def figures(line: Line) -> dict[str, float | None]:
    """FIGURES of a line, in full; those that could not be had are left out."""
    attacks = attacks_of(line)
    told = {}
    for key, row in _outcomes(attacks).items() if attacks else ():
        for rate in RATES:
            low, high = row["intervals"].get(rate) or (None, None)
            values = {"": row[rate], "_low": low, "_high": high}
            told |= {f"attack_{key}_{rate}{end}": value for end, value in values.items()}
    return told


def sheet(table: Sequence[Line], spans: bool) -> Sheet | None:
    """The table for Markdown and LaTeX. spans: with intervals."""
    lines = _lines(table)
    if not lines:
        return None
    heads = headings(table)

    def shown(cell: Cell) -> list[tuple[str, bool]]:
        return [(cell.text, cell.best), (f" ({cell.interval_text})" if spans and cell.interval else "", False)]

    def cell(pair: Pair | None) -> list[tuple[str, bool]]:
        return [*shown(pair.kfr), (" / ", False), *shown(pair.krr)] if pair else [("—", False)]

    rows = [(line.name, [cell(line.pairs.get(key)) for key in heads]) for line in lines]
    notes = [(line.name, line.notes) for line in lines if line.notes]
    return Sheet("Under attack, KFR / KRR", list(heads.values()), rows, notes, LEGEND)


def console_table(table: Sequence[Line]) -> Table | None:
    """KFR without attack, in the worst case and after relearning; None where no method was attacked."""
    from rich.table import Table
    from rich.text import Text

    lines = _lines(table)
    if not lines:
        return None
    made = Table(title=Text("Under attack: KFR", style="bold"), title_justify="left")
    made.add_column("method", overflow="fold")
    for heading in ("no attack", "worst case", "relearnt"):
        made.add_column(heading, justify="right", no_wrap=True)
    for line in lines:
        relearnt = [pair for key, pair in line.pairs.items() if key.startswith(RELEARNING)]
        least = min((pair.kfr.value for pair in relearnt if pair.kfr.value is not None), default=None)
        values = [line.pairs[key].kfr.value if key in line.pairs else None for key in ("plain", "any")]
        made.add_row(Text(visible(line.name)), *(number(value) for value in (*values, least)))
    made.caption = Text("Worst case: over all that was asked. Relearnt: the lowest after a few steps of fine-tuning.")
    made.caption_justify = "left"
    return made
