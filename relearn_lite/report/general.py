"""General ability by lm-eval: in the report of a run, and of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.report.compare import Model, alike, mark_best
from relearn_lite.report.numbers import number
from relearn_lite.report.sections import Section, Text
from relearn_lite.report.tables import Cell, Row, Table, changed, measured
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import visible
from relearn_lite.report.verdict import percent

ENOUGH = 0.75  # of vanilla's: below it a method fails in the unlearning task of SemEval 2025, there on MMLU
General = Mapping[str, Any]  # general.json


def section(general: General | None) -> Section | None:
    """One line a task; None where none was asked."""
    if not general:
        return None
    alone = "unlearned" not in general["tasks"][0]
    columns = {"metric": "Metric", "n": "Questions", "shots": "Shots", "vanilla": "Value" if alone else "Vanilla"}
    if not alone:
        columns |= {"unlearned": "Unlearned", "change": "Change", "share": "Of vanilla's"}
    rows = [Row(visible(row["task"]), _cells(row)) for row in general["tasks"]]
    legend = texts("run")["general"].format(version=general["lm_eval"], enough=percent(ENOUGH))
    return Section("general", "General ability, by lm-eval", [
        Table("Task", columns, rows, left=("metric",)), Text("legend", legend),
    ])  # fmt: skip


def _cells(row: Mapping[str, Any]) -> dict[str, Cell]:
    counts = {key: Cell("—" if row[key] is None else str(row[key])) for key in ("n", "shots")}
    cells = {"metric": Cell(f"{row['metric']} {'↓' if row['higher'] is False else '↑'}"), **counts}
    cells |= {model: measured(row[model], bounds) for model, bounds in row["intervals"].items()}
    if difference := row.get("difference"):
        cells["change"] = changed(difference)
        share = row["share"]
        tone = "bad" if share is not None and share < ENOUGH else ""
        cells["share"] = Cell("—" if share is None else _of_vanilla(share), tone=tone, value=share)
    return cells


def _of_vanilla(share: float) -> str:
    """Rounded down just below the bound: 74.8 % would read as the 75 % that it fell below."""
    return percent(share - 0.005 if ENOUGH - 0.005 <= share < ENOUGH else share)


def sentence(general: General | None) -> str:
    """Whether each task is at least 75 % of vanilla's; empty where no two models were asked a task of which higher is
    better."""
    shares = {row["task"]: row for row in (general or {}).get("tasks", ()) if row.get("share") is not None}
    if not shares:
        return ""
    low = [row for row in shares.values() if row["share"] < ENOUGH]
    if not low:
        least = percent(min(row["share"] for row in shares.values()))
        many = f" or more in each of {len(shares)} tasks" if len(shares) > 1 else ""
        return f"General ability by lm-eval is kept: {least} of vanilla's{many}."
    told = [f"{visible(row['task'])} {_of_vanilla(row['share'])} of vanilla's ({number(row['unlearned'])} of "
            f"{number(row['vanilla'])})" for row in low]  # fmt: skip
    return f"General ability by lm-eval fell below {percent(ENOUGH)} of vanilla's: {', '.join(told)}."


def compared(models: Sequence[Model]) -> Section | None:
    """The value of each task, a line a model; None where no run was asked any."""
    found = {model.name: _rows(model) for model in models}
    names = {task: row for rows in found.values() for task, row in rows.items()}
    if not names:
        return None
    rows = [
        Row(model.name, {task: measured(row[model.key], row["intervals"][model.key])
                         for task, row in found[model.name].items()}, sign=model.sign)
        for model in models if found[model.name]
    ]  # fmt: skip
    arrows = {task: "↓" if row["higher"] is False else "↑" for task, row in names.items()}
    headings = {task: f"{visible(task)}, {row['metric']} {arrows[task]}" for task, row in names.items()}
    lower = [task for task, arrow in arrows.items() if arrow == "↓"]
    words, same = texts("comparison"), _put_alike(models)
    shown = Table("Method", headings, mark_best(rows, lower, if_alike=False) if same and alike(models) else rows)
    return Section("general", "General ability, by lm-eval", [
        None if same else Text("notice", words["general_unalike"]), shown, Text("legend", words["general"]),
    ])  # fmt: skip


def _put_alike(models: Sequence[Model]) -> bool:
    """Whether all runs that were put tasks were put them in one way."""
    results = [each.results for model in models for each in model.runs if each.results and each.results.general]
    asked = [(found.asked.get("evaluate") or {}).get("general") or {} for found in results]
    return len({tuple(map(each.get, ("limit", "shots", "chat_template"))) for each in asked}) < 2


def figures(model: Model) -> dict[str, float | None]:
    """The value of each task with its bounds, in full."""
    told = {}
    for task, row in _rows(model).items():
        low, high = row["intervals"][model.key] or (None, None)
        told |= {f"general_{task}": row[model.key], f"general_{task}_low": low, f"general_{task}_high": high}
    return told


def _rows(model: Model) -> dict[str, Mapping[str, Any]]:
    results = model.runs[0].results
    rows = ((results and results.general) or {}).get("tasks", ())
    return {row["task"]: row for row in rows if model.key in row}
