"""The comparison inside the models: the key numbers of every analysis in one table, the layers in one picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relearn_lite.report.analysis import LAYER, SIDES, value_of
from relearn_lite.report.compare import Model, asked_alike
from relearn_lite.report.compare_plots import Points, method_lines
from relearn_lite.report.plots import Picture, line_chart
from relearn_lite.report.sections import Facts, Folded, Pictures, Section, Text
from relearn_lite.report.tables import Row, Table, measured
from relearn_lite.report.texts import texts

# Of all numbers those that tell methods apart; compare.csv has all.
KEYS = (
    "first_p", "first_entropy", "p", "median_rank", "likeliest", "entropy", "non_word", "never", "cosine",
    "relative_l2", "moved", "agreement",
)  # fmt: skip


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
    distance = [
        _by_layer(f"Distance from vanilla, {side} questions", "1 - cosine", models,
                  lambda memory, name, side=side: memory["distance"][side].get(name, {}).get("cosine", ()))
        for side in SIDES
    ]  # fmt: skip
    lens = _by_layer("Logit lens, forget questions", "probability", models,
                     lambda memory, name: memory["summary"]["forget"][name]["p"])  # fmt: skip
    return Section("inside", "Inside the models, forget / retain", [
        None if asked_alike(models, "analyze") else Text("notice", words["analysed_unalike"]),
        shown, Text("legend", words["analysis"]), Folded("How to read each number", Facts(readings)),
        Pictures([lens, *distance], text=words["layers"]),
    ])  # fmt: skip


def table(models: Sequence[Model]) -> Table | None:
    """The key numbers of each model, on forget and on retain questions; None where no run was analysed."""
    rows = []
    for model in models:
        if values := figures(model):
            cells = {key: tuple(measured(values[f"analysis_{key}_{side}"]) for side in SIDES) for key in KEYS}
            rows.append(Row(model.name, cells, sign=model.sign))
        elif not model.is_vanilla:
            reason = model.why_not("its recipe asks for no analysis")
            rows.append(Row(model.name, {}, sign=model.sign, failure=f"Not analysed: {reason}"))
    known = {key for row in rows for key, cells in row.cells.items() if any(cell.value is not None for cell in cells)}
    columns = {key: texts("analysis")["readings"][key][0] for key in KEYS if key in known}
    return Table("Method", columns, rows, notes_below=True) if known else None


def figures(model: Model) -> dict[str, float | None]:
    """Every number of a model's analysis, in full; empty where it was not analysed."""
    analysis, name = analysis_of(model)
    keys = texts("analysis")["readings"] if analysis else ()
    return {f"analysis_{key}_{side}": value_of(analysis, key, side, name) for key in keys for side in SIDES}


def _by_layer(
    title: str, label: str, models: Sequence[Model], values: Callable[[Mapping[str, Any], str], Sequence[float | None]]
) -> Picture | None:
    """A line a model that has a memory part. values: its numbers, layer by layer."""
    lines: dict[str, Points] = {}
    for model in models:
        analysis, name = analysis_of(model)
        if analysis.get("memory"):
            lines[model.name] = list(enumerate(values(analysis["memory"], name)))
    return line_chart(title, method_lines(models, lines), (LAYER, label), (0,))
