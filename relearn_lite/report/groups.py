"""The numbers of each group of questions: in the report of a run, and of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.report.compare import Model, alike, mark_best
from relearn_lite.report.metric_table import label
from relearn_lite.report.sections import Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import visible

SHOWN = ("kfr", "leak", "krr", "kfr_earlier", "leak_earlier", "rouge_rwku_forget", "rouge_rwku_retain",
         "regurgitation_forget", "regurgitation_retain", "exact_match_forget", "exact_match_retain",
         "rougeL_forget", "rougeL_retain")  # fmt: skip
Groups = Mapping[str, Mapping[str, Mapping[str, Any]]]  # number -> group -> value, n, interval


def section(metrics: Mapping[str, Any], mask: bool) -> Section | None:
    """One table a number, a line a group; None where questions belong to no groups. mask: groups are numbered."""
    models = {name: metrics[name].get("groups") or {} for name in ("vanilla", "unlearned") if metrics.get(name)}
    keys = [key for key in SHOWN if any(key in groups for groups in models.values())]
    if not keys:
        return None
    found = {key: {name: groups.get(key, {}) for name, groups in models.items()} for key in keys}
    names = dict.fromkeys(group for key in keys for groups in found[key].values() for group in groups)
    called = {group: _name(group, number, mask) for number, group in enumerate(names, 1)}  # one number in all tables
    parts = [_table(key, models, called) for key, models in found.items()]
    return Section("groups", "Group by group", [*parts, Text("legend", texts("run")["groups"])])


def _table(key: str, models: Mapping[str, Mapping[str, Mapping[str, Any]]], called: Mapping[str, str]) -> Table:
    headings = {"vanilla": "Vanilla", "unlearned": "Unlearned"} if len(models) > 1 else {"vanilla": "Value"}
    rows = []
    for group in dict.fromkeys(group for groups in models.values() for group in groups):
        counts = dict.fromkeys(str(groups[group]["n"]) for groups in models.values() if group in groups)
        cells = {name: _cell(groups.get(group)) for name, groups in models.items()}
        rows.append(Row(called[group], cells | {"n": Cell(" / ".join(counts))}))
    return Table(label(key), headings | {"n": "Answers"}, rows)


def compared(models: Sequence[Model], mask: bool) -> Section | None:
    """KFR of each group under each method, a line a method; None where no forget question belongs to a group."""
    found = {model.name: _forgotten(model) for model in models}
    names = list(dict.fromkeys(group for groups in found.values() for group in groups))
    if not names:
        return None
    rows = [
        Row(model.name, {group: _cell(cell) for group, cell in found[model.name].items()}, sign=model.sign)
        for model in models if found[model.name]
    ]
    headings = {group: f"{_name(group, number, mask)} ↑" for number, group in enumerate(names, 1)}
    shown = Table("Method", headings, mark_best(rows, if_alike=False) if alike(models) else rows)
    return Section("groups", "Forgotten (KFR), group by group", [shown, Text("legend", texts("comparison")["groups"])])


def _forgotten(model: Model) -> Mapping[str, Mapping[str, Any]]:
    """KFR of every group of forget questions that a model was asked."""
    results = model.runs[0].results
    if results is None:
        return {}
    groups: Groups = results.metrics[model.key].get("groups") or {}
    return groups.get("kfr", {})


def _cell(found: Mapping[str, Any] | None) -> Cell:
    return measured(found["value"], found["interval"]) if found else Cell("—")


def _name(group: str, number: int, mask: bool) -> str:
    return f"group {number}" if mask else visible(group)
