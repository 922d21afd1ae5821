"""Many methods side by side, as plain data: the lines of the table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relearn_lite.metrics import key_of
from relearn_lite.report import RunResults
from relearn_lite.report.cost import duration, memory
from relearn_lite.report.rows import arrow, judged_by, missing_words, number, split_of
from relearn_lite.unlearn.diagnostics import explain
from relearn_lite.unlearn.selection import RULE

# Key, and heading. What is not a metric of its own is made of metrics, in relearn_lite.compare.
COLUMNS = {
    "kfr": "KFR",
    "krr": "KRR",
    "ls_forget": "LS",
    "ls_share": "LS / vanilla",
    "rougeL_forget": "ROUGE-L forget",
    "rougeL_retain": "ROUGE-L retain",
    "ppl_forget": "Perplexity",
    "forget_score": "Forget score",
    "retain_score": "Retain score",
    "balance": "Balance",
}
MADE_HERE = {"ls_share": "↑", "balance": "↑"}
LEGEND = (
    "KFR: share of forget answers that no longer tell. KRR: share of retain answers that still do. LS: linguistic "
    "score of the forget answers, then as a share of vanilla's. Perplexity: of the forget answers. Forget score: KFR "
    "and 1 − ROUGE-L; retain score: KRR and ROUGE-L. Balance: "
    f"{RULE}. ↑ higher is better, ↓ lower is better; the best of the methods is bold. The best in one column says "
    "little: a model that only babbles has forgotten too. Intervals are 95 %, over the questions. Time and peak memory "
    "are those of unlearning. — could not be had."
)


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
class Cell:
    value: float | None
    interval: Sequence[float] | None
    best: bool = False

    @property
    def text(self) -> str:
        return number(self.value)

    @property
    def interval_text(self) -> str:
        return f"{number(self.interval[0])} – {number(self.interval[1])}" if self.interval else ""


@dataclass(frozen=True)
class Line:
    """One line of the table. failure: why there are no cells, in words. of: whose it is, vanilla's of all with it."""

    number: int | None  # None: vanilla
    name: str
    cells: Mapping[str, Cell]
    seconds: float | None = None
    memory_mb: float | None = None
    failure: str | None = None
    notes: tuple[str, ...] = ()
    of: tuple[Compared, ...] = ()

    @property
    def sign(self) -> str:
        """What stands for it in pictures."""
        return "V" if self.number is None else str(self.number)

    @property
    def time(self) -> str:
        return duration(self.seconds)

    @property
    def memory(self) -> str:
        return memory(self.memory_mb)


def lines(compared: Sequence[Compared]) -> list[Line]:
    """Vanilla first (each, where runs have different ones), then the methods in their order; the best is marked."""
    finished = [each for each in compared if each.results]
    table = _vanilla_lines(finished) + [_line(n, each) for n, each in enumerate(compared, 1)]
    judged = [line.cells for line in table if line.number and line.cells]
    bests = {key: best_of(key, [cells[key].value for cells in judged]) for key in COLUMNS}
    return [_with_best(line, bests) for line in table]


def _vanilla_lines(finished: Sequence[Compared]) -> list[Line]:
    found: dict[str, Line] = {}
    for each in finished:
        numbers = each.results.metrics["vanilla"]
        made = {"ls_share": None if numbers.get("ls_forget") is None else 1.0, "balance": None}
        cells = _cells(numbers, made, each.intervals.get("vanilla", {}))
        same = repr([cell.value for cell in cells.values()])
        line = found.get(same) or Line(None, f"vanilla of {each.name}", cells, notes=_missing(each, "vanilla"))
        found[same] = replace(line, of=(*line.of, each))
    if len(found) == 1:
        return [replace(line, name="vanilla") for line in found.values()]
    return list(found.values())


def _line(place: int, each: Compared) -> Line:
    if each.results is None:
        return Line(place, each.name, {}, failure=each.failure or "it did not finish", of=(each,))
    results = each.results
    unlearn = (results.manifest.get("stages") or {}).get("unlearn") or {}
    notes = [*each.notes]
    if unlearn.get("stopped"):
        notes.append(f"Stopped early: {unlearn['stopped']}.")
    if unlearn.get("kept_step"):
        notes.append(f"Adapter of step {unlearn['kept_step']} of {unlearn.get('steps')}, the best check in training.")
    if unlearn.get("resumed"):
        notes.append("Time and memory are those since training was last started: it had been stopped.")
    notes += [*explain(results.losses), *_missing(each, "unlearned")]
    notes += [f"Measured, but then: {each.failure}"] if each.failure else []
    cells = _cells(results.metrics["unlearned"], each.added, each.intervals.get("unlearned", {}))
    return Line(
        place, each.name, cells, unlearn.get("seconds"), unlearn.get("peak_memory_mb"), notes=tuple(notes), of=(each,)
    )


def _cells(
    numbers: Mapping[str, Any], made: Mapping[str, float | None], intervals: Mapping[str, Sequence[float]]
) -> dict[str, Cell]:
    known = {**intervals, **(numbers.get("intervals") or {})}
    return {key: Cell(made[key] if key in made else numbers.get(key), known.get(key)) for key in COLUMNS}


def _missing(each: Compared, model: str) -> tuple[str, ...]:
    """What a mean leaves out, in words, for the columns that are shown."""
    answered, numbers = each.results.answered(), each.results.metrics[model]
    told = {key: missing_words({"": numbers}, key, answered.get(split_of(key), 0)) for key in COLUMNS}
    return tuple(f"{COLUMNS[key]}: {words}." for key, words in told.items() if words)


def best_of(key: str, values: Sequence[float | None]) -> float | None:
    """The best value of a column, as it is shown: what looks the same is equally good."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if len(known) < 2:
        return None
    lower = key not in MADE_HERE and key_of(key).good == "lower"
    return min(known) if lower else max(known)


def _with_best(line: Line, bests: Mapping[str, float | None]) -> Line:
    if line.number is None:
        return line
    cells = {
        key: replace(cell, best=bests[key] is not None and cell.text == number(bests[key]))
        for key, cell in line.cells.items()
    }
    return replace(line, cells=cells)


def headings() -> dict[str, str]:
    """The columns' headings, each with an arrow for which way is good."""
    return {key: f"{text} {MADE_HERE.get(key) or arrow(key)}" for key, text in COLUMNS.items()}


def asked_alike(compared: Sequence[Compared], section: str) -> bool:
    """Whether all runs that have a section (`analyze`, `attacks`) of their recipe have the same."""
    import yaml

    trees = (yaml.safe_load(each.results.recipe) or {} for each in compared if each.results)
    found = [tree[section] for tree in trees if tree.get(section)]
    return all(each == found[0] for each in found)


def judged(compared: Sequence[Compared]) -> str:
    """Who judged; a warning where runs were not judged alike, for then their numbers do not compare."""
    told = list(dict.fromkeys(judged_by(each.results.metrics) for each in compared if each.results))
    if len(told) > 1:
        return "These runs were not judged alike, so their numbers do not compare. " + " ".join(told)
    return told[0] if told else "Nothing was judged: no method finished."
