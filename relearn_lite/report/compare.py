"""Many methods side by side: the models that are compared, the table of their numbers, and their pictures, in which a
method has the same colour and number everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relearn_lite.core.progress import duration
from relearn_lite.metrics import key_of
from relearn_lite.report.metric_table import arrow, judged_by, judges, missing_words, split_of
from relearn_lite.report.numbers import memory, number
from relearn_lite.report.plots import MARKS, Dot, Line, line_chart, scatter
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.sections import Pictures, Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts
from relearn_lite.unlearn.diagnostics import explain

DASHES = ("-", "--", ":", "-.")  # told apart by these when the colours are used up
COST = {"seconds": "Time", "memory_mb": "Memory"}
ASKED = (("generate", "max_new_tokens"), ("generate", "sampling"), ("model", "chat_template"))
NO_METRICS = {"ls_share": "↑", "balance": "↑"}  # made of metrics, in relearn_lite.compare
Points = list[tuple[float, float | None]]


def columns() -> dict[str, str]:
    """Key and heading of the numbers of a method."""
    return texts("comparison")["columns"]


@dataclass(frozen=True)
class Compared:
    """One method: its run, or why there is none; both, where it was measured and a later stage failed.

    added: LS as a share of vanilla's and the balance; intervals: by model, of those and of LS; notes: what else must be
    said beside it; vanilla: the vanilla model's own run, if it was attacked; together: by model, its ratings in one
    prompt with all others, in the form of metrics.json.
    """

    name: str
    results: RunResults | None = None
    failure: str | None = None
    added: Mapping[str, float | None] = field(default_factory=dict)
    intervals: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    vanilla: Compared | None = None
    together: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """One that the tables have a line for. sign: what stands for it in pictures, V or the method's number.

    runs: the method's, or all that have this vanilla model.
    """

    sign: str
    name: str
    runs: tuple[Compared, ...]

    @property
    def is_vanilla(self) -> bool:
        """Whether it is a model before unlearning; it does not compete."""
        return self.sign == "V"

    @property
    def key(self) -> str:
        """`vanilla` or `unlearned`, as the files of a run call it."""
        return "vanilla" if self.is_vanilla else "unlearned"

    def why_not(self, unasked: str) -> str:
        """Why a method was not looked into. unasked: where nobody wanted it."""
        return "it failed" if self.runs[0].results is None else (self.runs[0].failure or unasked).rstrip(".")


def models(compared: Sequence[Compared]) -> list[Model]:
    """Vanilla first (each, where runs have different ones), then the methods in their order."""
    vanillas: dict[str, list[Compared]] = {}
    for each in compared:
        if each.results:
            same = repr([each.results.metrics["vanilla"].get(key) for key in columns()])
            vanillas.setdefault(same, []).append(each)
    found = [Model("V", f"vanilla of {runs[0].name}" if len(vanillas) > 1 else "vanilla", tuple(runs))
             for runs in vanillas.values()]  # fmt: skip
    return found + [Model(str(n), each.name, (each,)) for n, each in enumerate(compared, 1)]


def table(shown: Sequence[Model]) -> Table:
    """The numbers of all models, the best of the methods marked."""
    headings = {key: f"{text} {NO_METRICS.get(key) or arrow(key)}" for key, text in columns().items()}
    lower = {key for key in columns() if key not in NO_METRICS and key_of(key).good == "lower"}
    rows = [_row(model) for model in shown]
    rows = mark_best(rows, lower) if alike(shown) else rows
    if all(row.at("kept_general")[0].value is None for row in rows):  # nobody was asked, or vanilla answers nothing
        del headings["kept_general"]
    return Table("Method", headings | COST, rows, notes_below=True)


def _row(model: Model) -> Row:
    each = model.runs[0]
    if each.results is None:
        return Row(model.name, {}, sign=model.sign, failure=f"Failed: {each.failure or 'it did not finish'}")
    numbers, answered, added, cost, notes = each.results.metrics[model.key], each.results.answered(), each.added, {}, []
    if model.is_vanilla:
        added = {"ls_share": None if numbers.get("ls_forget") is None else 1.0, "balance": None}
    else:
        unlearn = (each.results.manifest.get("stages") or {}).get("unlearn") or {}
        seconds, peak = unlearn.get("seconds"), unlearn.get("peak_memory_mb")
        cost = {"seconds": Cell(duration(seconds), value=seconds), "memory_mb": Cell(memory(peak), value=peak)}
        notes = _notes(each, unlearn)
    bounds = {**each.intervals.get(model.key, {}), **(numbers.get("intervals") or {})}
    cells = {key: measured(added[key] if key in added else numbers.get(key), bounds.get(key)) for key in columns()}
    told = list(columns())
    if not (numbers.get("missing") or {}).get("kept_general"):  # its reason: vanilla answers nothing, for all alike
        told.remove("kept_general")
    missing = {key: missing_words({"": numbers}, key, answered.get(split_of(key), 0)) for key in told}
    notes += [f"{columns()[key]}: {words}." for key, words in missing.items() if words]
    return Row(model.name, cells | cost, sign=model.sign, notes=tuple(notes))


def _notes(each: Compared, unlearn: Mapping[str, Any]) -> list[str]:
    """What must be known of a method's training, and of what came after its numbers."""
    notes = [*each.notes]
    if unlearn.get("stopped"):
        notes.append(f"Stopped early: {unlearn['stopped']}.")
    if unlearn.get("kept_step"):
        notes.append(f"Adapter of step {unlearn['kept_step']} of {unlearn.get('steps')}, the best check in training.")
    if unlearn.get("resumed"):
        notes.append("Time and memory are those since training was last started: it had been stopped.")
    return [*notes, *explain(each.results.losses), *([f"Measured, but then: {each.failure}"] if each.failure else [])]


def mark_best(rows: Sequence[Row], lower: Collection[str] = (), if_alike: bool = True) -> list[Row]:
    """The rows with the best of the methods marked in each column, as it is shown: what looks the same is equally good.

    lower: columns in which the lowest is best. if_alike: where all methods look the same, too. Vanilla is left out, and
    what looks like vanilla's is not marked: it says nothing of the method.
    """
    rivals: dict[tuple[str, int], list[Cell]] = {}
    methods = [row for row in rows if row.sign != "V"]
    untouched = [row for row in rows if row.sign == "V"]
    for row in methods:
        for key in row.cells.keys() - COST.keys():
            for place, cell in enumerate(row.at(key)):
                rivals.setdefault((key, place), []).append(cell)
    bests = {}
    for (key, place), cells in rivals.items():
        known = [cell.value for cell in cells if cell.value is not None and math.isfinite(cell.value)]
        if len(known) > 1 and (if_alike or len({cell.text for cell in cells}) > 1):
            best = number((min if key in lower else max)(known))
            if not any(row.at(key)[place:] and row.at(key)[place].text == best for row in untouched):
                bests[key, place] = best

    def marked(row: Row, key: str) -> tuple[Cell, ...]:
        return tuple(replace(cell, tone="best") if cell.text == bests.get((key, place)) else cell
                     for place, cell in enumerate(row.at(key)))  # fmt: skip

    return [replace(row, cells={key: marked(row, key) for key in row.cells}) if row in methods else row for row in rows]


def asked_unalike(shown: Sequence[Model], section: str) -> Text | None:
    """A notice where runs have the section (`analyze`, `attacks`) in their recipes, but not the same."""
    recipes = (each.results.asked for model in shown for each in model.runs if each.results)
    found = [recipe[section] for recipe in recipes if recipe.get(section)]
    alike = all(each == found[0] for each in found)
    return None if alike else Text("notice", texts("comparison")[f"{section}_unalike"])


def unlike(compared: Sequence[Compared]) -> list[str]:
    """A sentence for each thing that runs must share to be compared and do not: questions, model, how it is asked."""
    told = []
    runs = {each.name: each.results for each in compared if each.results}
    for what in ("forget", "retain", "control", "model", "asked"):
        groups: dict[Any, list[str]] = {}
        for name, results in runs.items():
            groups.setdefault(_shared(results, what), []).append(name)
        groups.pop(None, None)
        if len(groups) > 1:
            told.append(texts("comparison")["unlike"][what].format(runs="; ".join(map(", ".join, groups.values()))))
    return told


def _shared(results: RunResults, what: str) -> Any:
    """The model as the manifest names it, or how the recipe has it asked, None where they do not tell; or the questions
    of a split with their answers."""
    if what == "model":
        return repr(results.manifest[what]) if results.manifest.get(what) else None
    if what == "asked":
        recipe = results.asked
        found = [(recipe.get(section) or {}).get(key) for section, key in ASKED]
        return tuple(found) if any(found) else None
    return frozenset((row["query"], row["ground_truth"]) for row in results.samples if row["split"] == what)


def alike(shown: Sequence[Model]) -> bool:
    """Whether the numbers of the methods compare: where not, none of them is the best."""
    methods = [model.runs[0] for model in shown if not model.is_vanilla]
    return not unlike(methods) and judged(methods)[1]


def judged(compared: Sequence[Compared]) -> tuple[str, bool]:
    """Who judged, and whether all were judged alike; a warning where not, for then their numbers do not compare."""
    found = {each.name: _base_by_name(each.results) for each in compared if each.results}
    told = list(dict.fromkeys(map(judges, found.values())))
    if len(told) > 1:
        return "These runs were not judged alike, so their numbers do not compare. " + " ".join(told), False
    as_paper = [name for name, metrics in found.items() if metrics.get("comparable_with_paper")]
    if 0 < len(as_paper) < len(found):  # a method that is not the paper's ReLearn, say: judged alike all the same
        names = ", ".join(as_paper)
        return f"{told[0]} KFR, KRR, LS and ROUGE of {names} compare with the ReLearn paper's; others do not.", True
    return judged_by(next(iter(found.values()))) if found else "Nothing was judged: no method finished.", True


def _base_by_name(results: RunResults) -> dict[str, Any]:
    """Its metrics; a vanilla that judged is called the base model where it is, as in runs that start from this one."""
    asked, judges = results.asked, results.metrics.get("evaluators") or {}
    name = judges.get("language_model") or ""
    if asked.get("finetune") or (asked.get("model") or {}).get("adapters") or not name.startswith("vanilla ("):
        return results.metrics
    judges = judges | {"language_model": name.replace("vanilla", "base model", 1)}
    return results.metrics | {"evaluators": judges}


def method_lines(shown: Sequence[Model], series: Mapping[str, Points], ends: bool = False) -> list[Line]:
    """A line a model of which `series` has points, by its name. ends: the legend tells the first and last value."""
    lines = []
    for model in shown:
        if points := series.get(model.name):
            n = 0 if model.is_vanilla else int(model.sign) - 1
            first, last = ("—" if value is None else f"{value:.2f}" for value in (points[0][1], points[-1][1]))
            label = f"{model.sign} {model.name}" + (f": {first} → {last}" if ends else "")
            colour = "ink" if model.is_vanilla else MARKS[n % len(MARKS)]
            lines.append(Line(label, points, colour, DASHES[n // len(MARKS) % len(DASHES)], model.sign))
    return lines


def overview(shown: Sequence[Model], numbers: Table) -> Section:
    """KFR across, KRR up, a dot a model; its area is LS as a share of vanilla's."""
    dots = []
    for model, row in zip(shown, numbers.rows, strict=True):
        kfr, krr, share = (row.at(key)[0].value for key in ("kfr", "krr", "ls_share"))
        if kfr is not None and krr is not None:
            dots.append(Dot(model.sign, kfr, krr, share, model.is_vanilla))
    drawn = scatter("KFR across, KRR up; the larger, the more fluent", dots, ("forgotten (KFR)", "kept (KRR)"))
    names = ", ".join(f"{model.sign} {model.name}" for model in shown)
    told = Text("legend", texts("comparison")["overview"].format(names=names))
    return Section("scatter", "Forgotten and kept", [Pictures([drawn]), told] if drawn else [
        "No method has both KFR and KRR."
    ])  # fmt: skip


def checks(shown: Sequence[Model]) -> Section | None:
    """KRR and LS by KFR, a line a method; None where nothing was checked in training."""
    drawn = [
        line_chart(title, method_lines(shown, {model.name: _points(model, key) for model in shown}),
                   ("forgotten at a check (KFR), %", label), (0, 1))
        for key, title, label in (("krr", "What is kept", "KRR"), ("ls_share", "How fluent it is", "LS / vanilla"))
    ]  # fmt: skip
    parts = [Pictures(drawn), Text("legend", texts("comparison")["checks"])]
    return Section("checks", "What forgetting costs on the way", parts) if any(drawn) else None


def _points(model: Model, key: str) -> Points:
    """(KFR in percent, value) of each evaluation of a method in training, what had forgotten less first."""
    runs = [] if model.is_vanilla else [each.results for each in model.runs if each.results]
    found = [each for run in runs for each in run.evaluations if each["kfr"] is not None]
    return sorted(((round(100 * each["kfr"]), each[key]) for each in found), key=lambda point: point[0])
