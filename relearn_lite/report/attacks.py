"""What reports tell of attacks.json: one table, the curves of relearning, and what leaked, worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relearn_lite.report.numbers import number
from relearn_lite.report.plots import Line, line_chart
from relearn_lite.report.samples import Answer, Card, Span, clean
from relearn_lite.report.sections import Cards, Part, Pictures, Section, Text
from relearn_lite.report.tables import Cell, Row, Table, measured
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import names_and_numbers, visible

if TYPE_CHECKING:
    import rich.table

RATES = {"kfr": "forget", "krr": "retain"}  # and the questions that each is taken over
COLOURS = {"forget": "line-2", "retain": "line-3", "unrelated": "line-4"}
MOST_LEAKS = 20  # shown in a report; attacks.json has all
LONGEST = 600  # characters of one text
RELEARNING = "relearning_"


def section(attacks: dict[str, Any] | None, mask: bool = False) -> Section | None:
    """The attacks for people; None where there were none. mask: specifics of forget questions are covered."""
    if not attacks:
        return None
    words, asked, leaks = texts("attacks"), attacks["questions"], attacks["leaks"]
    new = sum(not leak["plain"] for leak in leaks)
    parts = [
        words["intro"].format(**asked, leaks=len(leaks), new=new),
        *(words["sampled"].format(**row) for row in attacks["attacks"] if row["attack"] == "sampling"),
        _table(rows(attacks)), Text("legend", words["table"]),
    ]  # fmt: skip
    if any(curve.get("steps") for curve in attacks["relearning"].values()):
        parts += [Text("heading", "Relearning"), *_relearning(attacks["relearning"])]
    if leaks:
        told = words["leaks"].format(shown=min(MOST_LEAKS, len(leaks)), leaks=len(leaks))
        parts += [Text("heading", "What leaked"), Text("legend", told), Cards(_leaks(attacks, mask))]
    return Section("attacks", "Under attack", parts)


def rows(attacks: Mapping[str, Any]) -> dict[str, Row]:
    """No attack first, then each, then any of them, then the end of each curve of relearning.

    Keys: `attack: way` and `relearning_<source>`. Cells: kfr, krr, questions.
    """
    plain = attacks["plain"]
    lines = [plain, *attacks["attacks"], *([attacks["any"]] if attacks["attacks"] else [])]
    found = {f"{line['attack']}: {line['way']}": _row(_name(line), line, plain["kfr"]) for line in lines}
    for key, row in found.items():  # where no way could be tried, the worst case has no reason of its own
        if key.endswith(": worst") and row.at("kfr")[0].value is row.at("krr")[0].value is None:
            whys = (other.notes for name, other in found.items() if name.partition(":")[0] == key.partition(":")[0])
            found[key] = replace(row, notes=next(filter(None, whys), ()))
    return found | {RELEARNING + source: _relearnt(source, curve) for source, curve in attacks["relearning"].items()}


def console_table(attacks: Mapping[str, Any]) -> rich.table.Table:
    """A line for each kind of attack, its worst case; the report has the others."""
    shown = {
        key: row for key, row in rows(attacks).items()
        if key.startswith(RELEARNING) or key.endswith((": plain", ": worst", ": leak@k")) and key != "any: worst"
    }  # fmt: skip
    missing = sum(row["reason"] is not None for row in attacks["attacks"])
    told = f"{len(attacks['leaks'])} of {attacks['questions']['forget']} forget questions leaked somehow."
    if missing:
        told += f" {missing} {'way' if missing == 1 else 'ways'} could not be tried here; the report says why."
    return _table(shown).only({"kfr": "KFR", "leak": "Leak", "krr": "KRR"}).console("Under attack", told)


def _table(shown: Mapping[str, Row]) -> Table:
    columns = {"kfr": "Forgotten (KFR)", "leak": "Told (leak)", "krr": "Kept (KRR)", "questions": "Questions"}
    return Table("Attack", columns, list(shown.values()))


def _name(line: Mapping[str, Any]) -> str:
    names, way = texts("attacks"), line.get("title") or line["way"].replace("@k", f"@{line.get('k')}")
    family = names["families"].get(line["attack"], line["attack"])
    return ", ".join(filter(None, (family, names["ways"].get(way, way))))


def _row(name: str, line: Mapping[str, Any], before: float | None, reading: tuple[str, ...] = ()) -> Row:
    """before: the KFR that an attack is held against. Notes: why there is no number, or what could not be judged."""
    worse = line["kfr"] is not None and before is not None and line["kfr"] < before
    cells = {rate: measured(line[rate], line["intervals"].get(rate), "bad" if worse and rate == "kfr" else "")
             for rate in RATES}  # fmt: skip
    cells["leak"] = measured(line.get("leak"), line["intervals"].get("leak"))  # runs of before have none
    asked = "" if line["reason"] else f"{line['questions']['forget']} + {line['questions']['retain']}"
    missing = "; ".join(f"{count} {RATES[rate]} answers not judged" for rate, count in line["missing"].items()
                        if rate in RATES)
    notes = tuple(filter(None, [line["reason"] or missing]))
    return Row(name, cells | {"questions": Cell(asked)}, reading=reading, notes=notes)


def _relearnt(source: str, curve: Mapping[str, Any]) -> Row:
    """The last point of a curve beside its first."""
    name = f"Relearning from {source}"
    if curve["reason"]:
        return Row(name, {"questions": Cell("")}, notes=(curve["reason"],))
    last = curve | {key: curve[key][-1] for key in (*RATES, "leak", "intervals", "missing") if key in curve}
    before = f"before: KFR {number(curve['kfr'][0])}, KRR {number(curve['krr'][0])} on the questions not taught"
    return _row(f"{name}, {curve['steps'][-1]} steps", last, curve["kfr"][0], (before,))


def _relearning(relearning: Mapping[str, Any]) -> list[Part]:
    """KFR (drawn through) and KRR (dashed) against steps, a colour a source; the same as a table."""
    curves = {(source, rate): list(zip(curve["steps"], curve[rate], strict=True))
              for source, curve in relearning.items() if curve.get("steps") for rate in RATES}  # fmt: skip
    lines = [Line(f"{rate.upper()}, taught {source} examples", points, COLOURS[source], "-" if rate == "kfr" else "--")
             for (source, rate), points in curves.items()]  # fmt: skip
    drawn = line_chart("KFR and KRR over steps of relearning", lines, ("step of relearning", "share"), (0, 1))
    steps = sorted({step for points in curves.values() for step, _ in points})
    found = [Row(f"{source}, {rate.upper()}", {str(step): measured(value) for step, value in points})
             for (source, rate), points in curves.items()]  # fmt: skip
    return [Pictures([drawn], text=texts("attacks")["relearning"]),
            Table("Taught, then", {str(step): f"{step} steps" for step in steps}, found)]  # fmt: skip


def _leaks(attacks: Mapping[str, Any], mask: bool) -> list[Card]:
    leaks, names = attacks["leaks"], {key: row.name for key, row in rows(attacks).items()}
    known = names_and_numbers(leak[text] for leak in leaks for text in ("question", "ground_truth")) if mask else None

    def named(way: str) -> str:  # of relearning and sampling it matters little which step or draw it was
        attack, _, rest = way.partition(": ")
        if attack.startswith(RELEARNING):
            return f"Relearning from {attack.removeprefix(RELEARNING)}"
        return names.get(way) or ("Sampling" if attack == "sampling" else f"{attack}, {rest}")

    def card(leak: Mapping[str, Any]) -> Card:
        by = f"{leak['attack']}: {leak['way']}"
        others = Counter(named(way) for way in leak["ways"] if way != by)
        draws = others.pop("Sampling", 0)
        also = "; ".join([*(name for name in others if name != named(by)), *[f"{draws} sampled answers"] * bool(draws)])
        told = [f"words back ↓ {number(leak['words_back'])}", *[f"also by {also}"] * bool(also)]
        said = {"Original answer": "ground_truth", "Asked": "prompt", "Answer under attack": "response"}
        answers = [Answer(who, [Span(clean(leak[key], "forget", known, LONGEST))]) for who, key in said.items()]
        asked = clean(leak["question"], "forget", known, LONGEST)
        return Card(visible(str(leak["id"])), "forget", asked, answers, "leaked", told=named(by), scores=tuple(told))

    return [card(leak) for leak in leaks[:MOST_LEAKS]]
