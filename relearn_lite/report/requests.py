"""Requests made one after another, in a comparison: what each run tells of the questions of every request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from relearn_lite.metrics import EARLIER
from relearn_lite.metrics.intervals import mean_interval
from relearn_lite.report.compare import Model
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.sections import Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts


def section(models: Sequence[Model]) -> Section | None:
    """KFR of each request after each run, a request a column, a run a line; None where no run starts from another.

    A request is the forget questions of a run that starts from others, or from which others start. Every run that was
    asked some of these questions has a value, so one that was to forget all at once too.
    """
    found = [(model, model.runs[0].results) for model in models if not model.is_vanilla and model.runs[0].results]
    in_turn = {name for _, results in found for name in _runs_of(results)}
    requests = {
        results.name: {row["query"] for row in _forget(results) if row["split"] == "forget"}
        for _, results in found if results.name in in_turn
    }
    if not requests:
        return None
    rows = []
    for model, results in found:
        values = {name: _values(results, asked) for name, asked in requests.items()}
        rows.append(Row(model.name, {name: _cell(known) for name, known in values.items()}, sign=model.sign))
    headings = {name: f"{name} ↑" for name in requests}
    told = Text("legend", texts("comparison")["requests"])
    return Section("requests", "Forgotten (KFR), request by request", [Table("Run", headings, rows), told])


def _runs_of(results: RunResults) -> list[str]:
    """A run that starts from others, and these; none where it starts from none."""
    groups = results.metrics["unlearned"].get("groups") or {}
    earlier = groups.get(f"kfr{EARLIER}")
    return [*earlier, results.name] if earlier else []


def _forget(results: RunResults) -> Iterator[Mapping[str, Any]]:
    return (row for row in results.samples if row["split"] in ("forget", f"forget{EARLIER}"))


def _values(results: RunResults, asked: set[str]) -> list[float]:
    scores = (row["scores"]["unlearned"].get("kfr") for row in _forget(results) if row["query"] in asked)
    return [value for value in scores if value is not None]


def _cell(values: Sequence[float]) -> Cell:
    return measured(fmean(values), mean_interval(values, True)) if values else Cell("—")
