"""The comparison inside the models: the key numbers of every analysis in one table, the layers in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.report.analysis import READINGS, SIDES, value_of
from relearn_lite.report.compare import Line, asked_alike
from relearn_lite.report.compare_chart import Picture, marks, picture
from relearn_lite.report.compare_text import Sheet
from relearn_lite.report.rows import number
from relearn_lite.report.untrusted import visible

# Of READINGS those that tell methods apart; compare.csv has all.
KEYS = (
    "first_p", "first_entropy", "p", "median_rank", "likeliest", "entropy", "non_word", "never", "cosine",
    "relative_l2", "moved", "agreement",
)  # fmt: skip
FIGURES = tuple(f"analysis_{key}_{side}" for key in READINGS for side in SIDES)
LEGEND = (
    "Of two numbers the first is on forget questions, the second on retain questions, where everything should stay as "
    "vanilla's. Each model is fed the original answers token by token; numbers are over the tokens that tell what the "
    "question does not. There is no best: a number far from vanilla's on forget questions is a change, not yet a good "
    "one. Distances and moved parts are those from vanilla. No judge takes part; the numbers hang on model and "
    "questions, so compare them within this table only. — could not be had, or is not of this model."
)


@dataclass(frozen=True)
class Analysed:
    """One line: for each of KEYS the text on forget and on retain questions; reason: why there are none."""

    sign: str
    name: str
    pairs: Mapping[str, tuple[str, str]]
    reason: str = ""


@dataclass(frozen=True)
class View:
    """All that the template shows."""

    headings: Mapping[str, str]
    readings: list[tuple[str, str]]
    lines: list[Analysed]
    alike: bool
    pictures: list[Picture]
    legend: str = LEGEND


def analysis_of(line: Line) -> tuple[Mapping[str, Any], str] | None:
    """The analysis that tells of a line's model, and the model's name in it; None where there is none."""
    for each in line.of:
        if each.results and each.results.analysis:
            models = each.results.analysis["models"]
            return each.results.analysis, models[0] if line.number is None else models[-1]
    return None


def view(table: Sequence[Line]) -> View | None:
    """The section of the page; None where no run was analysed."""
    lines = _lines(table)
    if not lines:
        return None
    heads = _headings(lines)
    alike = asked_alike([each for line in table for each in line.of], "analyze")
    return View(heads, [READINGS[key] for key in heads], lines, alike, _pictures(table))


def _headings(lines: Sequence[Analysed]) -> dict[str, str]:
    """The columns that some line has a number in."""
    shown = {key for line in lines for key, pair in line.pairs.items() if set(pair) != {"—"}}
    return {key: READINGS[key][0] for key in KEYS if key in shown}


def _lines(table: Sequence[Line]) -> list[Analysed]:
    told, some = [], False
    for line in table:
        values = figures(line)
        if values:
            some = True
            pairs = {key: tuple(number(values[f"analysis_{key}_{side}"]) for side in SIDES) for key in KEYS}
            told.append(Analysed(line.sign, line.name, pairs))
        elif line.number:
            reason = "it failed" if line.failure else line.of[0].failure or "its recipe asks for no analysis"
            told.append(Analysed(line.sign, line.name, {}, visible(reason)))
    return told if some else []


def figures(line: Line) -> dict[str, float | None]:
    """FIGURES of a line, in full; empty where its model was not analysed."""
    found = analysis_of(line)
    if not found:
        return {}
    return {f"analysis_{key}_{side}": value_of(found[0], key, side, found[1]) for key in READINGS for side in SIDES}


def _pictures(table: Sequence[Line]) -> list[Picture]:
    """By layer: what the logit lens reads of the answers, and the distance from vanilla on either side."""
    lens: dict[str, list[tuple[int, float | None]]] = {}
    moved: dict[str, dict[str, list[tuple[int, float | None]]]] = {side: {} for side in SIDES}
    for line in table:
        analysis, model = analysis_of(line) or ({}, "")
        memory = analysis.get("memory")
        if not memory:
            continue
        lens[line.name] = list(enumerate(memory["summary"]["forget"][model]["p"]))
        for side in SIDES:
            if model in memory["distance"][side]:
                moved[side][line.name] = list(enumerate(memory["distance"][side][model]["cosine"]))
    at, drawn = "layer, 0: the embeddings", marks(table)
    found = [picture("Logit lens, forget questions", (at, "probability"), lens, drawn)]
    found += [picture(f"Distance from vanilla, {side} questions", (at, "1 - cosine"), moved[side], drawn)
              for side in SIDES]  # fmt: skip
    return [each for each in found if each]


def sheet(table: Sequence[Line]) -> Sheet | None:
    """The table for Markdown and LaTeX."""
    lines = _lines(table)
    if not lines:
        return None
    heads = _headings(lines)
    rows = [(line.name, [[(" / ".join(line.pairs.get(key, ("—",))), False)] for key in heads]) for line in lines]
    notes = [(line.name, f"Not analysed: {line.reason.rstrip('.')}.") for line in lines if line.reason]
    return Sheet("Inside the models, forget / retain", list(heads.values()), rows, notes, LEGEND)
