"""What the report of one run tells, in its order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from relearn_lite.report import analysis, attacks, augmentation, groups, search
from relearn_lite.report.metric_table import headline, metric_table
from relearn_lite.report.next_steps import next_steps
from relearn_lite.report.numbers import duration, memory
from relearn_lite.report.plots import Line, line_chart
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.samples import Card, cards
from relearn_lite.report.sections import Cards, Facts, Folded, Part, Pictures, Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts
from relearn_lite.unlearn.diagnostics import explain

RAN_ON = ("hardware", "model", "seed", "data", "versions")
NOT_LOSSES = ("step", "epoch", "lr", "tokens_per_s", "tokens_per_second")


def sections(results: RunResults, mask: bool = False) -> list[Section]:
    """All sections of a run's report. `mask`: names, numbers and addresses of forget questions are covered."""
    ran_on = _facts({key: results.manifest.get(key) for key in RAN_ON})
    shown = cards(results.samples, mask)
    answers = Cards(shown, choice=True) if shown else "No answers were kept."
    steps = next_steps(results)
    found = [
        Section("next", "What to do next", steps) if steps else None,
        _metrics(results),
        groups.section(results.metrics, mask),
        Section("answers", "Answers, the worst first", [*_forgotten_but_told(shown), answers]),
        attacks.section(results.attacks, mask),
        analysis.section(results.analysis, mask),
        Section("training", "Training", [
            *search.parts(results.search), *(Text("notice", sentence) for sentence in explain(results.losses)),
            *_losses(results.losses),
        ]),
        augmentation.section(results.augmentation),
        Section("cost", "Cost", [stage_table(results.manifest) or "The stages were not timed."]),
        Section("how", "What it ran on", [Facts(ran_on) if ran_on else "Not recorded."]),
        Section("recipe", "Recipe", [Text("code", results.recipe or "not recorded")]),
    ]  # fmt: skip
    return [section for section in found if section]


def _metrics(results: RunResults) -> Section:
    table, alone = metric_table(results.metrics, results.answered()), not results.metrics.get("unlearned")
    first, more = headline(table)
    parts: list[Part] = [replace(table, rows=first)] if first else ["Nothing was measured."]
    if more:
        parts.append(Folded(f"{len(more)} more numbers", replace(table, rows=more)))
    if results.known and results.known["unknown"]:
        left_out = results.known["left_out"]
        parts.append(texts("run")["left_out" if left_out else "unknown"].format(
            unknown=len(results.known["unknown"]), asked=results.known["asked"]
        ))  # fmt: skip
    if apart := _set_apart(results.manifest.get("data") or {}):
        parts.append(apart)
    if unlike := results.metrics.get("differences_from_paper"):
        told = [(key, rest) for key, _, rest in (sentence.partition(" ") for sentence in unlike)]
        parts.append(Folded(texts("run")["unlike"].format(count=len(told)), Facts(told)))
    legend = texts("run")["metrics"] + ("" if alone else f" {texts('run')['change']}")
    return Section("metrics", "As it is" if alone else "Before and after", [*parts, Text("legend", legend)])


def _forgotten_but_told(shown: Sequence[Card]) -> list[Part]:
    """How many answers the leak check finds telling that KFR calls forgotten; nothing where there are none."""
    told = sum(card.status == "told" for card in shown)
    forgotten = told + sum(card.status == "forgotten" for card in shown)
    return [Text("notice", texts("run")["told"].format(told=told, forgotten=forgotten))] if told else []


def _set_apart(data: dict[str, Any]) -> str | None:
    """Which questions weights and settings were chosen by, where something was chosen."""
    counts = {side: data.get(f"{side}_select", {}).get("rows") for side in ("forget", "retain")}
    return texts("run")["set_apart"].format(**counts) if any(counts.values()) else None


def _losses(losses: Sequence[dict[str, Any]]) -> list[Part]:
    """Every loss term that was logged, as a curve and as a table, the total first."""
    names = dict.fromkeys(name for row in losses for name in row if name not in NOT_LOSSES)
    lines, rows = [], []
    for n, name in enumerate(sorted(names, key=lambda name: name != "loss"), 1):
        values = [(row["step"], value if isinstance(value := row.get(name), int | float) else None) for row in losses]
        known = [value for _, value in values if value is not None and math.isfinite(value)]
        if known:
            title = texts("run")["losses"].get(name, name)
            lines.append(Line(title, values, f"line-{min(n, 4)}", "--" if name == "loss" else "-"))
            rows.append(Row(title, {"first": measured(known[0]), "last": measured(known[-1])}))
    if not rows:
        return ["No losses were recorded."]
    drawn = line_chart("Loss over optimizer steps", lines, ("optimizer step", "loss"))
    return [Pictures([drawn]), Table("Loss", {"first": "First step", "last": "Last step"}, rows)]


def stage_table(manifest: dict[str, Any]) -> Table | None:
    """The stages in their order, with their time and peak memory, and a last line for the whole run."""
    measured = manifest.get("stages") or {}
    if not measured:
        return None
    total = sum(stage.get("seconds") or 0 for stage in measured.values())
    peaks = [stage["peak_memory_mb"] for stage in measured.values() if stage.get("peak_memory_mb") is not None]
    whole = {"seconds": total, "peak_memory_mb": max(peaks, default=None),
             "resumed": any(stage.get("resumed") for stage in measured.values())}  # fmt: skip
    columns = {"time": "Time", "memory": "Peak memory", "share": "Share of the time"}
    return Table("Stage", columns, [_row(name, stage, total) for name, stage in (*measured.items(), ("all", whole))])


def _row(name: str, stage: dict[str, Any], total: float) -> Row:
    """One that was stopped and resumed knows only how long its last try took."""
    least = "at least " if stage.get("resumed") else ""
    share = f"{100 * (stage.get('seconds') or 0) / total:.0f} %" if total else "—"
    cells = {"time": least + duration(stage.get("seconds")), "memory": memory(stage.get("peak_memory_mb"))}
    return Row(name, {key: Cell(text) for key, text in (cells | {"share": share}).items()})


def _facts(values: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested plain data as lines: {"model": {"name": "x"}} -> [("model, name", "x")]. Leaves out what is empty."""
    if isinstance(values, dict):
        return [fact for key, value in values.items() for fact in _facts(value, f"{path}, {key}" if path else str(key))]
    if isinstance(values, list | tuple):
        values = ", ".join(str(value) for value in values)
    return [] if values is None or values == "" else [(path.replace("_", " "), str(values))]
