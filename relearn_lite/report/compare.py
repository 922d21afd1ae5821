"""Many methods side by side: the models that are compared, and the table of their numbers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relearn_lite.metrics import key_of
from relearn_lite.report.metric_table import arrow, judged_by, missing_words, split_of
from relearn_lite.report.numbers import duration, memory, number
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.unlearn.diagnostics import explain

# Key, and heading. What is not a metric of its own is made of metrics, in relearn_lite.compare.
COLUMNS = {
    "kfr": "KFR", "leak": "Leak", "krr": "KRR", "ls_forget": "LS", "ls_share": "LS / vanilla",
    "rougeL_forget": "ROUGE-L forget", "rougeL_retain": "ROUGE-L retain", "ppl_forget": "Perplexity",
    "forget_score": "Forget score", "retain_score": "Retain score", "balance": "Balance",
}  # fmt: skip
COST = {"seconds": "Time", "memory_mb": "Memory"}
MADE_HERE = {"ls_share": "↑", "balance": "↑"}


@dataclass(frozen=True)
class Compared:
    """One method: its run, or why there is none; both, where it was measured and a later stage failed.

    added: LS as a share of vanilla's and the balance; intervals: by model, of numbers made of others, which
    metrics.json has no intervals of; notes: what else must be said beside it; vanilla: the vanilla model's own run, if
    it was attacked.
    """

    name: str
    results: RunResults | None = None
    failure: str | None = None
    added: Mapping[str, float | None] = field(default_factory=dict)
    intervals: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    vanilla: Compared | None = None


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

    def why_not(self, unasked: str) -> str:
        """Why a method was not looked into. unasked: where nobody wanted it."""
        return "it failed" if self.runs[0].results is None else (self.runs[0].failure or unasked).rstrip(".")


def models(compared: Sequence[Compared]) -> list[Model]:
    """Vanilla first (each, where runs have different ones), then the methods in their order."""
    vanillas: dict[str, list[Compared]] = {}
    for each in compared:
        if each.results:
            same = repr([each.results.metrics["vanilla"].get(key) for key in COLUMNS])
            vanillas.setdefault(same, []).append(each)
    found = [Model("V", f"vanilla of {runs[0].name}" if len(vanillas) > 1 else "vanilla", tuple(runs))
             for runs in vanillas.values()]  # fmt: skip
    return found + [Model(str(n), each.name, (each,)) for n, each in enumerate(compared, 1)]


def table(shown: Sequence[Model]) -> Table:
    """The numbers of all models, the best of the methods marked."""
    headings = {key: f"{text} {MADE_HERE.get(key) or arrow(key)}" for key, text in COLUMNS.items()}
    lower = {key for key in COLUMNS if key not in MADE_HERE and key_of(key).good == "lower"}
    return Table("Method", headings | COST, mark_best([_row(model) for model in shown], lower), notes_below=True)


def _row(model: Model) -> Row:
    each, which = model.runs[0], "vanilla" if model.is_vanilla else "unlearned"
    if each.results is None:
        return Row(model.name, {}, sign=model.sign, failure=f"Failed: {each.failure or 'it did not finish'}")
    numbers, answered, added, cost, notes = each.results.metrics[which], each.results.answered(), each.added, {}, []
    if model.is_vanilla:
        added = {"ls_share": None if numbers.get("ls_forget") is None else 1.0, "balance": None}
    else:
        unlearn = (each.results.manifest.get("stages") or {}).get("unlearn") or {}
        seconds, peak = unlearn.get("seconds"), unlearn.get("peak_memory_mb")
        cost = {"seconds": Cell(duration(seconds), value=seconds), "memory_mb": Cell(memory(peak), value=peak)}
        notes = _notes(each, unlearn)
    bounds = {**each.intervals.get(which, {}), **(numbers.get("intervals") or {})}
    cells = {key: measured(added[key] if key in added else numbers.get(key), bounds.get(key)) for key in COLUMNS}
    missing = {key: missing_words({"": numbers}, key, answered.get(split_of(key), 0)) for key in COLUMNS}
    notes += [f"{COLUMNS[key]}: {words}." for key, words in missing.items() if words]
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

    lower: columns in which the lowest is best. if_alike: where all methods look the same, too. Vanilla is left out.
    """
    rivals: dict[tuple[str, int], list[Cell]] = {}
    methods = [row for row in rows if row.sign != "V"]
    for row in methods:
        for key in row.cells.keys() - COST.keys():
            for place, cell in enumerate(row.at(key)):
                rivals.setdefault((key, place), []).append(cell)
    bests = {}
    for (key, place), cells in rivals.items():
        known = [cell.value for cell in cells if cell.value is not None and math.isfinite(cell.value)]
        if len(known) > 1 and (if_alike or len({cell.text for cell in cells}) > 1):
            bests[key, place] = number((min if key in lower else max)(known))

    def marked(row: Row, key: str) -> tuple[Cell, ...]:
        return tuple(replace(cell, tone="best") if cell.text == bests.get((key, place)) else cell
                     for place, cell in enumerate(row.at(key)))  # fmt: skip

    return [replace(row, cells={key: marked(row, key) for key in row.cells}) if row in methods else row for row in rows]


def asked_alike(shown: Sequence[Model], section: str) -> bool:
    """Whether all runs that have a section (`analyze`, `attacks`) of their recipe have the same."""
    import yaml

    recipes = (yaml.safe_load(each.results.recipe) or {} for model in shown for each in model.runs if each.results)
    found = [recipe[section] for recipe in recipes if recipe.get(section)]
    return all(each == found[0] for each in found)


def judged(compared: Sequence[Compared]) -> str:
    """Who judged; a warning where runs were not judged alike, for then their numbers do not compare."""
    told = list(dict.fromkeys(judged_by(each.results.metrics) for each in compared if each.results))
    if len(told) > 1:
        return "These runs were not judged alike, so their numbers do not compare. " + " ".join(told)
    return told[0] if told else "Nothing was judged: no method finished."
