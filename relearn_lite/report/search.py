"""How learning rate and length of training were found: what stood in the way, and the whole path as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relearn_lite.report import general
from relearn_lite.report.plots import Line, line_chart
from relearn_lite.report.run_results import RunResults
from relearn_lite.report.sections import Folded, Part, Pictures, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts
from relearn_lite.report.verdict import percent, verdict

COLOURS = 4  # line-1 to line-4 of the style sheet
REMEDIES = {  # what to change where one of the four stands in the way; for general ability by what is set already
    "forgetting": (
        "more wordings (augment.variants, augment.questions), a larger unlearn.lora.r, or unlearn.budget={more}"
    ),
    "retention": (
        "more rows in data.retain that are close to what is to be forgotten, a higher unlearn.retain_variants, or a "
        "larger weight in unlearn.retain_losses"
    ),
    "fluency": "new answers by a better writer (augment.writer: self, local or server), or lower learning rates",
}


def told(results: RunResults) -> str:
    """The verdict, what lm-eval says, and what stood in the way where training was to go on until it has forgotten."""
    parts = (verdict(results.metrics, results.answered()), general.sentence(results.general), sentence(results.search))
    return " ".join(filter(None, parts))


def fell_short(search: Mapping[str, Any] | None) -> bool:
    """Whether training was to go on until it had forgotten, and did not get there."""
    return bool(search) and search["until_forgotten"] and not search["reached"]


def sentence(search: Mapping[str, Any] | None) -> str:
    """Which of the four stood in the way, where training did not get to its goal; else empty."""
    if not fell_short(search):
        return ""
    strength = f" and {percent(search['strength'])} of the adapter" if search["strength"] < 1 else ""
    where = f"the best point, step {search['step']} with the learning rate {search['lr']:g}{strength}, was kept"
    opening = f"Training until it is forgotten did not get there within {search['most_steps']} steps"
    if not search["in_the_way"]:
        return f"{opening}: all four goals were met, but never at two checks in a row; {where}."
    short = [_short(name, search) for name in search["in_the_way"]]
    return f"{opening}: {' and '.join(short)} stood in the way; {where}."


def _short(name: str, search: Mapping[str, Any]) -> str:
    value = search["four"][name]
    found = "not to be had" if value is None else f"{value:.3g}"  # 0.898 is below 0.9, and 0.90 would not show it
    return f"{name} ({found} on the questions asked in training, {search['bounds'][name]:g} is the goal)"


def remedy(search: Mapping[str, Any], recipe: Mapping[str, Any]) -> str:
    """What to change in the recipe so that training gets there."""
    more, remedies = 2 * search["most_steps"], REMEDIES | {"general ability": _hold_general(recipe)}
    changes = [f"for {name} {remedies[name].format(more=more)}" for name in search["in_the_way"]]
    if not changes:
        return f"All goals were met, but never twice in a row: give it more steps, unlearn.budget={more}."
    return f"To get there: {'; '.join(changes)}."


def holds_own_answers(recipe: Mapping[str, Any]) -> bool:
    """Whether the model's own answers to requests are held by rows of their own, the strongest hold that there is."""
    generic = (recipe.get("data") or {}).get("generic") or {}
    return generic.get("preset") == "requests" and recipe["unlearn"].get("generic") == "retain"


def _hold_general(recipe: Mapping[str, Any]) -> str:
    held = "" if holds_own_answers(recipe) else "data.generic: self with unlearn.generic: retain, "
    learnt = "" if recipe["unlearn"].get("target_probability") else ", or unlearn.target_probability: 0.5"
    return f"{held}a larger unlearn.generic_weight{learnt}"


def parts(search: Mapping[str, Any] | None) -> list[Part]:
    """Picture and table of all checks; nothing where learning rate and length were given."""
    if not search:
        return []
    lines = []
    kept_first = sorted(search["rates"], key=lambda rate: rate["lr"] != search["lr"])
    for n, rate in enumerate(kept_first):
        colour, checks = f"line-{n % COLOURS + 1}", rate["checks"]
        lines += [
            Line(f"{rate['lr']:g}: forgetting", [(c["step"], c["forgetting"]) for c in checks], colour),
            Line(f"{rate['lr']:g}: least of the rest", [(c["step"], _rest(c)) for c in checks], colour, ":"),
        ]
    title = "The way to the settings"
    drawn = line_chart(title, lines, ("optimizer step", "share"), (0.0, 1.0), (search["step"], "kept"))
    used = f", and {percent(search['strength'])} of its adapter is used" if search["strength"] < 1 else ""
    legend = texts("run")["search"].format(every=search["check_every"], lr=f"{search['lr']:g}", strength=used)
    checks = sum(len(rate["checks"]) for rate in kept_first)
    return [Pictures([drawn]), Text("legend", legend), Folded(f"{checks} checks", _table(kept_first, search))]


def _rest(check: Mapping[str, Any]) -> float | None:
    values = [check[name] for name in ("retention", "general ability", "fluency") if check[name] is not None]
    return min(values, default=None)


def _table(rates: list[Mapping[str, Any]], search: Mapping[str, Any]) -> Table:
    """A line a check, and a line a strength of the adapter at the best of them; the last check of a learning rate says
    why it was given up."""
    rows, goals = [], search["bounds"]
    for rate in rates:
        if not rate["checks"]:
            rows.append(Row(f"{rate['lr']:g}", {"note": Cell(rate["given_up"] or "")}))
        for check in rate["checks"]:
            best = (rate["lr"], check["step"]) == (search["lr"], search["step"])
            note = "best" if best and search["strength"] < 1 else "kept" if best else ""
            note = rate["given_up"] if rate["given_up"] and check is rate["checks"][-1] else note
            rows.append(_row(f"{rate['lr']:g}, step {check['step']}", check, goals, note))
            if best:
                rows += [
                    _row(f"{percent(weaker['strength'])} of its adapter", weaker, goals,
                         "kept" if weaker["strength"] == search["strength"] else "")
                    for weaker in search["strengths"][1:]
                ]  # fmt: skip
    columns = {name: name.capitalize() for name in goals} | {"note": "Note"}
    return Table("Learning rate", columns, rows, left=("note",))


def _row(label: str, check: Mapping[str, Any], goals: Mapping[str, float], note: str) -> Row:
    return Row(label, {name: measured(check[name]) for name in goals} | {"note": Cell(note)})
