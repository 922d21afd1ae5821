"""What reports tell of analysis.json: key numbers with how to read them, pictures, and a few tokens as examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.metrics.declaration import SIDES
from relearn_lite.report.numbers import number
from relearn_lite.report.plots import Line, Picture, line_chart, part_maps, part_name, stacked_bars
from relearn_lite.report.sections import Part, Pictures, Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts

COLOURS = {"forget": "line-2", "retain": "line-3"}
MOST_EXAMPLES, MOST_TOKENS = 3, 8
LAYER = "layer, 0: the embeddings"
SHARES = {"p": "line-3", "other_words": "line-4", "other_non_words": "line-2"}  # of the probability, with colours


def section(analysis: dict[str, Any] | None, mask: bool = False) -> Section | None:
    """The analysis for people; None where there is none. mask: no tokens are shown, they could spell what is secret."""
    if not analysis:
        return None
    models, intro = analysis["models"], texts("analysis")["intro"]
    return Section("inside", "Inside the model", [
        intro.format(**analysis["questions"]), numbers(analysis), *_sentences(analysis, models, mask),
        *([] if mask else _examples(analysis, models)), *_pictures(analysis, models),
    ])  # fmt: skip


def numbers(analysis: Mapping[str, Any]) -> Table:
    """Each number that is known, a column for each side and model."""
    columns, rows = {f"{side}, {model}": (side, model) for side in SIDES for model in analysis["models"]}, []
    for key, (name, reading) in texts("analysis")["readings"].items():
        cells = {column: measured(value_of(analysis, key, *of)) for column, of in columns.items()}
        if any(cell.value is not None for cell in cells.values()):
            rows.append(Row(name, cells, reading=(reading,)))
    return Table("Number", {column: column for column in columns}, rows)


def value_of(analysis: Mapping[str, Any], key: str, side: str, model: str) -> float | None:
    """A number of one model on one side; what compares with the first model stands at the other one."""
    changed = model != analysis["models"][0]
    distribution, memory, circuits = (analysis.get(part) or {} for part in ("distribution", "memory", "circuits"))
    for part in (distribution, memory):
        value = part.get("summary", {}).get(side, {}).get(model, {}).get(key)
        if isinstance(value, int | float):
            return value
    if changed and key in ("cosine", "relative_l2"):
        return (memory.get("distance", {}).get(side, {}).get(model, {}).get(key) or [None])[-1]
    if key == "logprob":
        return ((circuits.get("sides") or {}).get(side) or {}).get("logprob", {}).get(model)
    return ((circuits.get("summary") or {}).get(side) or {}).get(key) if changed else None


def _pictures(analysis: Mapping[str, Any], models: Sequence[str]) -> list[Pictures]:
    """Where the probability went, the logit lens, the distance from vanilla, and the parts of the network."""
    words, found = texts("analysis"), []
    if distribution := analysis.get("distribution"):
        summary = {f"{side}, {model}": distribution["summary"][side][model] for side in SIDES for model in models}
        bars = {name: [row[key] for key in SHARES] for name, row in summary.items()
                if all(row[key] is not None for key in SHARES)}  # fmt: skip
        colours = {words["readings"][key][0]: colour for key, colour in SHARES.items()}
        drawn = stacked_bars("All the probability at a token", bars, colours)
        found.append(Pictures([drawn], "Where the probability went", words["shares"]))
    if memory := analysis.get("memory"):
        lens = _by_layer("Probability of the original token", memory["summary"], "p", models[0])
        distances = {"cosine": "1 - cosine", "relative_l2": "Relative L2"}
        moved = [_by_layer(title, memory["distance"], key, models[0]) for key, title in distances.items()]
        found += [Pictures([lens], "Layer by layer", words["lens"])]
        found += [Pictures(moved, text=words["distance"])] if any(moved) else []
    sides = (analysis.get("circuits") or {}).get("sides") or {}
    maps = [part_maps(f"Parts of the network, {side} questions", of["parts"], ("holds", "restores", "moved"))
            for side, of in sides.items() if of]  # fmt: skip
    return [*found, *([Pictures(maps, "Heads and MLPs", words["maps"])] if maps else [])]


def _by_layer(title: str, values: Mapping[str, Mapping[str, Mapping]], key: str, vanilla: str) -> Picture | None:
    """A line a side and model that has values, vanilla's dashed. values: by side, model and key, one a layer."""
    lines = [
        Line(f"{side}, {model}: {number(row[key][-1])} at the last layer", list(enumerate(row[key])), COLOURS[side],
             "--" if model == vanilla else "-") for side in SIDES for model, row in values[side].items()
    ]  # fmt: skip
    return line_chart(f"{title} by layer", lines, (LAYER, title), (0,))


def _sentences(analysis: dict[str, Any], models: Sequence[str], mask: bool) -> list[str]:
    """What the numbers say of each side, in words."""
    words, circuits = texts("analysis"), analysis.get("circuits") or {}
    told = [f"No circuits: {circuits['reason']}."] if circuits.get("reason") else []
    shifts = (analysis.get("distribution") or {}).get("seesaw", {}).get(models[-1], {})
    for side in SIDES:
        if shift := shifts.get(side):
            numbers = {key: number(value) for key, value in shift.items() if key != "gainers"}
            gainers = ", ".join(f"“{each['token']}” {number(each['gained'])}" for each in shift["gainers"][:8])
            told.append(words["shift"].format(side=side, **numbers))
            told += [] if mask else [words["gainers"].format(side=side, gainers=gainers)]
    return told + [_parts(side, circuits, models) for side in SIDES if (circuits.get("summary") or {}).get(side)]


def _parts(side: str, circuits: dict[str, Any], models: Sequence[str]) -> str:
    values, summary, words = circuits["sides"][side], circuits["summary"][side], texts("analysis")
    before, after = (values["logprob"][model] for model in models)
    gap = None if before is None or after is None else before - after
    by_part = {(part["layer"], part["head"]): part for part in values["parts"]}
    listed = {
        column: ", ".join(f"{part_name(*part)} ({number(by_part[tuple(part)][column])})" for part in summary[key][:4])
        for column, key in (("holds", "holders"), ("restores", "restorers"))
    }
    told = words["circuits"].format(side=side, method=circuits["method"], gap=number(gap), **listed)
    return f"{told} {words['attribution']}" if circuits["method"] == "attribution" else told


def _examples(analysis: Mapping[str, Any], models: Sequence[str]) -> list[Part]:
    """The forget questions that lost most, and in each the telling tokens that did."""
    if len(models) < 2:
        return []
    before, after = models[:2]
    ranked = []
    for question in (analysis.get("distribution") or {}).get("questions", []):
        old, new = question["models"][before], question["models"][after]
        tells = [n for n, telling in enumerate(question["telling"]) if telling]
        if question["side"] == "forget" and all(row["p"][n] is not None for row in (old, new) for n in tells):
            lost = {n: old["p"][n] - new["p"][n] for n in tells}
            ranked.append((sum(lost.values()) / len(lost), question, lost))
    ranked.sort(key=lambda each: -each[0])
    tables = [_tokens(question, lost, before, after) for _, question, lost in ranked[:MOST_EXAMPLES]]
    return [Text("heading", "Tokens that lost most"), texts("analysis")["tokens"], *tables] if tables else []


def _tokens(question: Mapping[str, Any], lost: Mapping[int, float], before: str, after: str) -> Table:
    chosen = sorted(sorted(lost, key=lambda n: -lost[n])[:MOST_TOKENS])
    old, new = question["models"][before], question["models"][after]

    def place(row: Mapping[str, Any], n: int) -> Cell:
        return Cell(f"{number(row['p'][n])}, rank {row['rank'][n]:,.0f}")

    rows = [
        Row(f"“{question['tokens'][n]}”", {
            "before": place(old, n), "after": place(new, n),
            "instead": Cell(", ".join(f"“{text}” {number(chance)}" for text, chance in new["top"][n][:5])),
        }) for n in chosen
    ]  # fmt: skip
    columns = {"before": before.capitalize(), "after": after.capitalize(), "instead": "Likeliest now"}
    return Table(f"Token of {question['id']}", columns, rows, left=("instead",))
