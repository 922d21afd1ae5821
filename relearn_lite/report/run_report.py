"""What the report of one run tells, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from relearn_lite.core.progress import duration
from relearn_lite.metrics import is_share, key_of
from relearn_lite.report import analysis, attacks, augmentation, general, groups, search
from relearn_lite.report.metric_table import arrow, headline, judged_by, metric_table
from relearn_lite.report.next_steps import next_steps
from relearn_lite.report.numbers import memory
from relearn_lite.report.plots import Change, Line, Picture, change_chart, curves
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.samples import Card, cards, secrets
from relearn_lite.report.sections import Cards, Facts, Folded, Part, Pictures, Section, Text, Tiles
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts
from relearn_lite.report.tiles import tiles
from relearn_lite.report.untrusted import BLOCK
from relearn_lite.unlearn.diagnostics import explain

RAN_ON = ("hardware", "model", "seed", "data", "versions")
FORGOTTEN = ("subject", "intro", "topic", "where", "path", "documents", "text")  # keys that say who or what it is
NOT_LOSSES = ("step", "epoch", "lr", "tokens_per_s")


def sections(results: RunResults, mask: bool = False) -> list[Section]:
    """All sections of a run's report. `mask`: names, numbers and addresses of forget questions are covered."""
    ran_on = _facts({key: results.manifest.get(key) for key in RAN_ON})
    shown = cards(results.samples, mask)
    answers = Cards(shown, choice=True) if shown else "No answers were kept."
    steps = next_steps(results)
    found = [
        Section("answer", "", [
            Tiles(tiles(results)),
            Text("verdict", search.told(results).replace(" %", "\u00a0%")),
            Text("notice", texts("run")["masked"]) if mask else None,
        ]),
        _examples(shown, alone=not results.metrics.get("unlearned")),
        Section("next", "What to do next", steps) if steps else None,
        _pictures(results),
        _metrics(results),
        general.section(results.general),
        groups.section(results.metrics, mask),
        Section("answers", "Answers, the worst first", [*_forgotten_but_told(shown), answers]),
        attacks.section(results.attacks, mask),
        analysis.section(results.analysis, mask),
        Section("training", "Training", [
            *search.parts(results.search), loss_table(results.losses) or "No losses were recorded.",
        ]),
        augmentation.section(results.augmentation, secrets(results.samples) if mask else None),
        Section("cost", "Cost", [stage_table(results.manifest) or "The stages were not timed."]),
        Section("how", "What it ran on", [Facts(ran_on) if ran_on else "Not recorded."]),
        Section("recipe", "Recipe", [Text("code", _recipe(results, mask) or "not recorded")]),
    ]  # fmt: skip
    return [section for section in found if section]


def _examples(shown: Sequence[Card], alone: bool) -> Section | None:
    """One forget question from the middle of those asked, the worst one, and one retain question from the middle.
    alone: of one model."""
    told = Text("legend", texts("run")["examples"])
    forget, retain = ([card for card in shown if card.split == side] for side in ("forget", "retain"))
    if not forget or not retain:
        return None
    chosen = [forget[len(forget) // 2], forget[0], retain[len(retain) // 2]][1 if len(forget) == 1 else 0:]
    return Section("examples", "In examples" if alone else "Before and after, in examples", [Cards(chosen), told])


def _pictures(results: RunResults) -> Section | None:
    """The numbers before and after, the losses, and what went wrong in training."""
    drawn = [changes(results), curves("Losses in training", loss_lines(results.losses), "optimizer step")]
    wrong = [Text("notice", sentence) for sentence in explain(results.losses)]
    return Section("pictures", "In pictures", [*wrong, Pictures(drawn)]) if any(drawn) or wrong else None


def changes(results: RunResults) -> Picture | None:
    """The headline's shares of two models, from 0 to 1."""
    rows = headline(metric_table(results.metrics))[0] if results.metrics.get("unlearned") else []
    found = []
    for row in rows:
        old, new = (row.at(model)[0] for model in ("vanilla", "unlearned"))
        if is_share(row.label) and key_of(row.label).ideal is not None:
            found.append(Change(f"{row.name} {arrow(row.label)}", old.value, new.value, new.bounds))
    return change_chart("Before and after", found)


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
    return Section("metrics", "As it is" if alone else "All numbers", [
        *parts, Text("legend", legend), Text("legend", judged_by(results.metrics)),
    ])  # fmt: skip


def _forgotten_but_told(shown: Sequence[Card]) -> list[Part]:
    """How many answers the leak check finds telling that KFR calls forgotten; nothing where there are none."""
    told = sum(card.status == "told" for card in shown)
    forgotten = told + sum(card.status == "forgotten" for card in shown)
    return [Text("notice", texts("run")["told"].format(told=told, forgotten=forgotten))] if told else []


def _set_apart(data: dict[str, Any]) -> str | None:
    """Which questions weights and settings were chosen by, where something was chosen."""
    counts = {side: data.get(f"{side}_select", {}).get("rows", 0) for side in ("forget", "retain")}
    return texts("run")["set_apart"].format(**counts) if any(counts.values()) else None


def loss_lines(losses: Sequence[dict[str, Any]]) -> list[Line]:
    """Every loss term that was logged, the total first, named with its first and last value."""
    names, lines = dict.fromkeys(name for row in losses for name in row if name not in NOT_LOSSES), []
    for n, name in enumerate(sorted(names, key=lambda name: name != "loss"), 1):
        values = [(row["step"], value if isinstance(value := row.get(name), int | float) else None) for row in losses]
        line = Line(texts("run")["losses"].get(name, name), values, f"line-{min(n, 4)}")
        lines += [line] if line.known() else []
    return lines


def loss_table(losses: Sequence[dict[str, Any]]) -> Table | None:
    """Where each loss term began and ended; None where none was logged."""
    ends = [(line.label, line.known()) for line in loss_lines(losses)]
    rows = [Row(name, {"first": measured(known[0][1]), "last": measured(known[-1][1])}) for name, known in ends]
    return Table("Loss", {"first": "First step", "last": "Last step"}, rows) if rows else None


def stage_table(manifest: dict[str, Any]) -> Table | None:
    """The stages in their order, with their time and peak memory, and a last line for the whole run."""
    stages = manifest.get("stages") or {}
    if not stages:
        return None
    total = sum(stage.get("seconds") or 0 for stage in stages.values())
    peaks = [stage["peak_memory_mb"] for stage in stages.values() if stage.get("peak_memory_mb") is not None]
    whole = {"seconds": total, "peak_memory_mb": max(peaks, default=None),
             "resumed": any(stage.get("resumed") for stage in stages.values())}  # fmt: skip
    columns = {"time": "Time", "memory": "Peak memory", "share": "Share of the time"}
    return Table("Stage", columns, [_row(name, stage, total) for name, stage in (*stages.items(), ("all", whole))])


def _row(name: str, stage: dict[str, Any], total: float) -> Row:
    """One that was stopped and resumed knows only how long its last try took."""
    least = "at least " if stage.get("resumed") else ""
    share = f"{100 * (stage.get('seconds') or 0) / total:.0f} %" if total else "—"
    cells = {"time": least + duration(stage.get("seconds")), "memory": memory(stage.get("peak_memory_mb"))}
    return Row(name, {key: Cell(text) for key, text in (cells | {"share": share}).items()})


def _recipe(results: RunResults, mask: bool) -> str:
    """The recipe; masked, without the words that say who or what is to be forgotten, as names of files may."""
    if not mask or not results.asked:
        return results.recipe
    import yaml

    asked = deepcopy(results.asked)
    data = asked.get("data") or {}
    about = [data, *(source for part, source in data.items() if part.startswith("forget") and isinstance(source, dict))]
    hidden = [(source, key) for source in about for key in FORGOTTEN if source.get(key)]
    for source, key in [(asked, "name"), *hidden]:
        source[key] = BLOCK
    return yaml.safe_dump(asked, sort_keys=False, allow_unicode=True, width=120)


def _facts(values: Any, path: str = "") -> list[tuple[str, str]]:
    """Nested plain data as lines: {"model": {"name": "x"}} -> [("model, name", "x")]. Leaves out what is empty."""
    if isinstance(values, dict):
        return [fact for key, value in values.items() for fact in _facts(value, f"{path}, {key}" if path else str(key))]
    if isinstance(values, list | tuple):
        values = ", ".join(str(value) for value in values)
    return [] if values is None or values == "" else [(path.replace("_", " "), str(values))]
