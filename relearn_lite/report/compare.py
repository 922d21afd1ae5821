"""Many methods side by side, as plain data: the lines of the table, and the same questions answered by all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from relearn_lite.metrics import key_of
from relearn_lite.report import RunResults
from relearn_lite.report.cost import duration, memory
from relearn_lite.report.rows import arrow, judged_by, missing_words, number, split_of
from relearn_lite.report.samples import status
from relearn_lite.report.untrusted import masked, specifics, visible
from relearn_lite.unlearn.choosing import RULE, spread
from relearn_lite.unlearn.watchdog import explain

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
    """One method: its finished run, or why there is none.

    added: LS as a share of vanilla's and the balance; intervals: by model, of numbers made of others, which
    metrics.json has no intervals of; notes: what else must be said beside it.
    """

    name: str
    results: RunResults | None = None
    failure: str | None = None
    added: Mapping[str, float | None] = field(default_factory=dict)
    intervals: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


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
    """One line of the table. failure: why there are no cells, in words."""

    number: int | None  # None: vanilla
    name: str
    cells: Mapping[str, Cell]
    seconds: float | None = None
    memory_mb: float | None = None
    failure: str | None = None
    notes: tuple[str, ...] = ()

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
    bests = {key: _best(key, [cells[key].value for cells in judged]) for key in COLUMNS}
    return [_with_best(line, bests) for line in table]


def _vanilla_lines(finished: Sequence[Compared]) -> list[Line]:
    found: dict[str, Line] = {}
    for each in finished:
        numbers = each.results.metrics["vanilla"]
        made = {"ls_share": None if numbers.get("ls_forget") is None else 1.0, "balance": None}
        cells = _cells(numbers, made, each.intervals.get("vanilla", {}))
        same = repr([cell.value for cell in cells.values()])
        found.setdefault(same, Line(None, f"vanilla of {each.name}", cells, notes=_missing(each, "vanilla")))
    if len(found) == 1:
        (line,) = found.values()
        return [Line(None, "vanilla", line.cells, notes=line.notes)]
    return list(found.values())


def _line(place: int, each: Compared) -> Line:
    if each.results is None:
        return Line(place, each.name, {}, failure=each.failure or "it did not finish")
    results = each.results
    unlearn = (results.manifest.get("stages") or {}).get("unlearn") or {}
    notes = [*each.notes]
    if unlearn.get("stopped"):
        notes.append(f"Stopped early: {unlearn['stopped']}.")
    if unlearn.get("kept_step"):
        notes.append(f"Adapter of step {unlearn['kept_step']} of {unlearn.get('steps')}, the best check in training.")
    notes += [*explain(results.losses), *_missing(each, "unlearned")]
    cells = _cells(results.metrics["unlearned"], each.added, each.intervals.get("unlearned", {}))
    return Line(place, each.name, cells, unlearn.get("seconds"), unlearn.get("peak_memory_mb"), notes=tuple(notes))


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


def _best(key: str, values: Sequence[float | None]) -> float | None:
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
        key: Cell(cell.value, cell.interval, bests[key] is not None and cell.text == number(bests[key]))
        for key, cell in line.cells.items()
    }
    return Line(line.number, line.name, cells, line.seconds, line.memory_mb, line.failure, line.notes)


def headings() -> dict[str, str]:
    """The columns' headings, each with an arrow for which way is good."""
    return {key: f"{text} {MADE_HERE.get(key) or arrow(key)}" for key, text in COLUMNS.items()}


def judged(compared: Sequence[Compared]) -> str:
    """Who judged; a warning where runs were not judged alike, for then their numbers do not compare."""
    told = list(dict.fromkeys(judged_by(each.results.metrics) for each in compared if each.results))
    if len(told) > 1:
        return "These runs were not judged alike, so their numbers do not compare. " + " ".join(told)
    return told[0] if told else "Nothing was judged: no method finished."


@dataclass(frozen=True)
class Said:
    who: str
    text: str
    status: str  # forgotten, leaked, kept, lost, unjudged; empty for the original answer


@dataclass(frozen=True)
class Question:
    """One question, the original answer, and what every model said to it. Texts are cleaned, masked if asked for."""

    id: str
    split: str
    query: str
    truth: str
    answers: list[Said]


def same_questions(compared: Sequence[Compared], count: int, mask: bool = False) -> list[Question]:
    """`count` questions that all finished runs were asked, spread evenly, three of five of the forget side."""
    finished = [each for each in compared if each.results]
    if not finished:
        return []
    asked = [{(row["split"], row["id"]): row for row in each.results.samples} for each in finished]
    shared = [key for key in asked[0] if all(key in rows and rows[key]["query"] == asked[0][key]["query"]
                                             for rows in asked)]  # fmt: skip
    sides = {side: [key for key in shared if key[0] == side] for side in ("forget", "retain")}
    n_forget = min(math.ceil(count * 0.6), len(sides["forget"]))
    chosen = spread(n_forget, sides["forget"]) + spread(count - n_forget, sides["retain"]) if count > n_forget else (
        spread(n_forget, sides["forget"])
    )
    secret = [row for (split, _), row in asked[0].items() if split.startswith("forget")]
    known = specifics(row[text] or "" for row in secret for text in ("query", "ground_truth")) if mask else None

    def shown(text: str | None, split: str) -> str:
        clean = visible(text or "")
        return masked(clean, known) if known is not None and split == "forget" else clean

    def question(key: tuple[str, str]) -> Question:
        split, first = key[0], asked[0][key]
        said = [Said("vanilla", shown(first["vanilla"], split), status(split, first["scores"]["vanilla"]))]
        for each, rows in zip(finished, asked, strict=True):
            row = rows[key]
            judged_so = status(split, row["scores"]["unlearned"])
            said.append(Said(each.name, shown(row["unlearned"], split), judged_so))
        return Question(key[1], split, shown(first["query"], split), shown(first["ground_truth"], split), said)

    return [question(key) for key in chosen]
