"""The pictures of the comparison: KFR against KRR, and lines that have the same colour and number in every chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relearn_lite.report.compare import Model
from relearn_lite.report.plots import MARKS, Dot, Line, line_chart, scatter
from relearn_lite.report.sections import Pictures, Section, Text
from relearn_lite.report.tables import Table
from relearn_lite.report.texts import texts

DASHES = ("-", "--", ":", "-.")  # told apart by these when the colours are used up
Points = list[tuple[float, float | None]]


def method_lines(models: Sequence[Model], series: Mapping[str, Points], ends: bool = False) -> list[Line]:
    """A line a model of which `series` has points, by its name. ends: the legend tells the first and last value."""
    lines = []
    for model in models:
        if points := series.get(model.name):
            n = 0 if model.is_vanilla else int(model.sign) - 1
            first, last = ("—" if value is None else f"{value:.2f}" for value in (points[0][1], points[-1][1]))
            label = f"{model.sign} {model.name}" + (f": {first} → {last}" if ends else "")
            colour = "ink" if model.is_vanilla else MARKS[n % len(MARKS)]
            lines.append(Line(label, points, colour, DASHES[n // len(MARKS) % len(DASHES)], model.sign))
    return lines


def overview(models: Sequence[Model], numbers: Table) -> Section:
    """KFR across, KRR up, a dot a model; its area is LS as a share of vanilla's."""
    dots = []
    for model, row in zip(models, numbers.rows, strict=True):
        kfr, krr, share = (row.at(key)[0].value for key in ("kfr", "krr", "ls_share"))
        if kfr is not None and krr is not None:
            dots.append(Dot(model.sign, kfr, krr, share, model.is_vanilla))
    drawn = scatter("Forgotten and kept", dots, ("forgotten (KFR)", "kept (KRR)"))
    names = ", ".join(f"{model.sign} {model.name}" for model in models)
    told = Text("legend", texts("comparison")["overview"].format(names=names))
    return Section("scatter", "Forgotten and kept", [Pictures([drawn]), told] if drawn else [
        "No method has both KFR and KRR."
    ])  # fmt: skip


def checks(models: Sequence[Model]) -> Section | None:
    """KRR and LS by KFR, a line a method; None where nothing was checked in training."""
    drawn = [
        line_chart(title, method_lines(models, {model.name: _points(model, key) for model in models}),
                   ("forgotten at a check (KFR), %", label), (0, 1))
        for key, title, label in (("krr", "What is kept", "KRR"), ("ls_share", "How fluent it is", "LS / vanilla"))
    ]  # fmt: skip
    parts = [Pictures(drawn), Text("legend", texts("comparison")["checks"])]
    return Section("checks", "What forgetting costs on the way", parts) if any(drawn) else None


def _points(model: Model, key: str) -> Points:
    """(KFR in percent, value) of each check of a method, what had forgotten less first."""
    runs = [] if model.is_vanilla else [each.results for each in model.runs if each.results]
    found = [check for run in runs for check in run.checks if check["kfr"] is not None]
    return sorted(((round(100 * check["kfr"]), check[key]) for check in found), key=lambda point: point[0])
