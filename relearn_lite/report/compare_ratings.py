"""The judge's ratings in a comparison: all methods rated in one prompt, and beside it one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.report.compare import Model, mark_best
from relearn_lite.report.metric_table import NOT_METRICS, label, missing_words, split_of
from relearn_lite.report.sections import Facts, Section, Text
from relearn_lite.report.tables import Row, Table, measured
from relearn_lite.report.texts import texts

ALONE = "alone_"  # before the key of a rating that was given one by one


def section(models: Sequence[Model]) -> Section | None:
    """Table, legend and what is missing; None where the recipe asks for no ratings in one prompt."""
    shown = table(models)
    told = Text("legend", texts("comparison")["ratings"])
    return Section("ratings", "Rated in one prompt", [shown, told, Facts(shown.notes())]) if shown else None


def table(models: Sequence[Model]) -> Table | None:
    """The mean ratings of each model, those in one prompt and, where a metric gave them, those one by one."""
    keys = list(dict.fromkeys(key for model in models for key in _together(model) if key not in NOT_METRICS))
    if not keys:
        return None
    rows, headings = [], {}
    for model in models:
        if numbers := _together(model):
            alone, answered = _alone(model), model.runs[0].results.answered()
            cells = {key: _cell(numbers, key) for key in keys} | {ALONE + key: _cell(alone, key) for key in keys}
            missing = {key: missing_words({"": numbers}, key, answered.get(split_of(key), 0)) for key in keys}
            notes = tuple(f"{label(key)}: {words}." for key, words in missing.items() if words)
            rows.append(Row(model.name, cells, sign=model.sign, notes=notes))
        else:
            reason = model.why_not("its recipe asks for no ratings")
            rows.append(Row(model.name, {}, sign=model.sign, failure=f"Not rated: {reason}"))
    for key in keys:
        headings[key] = f"{label(key)} ↑"
        if any(row.at(ALONE + key)[0].value is not None for row in rows):
            headings[ALONE + key] = f"{label(key)}, one by one ↑"
    return Table("Method", headings, mark_best(rows, if_alike=False), notes_below=True)


def figures(model: Model) -> dict[str, float | None]:
    """The ratings with their bounds, in full; empty where the model has none."""
    numbers, alone, told = _together(model), _alone(model), {}
    for key in (key for key in numbers if key not in NOT_METRICS):
        for name, found in ((f"together_{key}", numbers), (f"{ALONE}{key}", alone)):
            low, high = (found.get("intervals") or {}).get(key) or (None, None)
            told |= {name: found.get(key), f"{name}_low": low, f"{name}_high": high}
    return told


def _together(model: Model) -> Mapping[str, Any]:
    return model.runs[0].together.get(model.key, {})


def _alone(model: Model) -> Mapping[str, Any]:
    results = model.runs[0].results
    return results.metrics[model.key] if results else {}


def _cell(numbers: Mapping[str, Any], key: str):
    return measured(numbers.get(key), (numbers.get("intervals") or {}).get(key))
