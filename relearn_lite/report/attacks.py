"""What reports tell of attacks.json: one table, the curves of relearning, and what leaked, worst first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relearn_lite.report.curve import HEIGHT, WIDTH, Curve, loss_curve
from relearn_lite.report.rows import number
from relearn_lite.report.untrusted import masked, specifics, visible

if TYPE_CHECKING:
    from rich.table import Table

SIDES = {"kfr": "forget", "krr": "retain"}
COLOURS = {"forget": "--line-2", "retain": "--line-3", "unrelated": "--line-4"}
MOST_LEAKS = 20  # shown in a report; attacks.json has all
LONGEST = 600  # characters of one text
FAMILIES = {
    "paraphrase": "Other wordings", "jailbreak": "Jailbreak", "sampling": "Sampling", "precision": "Precision",
    "any": "Any of these", "plain": "No attack",
}  # fmt: skip
WAYS = {
    "plain": "", "worst": "worst case", "paraphrase": "the data's paraphrase", "simple": "simple variant",
    "context": "variant with context", "noise": "variant with noise", "logical": "logical variant",
    "bf16": "base in bfloat16", "fp16": "base in float16", "8bit": "base in 8 bit", "4bit": "base in 4 bit",
    "merged": "merged into full weights", "merged_dequantized": "merged into a 4-bit base made full again",
    "merged_in_4bit": "merged into a 4-bit base, rounded again",
    "merged_then_4bit": "merged into full weights, then 4 bit",
}  # fmt: skip


@dataclass(frozen=True)
class AttackRow:
    name: str
    kfr: str
    kfr_interval: str
    krr: str
    krr_interval: str
    questions: str  # how many were asked of each side
    note: str  # why there is no number, or how many answers could not be judged
    worse: bool  # leaks more than without attack
    worst: bool  # sums up the lines above it


@dataclass(frozen=True)
class Leak:
    """A forget question that leaked. Texts are shown as they are; templates escape them."""

    id: str
    question: str
    truth: str
    by: str
    prompt: str
    response: str
    back: str  # share of the original answer's words that came back
    also: str  # by what else it leaked


@dataclass(frozen=True)
class RelearnLine:
    label: str
    path: str
    colour: str
    dashed: bool
    first: str
    last: str


@dataclass(frozen=True)
class View:
    rows: list[AttackRow]
    sentences: list[str]
    leaks: list[Leak]
    n_leaks: int
    curve: Curve | None
    lines: list[RelearnLine]
    size: tuple[int, int] = (WIDTH, HEIGHT)


def view(attacks: dict[str, Any] | None, mask: bool = False) -> View | None:
    """The attacks for people; None where there were none. mask: specifics of forget questions are covered."""
    if not attacks:
        return None
    curve, lines = _curve(attacks["relearning"])
    leaks = attacks["leaks"]
    titles = {f"{row['attack']}: {row['way']}": _name(row) for row in attacks["attacks"]}
    known = specifics(leak[text] for leak in leaks for text in ("question", "ground_truth")) if mask else None
    shown = [_leak(leak, titles, known) for leak in leaks[:MOST_LEAKS]]
    return View(rows(attacks), sentences(attacks), shown, len(leaks), curve, lines)


def rows(attacks: Mapping[str, Any]) -> list[AttackRow]:
    """No attack first, then each, then any of them, then the ends of the curves of relearning."""
    plain = attacks["plain"]
    lines = [plain, *attacks["attacks"], *([attacks["any"]] if attacks["attacks"] else [])]
    return [*(_row(line, plain["kfr"]) for line in lines), *_relearned(attacks["relearning"])]


def console_table(attacks: Mapping[str, Any]) -> Table:
    """A line for each kind of attack, its worst case; the report has the others."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text("Under attack", style="bold"), title_justify="left")
    table.add_column("attack", overflow="fold")
    for column in ("KFR", "KRR"):
        table.add_column(column, justify="right", no_wrap=True)
    sums = [row for row in attacks["attacks"] if row["way"] in ("worst", "leak@k")]
    lines = [_row(row, attacks["plain"]["kfr"]) for row in (attacks["plain"], *sums)]
    for line in (*lines, *_relearned(attacks["relearning"])):
        table.add_row(Text(visible(line.name)), Text(line.kfr, style="red" if line.worse else ""), Text(line.krr))
    missing = sum(row["reason"] is not None for row in attacks["attacks"])
    told = [f"{len(attacks['leaks'])} of {attacks['questions']['forget']} forget questions leaked somehow."]
    ways = "way" if missing == 1 else "ways"
    told += [f"{missing} {ways} could not be tried here; the report says why."] if missing else []
    table.caption, table.caption_justify = Text(" ".join(told)), "left"
    return table


def markdown(attacks: dict[str, Any] | None, mask: bool, table: Callable[..., str]) -> str:
    """The section of report.md; empty without attacks. table: draws (head, lines, sides) as Markdown."""
    from relearn_lite.report.markdown_text import fenced, inline

    shown = view(attacks, mask)
    if shown is None:
        return ""
    head = ("Attack", "KFR", "95 % interval", "KRR", "95 % interval", "Questions", "Note")
    lines = [(r.name, r.kfr, r.kfr_interval, r.krr, r.krr_interval, r.questions, r.note) for r in shown.rows]
    parts = ["## Under attack", *(inline(visible(sentence)) for sentence in shown.sentences)]
    parts.append(table(head, lines, "-::::--"))
    steps = sorted({step for curve in attacks["relearning"].values() for step in curve.get("steps", ())})
    if steps:
        body = [
            (f"{source}, {rate.upper()}", *(_at(curve, rate, step) for step in steps))
            for source, curve in attacks["relearning"].items() if not curve["reason"] for rate in SIDES
        ]
        head = ("Taught, then", *(f"{step} steps" for step in steps))
        parts += ["### Relearning", table(head, body, "-" + ":" * len(steps))]
    if shown.leaks:
        parts.append(f"### What leaked, the worst first ({len(shown.leaks)} of {shown.n_leaks})")
    for leak in shown.leaks:
        parts.append(f"**{inline(leak.id)}, {inline(leak.by)}:** {inline(leak.question)}")
        texts = {"Original answer": leak.truth, "Asked": leak.prompt, "Answer": leak.response}
        parts += [f"{title}:\n\n{fenced(text)}" for title, text in texts.items()]
        parts.append(f"Words back: {leak.back}." + (f" Also by {inline(leak.also)}." if leak.also else ""))
    return "\n\n".join(part for part in parts if part)


def sentences(attacks: Mapping[str, Any]) -> list[str]:
    """What the table says, in words."""
    asked = attacks["questions"]
    new = sum(not leak["plain"] for leak in attacks["leaks"])
    told = [
        f"The same {asked['forget']} forget and {asked['retain']} retain questions in each line, judged as the answers "
        "above. In a worst case a question counts as leaked if any way leaks it, and as lost if any way loses it. "
        f"{len(attacks['leaks'])} forget questions leaked in some way, {new} of them not without an attack."
    ]
    told += [
        f"Sampling: KFR is 1 − leak@{row['k']}, from {row['draws']} answers drawn to each question; KRR is that of one "
        "draw." for row in attacks["attacks"] if row["attack"] == "sampling"
    ]
    told += [
        f"Relearning from {source}: {curve['reason']}." for source, curve in attacks["relearning"].items()
        if curve["reason"]
    ]
    return told


def _row(row: Mapping[str, Any], plain: float | None) -> AttackRow:
    missing = [f"{count} {SIDES[rate]} answers not judged" for rate, count in row["missing"].items()]
    worse = row["kfr"] is not None and plain is not None and row["attack"] != "plain" and row["kfr"] < plain
    intervals = {rate: _interval(row["intervals"].get(rate)) for rate in SIDES}
    return AttackRow(
        _name(row), number(row["kfr"]), intervals["kfr"], number(row["krr"]), intervals["krr"],
        f"{row['questions']['forget']} + {row['questions']['retain']}" if not row["reason"] else "",
        visible(row["reason"] or "; ".join(missing)), worse, row["way"] in ("worst", "plain"),
    )  # fmt: skip


def _relearned(relearning: Mapping[str, Any]) -> list[AttackRow]:
    """The last point of each curve beside its first."""
    lines = []
    for source, curve in relearning.items():
        if curve["reason"]:
            lines.append(AttackRow(f"Relearning from {source}", "—", "", "—", "", "", curve["reason"], False, False))
            continue
        first, last = curve["kfr"][0], curve["kfr"][-1]
        spans = {rate: _interval(curve["intervals"][-1].get(rate)) for rate in SIDES}
        note = f"before: KFR {number(first)}, KRR {number(curve['krr'][0])} on the questions not taught"
        lines.append(AttackRow(
            f"Relearning from {source}, {curve['steps'][-1]} steps", number(last), spans["kfr"],
            number(curve["krr"][-1]), spans["krr"],
            f"{curve['questions']['forget']} + {curve['questions']['retain']}", note,
            first is not None and last is not None and last < first, False,
        ))  # fmt: skip
    return lines


def _name(row: Mapping[str, Any]) -> str:
    way = row.get("title") or WAYS.get(row["way"], row["way"])
    return ", ".join(part for part in (FAMILIES.get(row["attack"], row["attack"]), way) if part)


def _leak(leak: Mapping[str, Any], titles: Mapping[str, str], known: frozenset[str] | None) -> Leak:
    def text(value: str) -> str:
        shown = visible(value, LONGEST)
        return shown if known is None else masked(shown, known)

    def named(way: str) -> str:
        attack, _, rest = way.partition(": ")
        if attack.startswith("relearning_"):  # which step matters little
            return f"Relearning from {attack.removeprefix('relearning_')}"
        return titles.get(way) or f"{FAMILIES.get(attack, attack)}, {rest}".removesuffix(", plain")

    by = f"{leak['attack']}: {leak['way']}"
    others = dict.fromkeys(named(way) for way in leak["ways"] if way != by and not way.startswith("sampling"))
    others.pop(named(by), None)
    draws = sum(way.startswith("sampling") for way in leak["ways"] if way != by)
    also = [*others, *([f"{draws} sampled answers"] if draws else [])]
    return Leak(
        visible(str(leak["id"])), text(leak["question"]), text(leak["ground_truth"]), named(by), text(leak["prompt"]),
        text(leak["response"]), number(leak["words_back"]), "; ".join(also),
    )  # fmt: skip


def _curve(relearning: Mapping[str, Any]) -> tuple[Curve | None, list[RelearnLine]]:
    """KFR (drawn through) and KRR (dashed) against steps, a colour a source."""
    points: dict[int, dict[str, Any]] = {}
    for source, curve in relearning.items():
        for rate in SIDES:
            for step, value in zip(curve.get("steps", ()), curve.get(rate, ()), strict=True):
                points.setdefault(step, {"step": step})[f"{rate}:{source}"] = value
    drawn = loss_curve([points[step] for step in sorted(points)]) if points else None
    lines = []
    for line in drawn.lines if drawn else ():
        rate, _, source = line.term.partition(":")
        label = f"{rate.upper()}, taught {source} examples"
        ends = number(line.first), number(line.last)
        lines.append(RelearnLine(label, line.path, COLOURS[source], rate == "krr", *ends))
    return drawn, lines


def _at(curve: Mapping[str, Any], rate: str, step: int) -> str:
    return number(curve[rate][curve["steps"].index(step)]) if step in curve["steps"] else ""


def _interval(bounds: Sequence[float] | None) -> str:
    return f"{number(bounds[0])} – {number(bounds[1])}" if bounds else ""
