"""The comparison under attack: what each method still hides and still knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relearn_lite.report.attacks import RATES, RELEARNING, rows
from relearn_lite.report.compare import Model, alike, asked_unalike, mark_best, method_lines
from relearn_lite.report.plots import line_chart
from relearn_lite.report.sections import Facts, Pictures, Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts

if TYPE_CHECKING:
    import rich.table


def columns() -> dict[str, str]:
    """Of `attacks.rows` those that sum up an attack, and their headings."""
    return texts("comparison")["attack_columns"]


def attacks_of(model: Model) -> Mapping[str, Any] | None:
    """What attacks.json tells of a model; None where it was not attacked."""
    runs = [each.vanilla if model.is_vanilla else each for each in model.runs]
    return next((run.results.attacks for run in runs if run and run.results and run.results.attacks), None)


def section(models: Sequence[Model]) -> Section | None:
    """Table, notes and the curves of relearning; None where no method was attacked."""
    shown, words, curves = table(models), texts("comparison"), {}
    if not shown:
        return None
    for model in models:
        curve = ((attacks_of(model) or {}).get("relearning") or {}).get("forget") or {}
        curves[model.name] = list(zip(curve.get("steps", ()), curve.get("kfr", ()), strict=True))
    labels = ("step of fine-tuning on a few of the secrets", "KFR")
    drawn = line_chart("Relearnt from forget", method_lines(models, curves, ends=True), labels, (0, 1))
    return Section("attacks", "Under attack, KFR / KRR", [
        asked_unalike(models, "attacks"),
        shown, Text("legend", words["attacks"]), Facts(shown.notes()), Pictures([drawn]),
    ])  # fmt: skip


def table(models: Sequence[Model]) -> Table | None:
    """KFR and KRR of each model under each attack; None unless a method was attacked.

    Vanilla has a line only where it was to be attacked.
    """
    if not any(attacks_of(model) for model in models if not model.is_vanilla):
        return None
    told = []
    for model in models:
        if found := _outcomes(model):
            cells = {key: _pair(row) for key, row in found.items()}
            notes = tuple(f"{columns()[key]}: {note}." for key, row in found.items() for note in row.notes)
            told.append(Row(model.name, cells, sign=model.sign, notes=notes))
        elif reason := _why_not(model):
            told.append(Row(model.name, {}, sign=model.sign, failure=f"Not attacked: {reason}"))
    told = mark_best(told, if_alike=False) if alike(models) else told
    return Table("Method", _headings(models), told, notes_below=True)


def figures(model: Model) -> dict[str, float | None]:
    """KFR and KRR under each attack with their bounds, in full; empty where the model was not attacked."""
    found, told = _outcomes(model), {}
    for key in columns() if attacks_of(model) else ():
        for rate, cell in zip(RATES, _pair(found.get(key, Row("", {}))), strict=True):
            name, (low, high) = f"attack_{key.partition(':')[0]}_{rate}", cell.bounds or (None, None)
            told |= {name: cell.value, f"{name}_low": low, f"{name}_high": high}
    return told


def console_table(models: Sequence[Model]) -> rich.table.Table | None:
    """KFR without attack, in the worst case and after relearning; None where no method was attacked."""
    shown = table(models)
    if not shown:
        return None

    def few(row: Row) -> Row:
        relearnt = [cells[0].value for key, cells in row.cells.items() if key.startswith(RELEARNING)]
        least = min((value for value in relearnt if value is not None), default=None)
        kfr = {key: measured(row.at(key)[0].value) for key in ("plain: plain", "any: worst")}
        return replace(row, cells=kfr | {"least": measured(least)})

    columns = {"plain: plain": "no attack", "any: worst": "worst case", "least": "relearnt"}
    told = "Worst case: over all that was asked. Relearnt: the lowest after a few steps of fine-tuning."
    return replace(shown, columns=columns, rows=[few(row) for row in shown.rows]).console("Under attack: KFR", told)


def _outcomes(model: Model) -> dict[str, Row]:
    """By column, the row that sums up an attack; of a curve its last point."""
    attacks = attacks_of(model)
    found = rows(attacks) if attacks else {}
    return {key: found[key] for key in columns() if key in found}


def _pair(row: Row) -> tuple[Cell, ...]:
    return tuple(replace(row.at(rate)[0], tone="") for rate in RATES)


def _headings(models: Sequence[Model]) -> dict[str, str]:
    """The columns that some run has, with the k of sampling and the steps of relearning."""
    found, told = [_outcomes(model) for model in models], {}
    for key, heading in columns().items():
        there = {row[key].name.partition(", ")[2] for row in found if key in row}
        if there:
            details = there - {""} if key.startswith((RELEARNING, "sampling")) else ()
            many = " or ".join(sorted(details, key=lambda text: (len(text), text)))
            told[key] = f"{heading}, {many} ↑" if many else f"{heading} ↑"
    return told


def _why_not(model: Model) -> str | None:
    if model.is_vanilla:
        return next((each.vanilla.failure for each in model.runs if each.vanilla), None)
    return model.why_not("its recipe asks for no attacks")
