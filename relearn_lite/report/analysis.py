"""What reports tell of analysis.json: key numbers with how to read them, pictures, and a few tokens as examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.report.drawing import BAR_STEP, Bar, Chart, Map, layer_chart, name, part_map, stacked_bars
from relearn_lite.report.rows import number
from relearn_lite.report.untrusted import visible

SIDES = ("forget", "retain")
COLOURS = {"forget": "--line-2", "retain": "--line-3"}
MOST_EXAMPLES, MOST_TOKENS = 3, 8
READINGS = {
    "first_p": ("Probability of the answer's first token", "Whether it would begin the original answer at all."),
    "first_rank": ("Median rank of the first token", "1: the original answer would be begun."),
    "first_entropy": ("Entropy at the first token, nats", "How many beginnings are open: 0 for one."),
    "p": ("Probability of the original token", "How sure the model is of the answer's own token, given all before it."),
    "median_rank": ("Median rank of the original token", "1: it would be said next; the larger, the further from it."),
    "likeliest": ("Original token ranks first", "Share of tokens that greedy decoding would still say."),
    "entropy": ("Entropy, nats", "0: one candidate; a few: a few candidates; far above vanilla's: noise."),
    "words_in_top5": ("Words among the five likeliest", "Candidates that are pieces of words: low means noise."),
    "non_word": ("Mass on non-words", "Probability of digits, signs, torn bytes; answers with numbers have some."),
    "first_layer": ("First layer where it ranks first", "Where an answer takes shape; of tokens that ever rank first."),
    "never": ("Ranks first at no layer", "Low after unlearning: inner layers still know what the output hides."),
    "cosine": ("Distance of the last layer, 1 - cosine", "0: as vanilla's; retain questions should stay near it."),
    "relative_l2": ("Distance of the last layer, relative L2", "Length of the change as a share of vanilla's state."),
    "logprob": ("Log-probability, nats a token", "What the circuits explain: 0 is certain."),
    "moved": ("Parts moved, mean", "Change of what heads and MLPs write, as a share of vanilla's."),
    "moved_of_holders": ("Parts moved, those that hold most", "Above the mean: the method went for these parts."),
    "agreement": ("Agreement of holds and restores", "Rank correlation; 1: it changed just what held the answers."),
}


@dataclass(frozen=True)
class KeyNumber:
    label: str
    reading: str
    values: list[str]  # one a column


@dataclass(frozen=True)
class Token:
    text: str
    before: str
    after: str
    instead: str


@dataclass(frozen=True)
class View:
    """All that the templates show. Texts of tokens are escaped there."""

    intro: str
    columns: list[str]
    numbers: list[KeyNumber]
    sentences: list[str]
    bars: list[Bar]
    bars_height: int
    charts: list[Chart]
    maps: list[tuple[str, list[Map], float]]  # side, its maps, height
    examples: list[tuple[str, list[Token]]]  # id of the question, some of its tokens


def view(analysis: dict[str, Any] | None, mask: bool = False) -> View | None:
    """The analysis for people; None where there is none. mask: no tokens are shown, they could spell what is secret."""
    if not analysis:
        return None
    models = analysis["models"]
    counts = analysis["questions"]
    bars = _bars(analysis, models)
    return View(
        f"{counts['forget']} forget and {counts['retain']} retain questions, each model fed their original answers "
        "token by token. Numbers are over the tokens that tell what the question does not.",
        [f"{side}, {model}" for side in SIDES for model in models],
        _numbers(analysis, models),
        _sentences(analysis, models, mask),
        bars,
        len(bars) * BAR_STEP + 4,
        _charts(analysis, models),
        _maps(analysis),
        [] if mask else _examples(analysis, models),
    )


def markdown(analysis: dict[str, Any] | None, mask: bool, table: Callable[..., str]) -> str:
    """The section of report.md; empty without an analysis. table: draws (head, lines, sides) as Markdown."""
    shown = view(analysis, mask)
    if shown is None:
        return ""
    lines = [(each.label, *each.values, each.reading) for each in shown.numbers]
    head = ("Number", *shown.columns, "How to read it")
    drawn = table(head, lines, "-" + ":" * len(shown.columns) + "-")
    items = "\n".join(f"- {sentence}" for sentence in _escaped(shown.sentences))
    return f"## Inside the model\n\n{shown.intro}\n\n{drawn}\n\n{items}"


def _escaped(sentences: Sequence[str]) -> list[str]:
    from relearn_lite.report.markdown_text import inline

    return [inline(visible(sentence)) for sentence in sentences]


def _numbers(analysis: dict[str, Any], models: Sequence[str]) -> list[KeyNumber]:
    found = []
    for key, (label, reading) in READINGS.items():
        values = [value_of(analysis, key, side, model) for side in SIDES for model in models]
        if any(value is not None for value in values):
            found.append(KeyNumber(label, reading, [number(value) for value in values]))
    return found


def value_of(analysis: Mapping[str, Any], key: str, side: str, model: str) -> float | None:
    """One of READINGS, of one model on one side; what compares with the first model stands at the other one."""
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


def _bars(analysis: dict[str, Any], models: Sequence[str]) -> list[Bar]:
    summary = (analysis.get("distribution") or {}).get("summary", {})
    return stacked_bars({
        f"{side}, {model}": [summary[side][model][key] for key in ("p", "other_words", "other_non_words")]
        for side in SIDES for model in models if summary
    })


def _charts(analysis: dict[str, Any], models: Sequence[str]) -> list[Chart]:
    memory = analysis.get("memory")
    if not memory:
        return []
    styles = {f"{side}, {model}": (COLOURS[side], model == models[0]) for side in SIDES for model in models}
    lens = {f"{side}, {model}": memory["summary"][side][model]["p"] for side in SIDES for model in models}
    drawn = [layer_chart("probability", lens, styles)]
    for column, label in (("cosine", "1 - cosine"), ("relative_l2", "relative L2")):
        moved = {
            f"{side}, {model}": memory["distance"][side][model][column] for side in SIDES for model in models[1:]
        }
        drawn.append(layer_chart(label, moved, styles) if moved else None)
    return [chart for chart in drawn if chart]


def _maps(analysis: dict[str, Any]) -> list[tuple[str, list[Map], float]]:
    sides = (analysis.get("circuits") or {}).get("sides") or {}
    drawn = []
    for side, values in sides.items():
        if values:
            maps = [
                part_map(title, place, values["parts"], title, ("--line-2", "--line-3"))
                for place, title in enumerate(("holds", "restores", "moved"))
            ]
            layers = 1 + max(part["layer"] for part in values["parts"])
            drawn.append((side, maps, layers * maps[0].size + 48))
    return drawn


def _sentences(analysis: dict[str, Any], models: Sequence[str], mask: bool) -> list[str]:
    """What the numbers say of each side, in words."""
    told = []
    if len(models) > 1:
        seesaw = (analysis.get("distribution") or {}).get("seesaw", {}).get(models[1], {})
        told += [_moved(side, seesaw[side], mask) for side in SIDES if seesaw.get(side)]
    circuits = analysis.get("circuits") or {}
    if circuits.get("reason"):
        told.append(f"No circuits: {circuits['reason']}.")
    for side in SIDES:
        if (circuits.get("summary") or {}).get(side):
            told.append(_parts(side, circuits, models))
    return told


def _moved(side: str, seesaw: dict[str, Any], mask: bool) -> str:
    sentence = (
        f"Seesaw, {side} questions: {number(seesaw['moved'])} of the probability changed hands at a token; the "
        f"original token lost {number(seesaw['lost'])}, other words gained {number(seesaw['to_words'])} and non-words "
        f"{number(seesaw['to_non_words'])}; the five largest gainers of a position took {number(seesaw['to_five'])} of "
        "the gain"
    )
    gainers = ", ".join(f"“{each['token']}” {number(each['gained'])}" for each in seesaw["gainers"][:8])
    return f"{sentence}." if mask else f"{sentence}. Over all positions most went to {gainers}."


def _parts(side: str, circuits: dict[str, Any], models: Sequence[str]) -> str:
    values, summary = circuits["sides"][side], circuits["summary"][side]
    gap = values["logprob"][models[0]] - values["logprob"][models[1]]
    by_part = {(part["layer"], part["head"]): part for part in values["parts"]}
    listed = {
        column: ", ".join(f"{name(*part)} ({number(by_part[tuple(part)][column])})" for part in summary[key][:4])
        for column, key in (("holds", "holders"), ("restores", "restorers"))
    }
    return (
        f"Circuits, {side} questions (by {circuits['method']}): vanilla and unlearned differ by {number(gap)} nats a "
        f"token. The answers rest most on {listed['holds']}; most comes back by restoring {listed['restores']}."
        + (" Attribution is too small for holds where vanilla is sure." if circuits["method"] == "attribution" else "")
    )


def _examples(analysis: dict[str, Any], models: Sequence[str]) -> list[tuple[str, list[Token]]]:
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
    return [(question["id"], _tokens(question, lost, before, after)) for _, question, lost in ranked[:MOST_EXAMPLES]]


def _tokens(question: dict[str, Any], lost: dict[int, float], before: str, after: str) -> list[Token]:
    chosen = sorted(sorted(lost, key=lambda n: -lost[n])[:MOST_TOKENS])
    old, new = question["models"][before], question["models"][after]

    def place(row: dict[str, Any], n: int) -> str:
        return f"{number(row['p'][n])}, rank {row['rank'][n]:,.0f}"

    return [
        Token(
            f"“{question['tokens'][n]}”", place(old, n), place(new, n),
            ", ".join(f"“{text}” {number(chance)}" for text, chance in new["top"][n][:5]),
        )
        for n in chosen
    ]
