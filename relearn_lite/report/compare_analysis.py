"""The comparison inside the models: the key numbers of every analysis in one table, the layers in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.report.analysis import LAYER, SIDES, value_of
from relearn_lite.report.compare import Model, Points, asked_unalike, method_lines
from relearn_lite.report.plots import Picture, line_chart
from relearn_lite.report.sections import Facts, Folded, Pictures, Section, Text
from relearn_lite.report.tables import Row, Table, measured
from relearn_lite.report.texts import texts


def analysis_of(model: Model) -> tuple[Mapping[str, Any], str]:
    """The analysis that tells of a model, and the model's name in it; empty where there is none."""
    for each in model.runs:
        if each.results and each.results.analysis:
            names = each.results.analysis["models"]
            return each.results.analysis, names[0] if model.is_vanilla else names[-1]
    return {}, ""


def section(models: Sequence[Model]) -> Section | None:
    """Table, how to read it, and the layers; None where no run was analysed."""
    shown, words = table(models), texts("comparison")
    if not shown:
        return None
    readings = [texts("analysis")["readings"][key] for key in shown.columns]
    lens = _by_layer("Logit lens, forget questions", "probability", models, ("summary", "forget", "p"))
    by_side = {side: f"Distance from vanilla, {side} questions" for side in SIDES}
    distance = [_by_layer(title, "1 - cosine", models, ("distance", side, "cosine")) for side, title in by_side.items()]
    return Section("inside", "Inside the models, forget / retain", [
        asked_unalike(models, "analyze"),
        shown, Text("legend", words["analysis"]), Folded("How to read each number", Facts(readings)),
        Pictures([lens, *distance], text=words["layers"]),
    ])  # fmt: skip


def table(models: Sequence[Model]) -> Table | None:
    """The key numbers of each model, on forget and on retain questions; None where no run was analysed."""
    rows, keys = [], texts("comparison")["analysis_columns"].split()
    for model in models:
        if values := figures(model):
            cells = {key: tuple(measured(values[f"analysis_{key}_{side}"]) for side in SIDES) for key in keys}
            rows.append(Row(model.name, cells, sign=model.sign))
        elif not model.is_vanilla:
            reason = model.why_not("its recipe asks for no analysis")
            rows.append(Row(model.name, {}, sign=model.sign, failure=f"Not analysed: {reason}"))
    known = {key for row in rows for key, cells in row.cells.items() if any(cell.value is not None for cell in cells)}
    columns = {key: texts("analysis")["readings"][key][0] for key in keys if key in known}
    return Table("Method", columns, rows, notes_below=True) if known else None


def figures(model: Model) -> dict[str, float | None]:
    """Every number of a model's analysis, in full; empty where it was not analysed."""
    analysis, name = analysis_of(model)
    keys = texts("analysis")["readings"] if analysis else ()
    return {f"analysis_{key}_{side}": value_of(analysis, key, side, name) for key in keys for side in SIDES}


def _by_layer(title: str, label: str, models: Sequence[Model], place: tuple[str, str, str]) -> Picture | None:
    """A line a model that was looked into layer by layer. place: of its numbers in the memory part of its analysis."""
    lines: dict[str, Points] = {}
    part, side, key = place
    for model in models:
        analysis, name = analysis_of(model)
        if analysis.get("memory"):
            lines[model.name] = list(enumerate(analysis["memory"][part][side].get(name, {}).get(key, ())))
    return line_chart(title, method_lines(models, lines), (LAYER, label), (0,))
