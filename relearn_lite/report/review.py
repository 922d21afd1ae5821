"""What stage collect found, as a page to read before anything is trained: each question, what the model says to it,
and why it is kept or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relearn_lite.core.records import Collected
from relearn_lite.report.render import page
from relearn_lite.report.sections import Facts, Section, Text
from relearn_lite.report.tables import Cell, Row, Table
from relearn_lite.report.texts import texts

COLUMNS = {"answer": "What the model says", "facet": "Facet", "part": "Part", "why": "Why"}
UNKNOWN = "unknown"


def review_page(summary: dict[str, Any], forget: Sequence[Collected], retain: Sequence[Collected]) -> str:
    """The page. summary: collect.json."""
    told = texts("review")
    sides = (("forget", forget), ("retain", retain))
    parts = [Facts([(told[part], str(count)) for part, count in _counts(rows).items()]) for _, rows in sides]
    sections = [Section("edit", told["edit_title"], [told["edit"]])]
    for (side, rows), counts in zip(sides, parts, strict=True):
        known, unknown = ([row for row in rows if (row.part == UNKNOWN) is dropped] for dropped in (False, True))
        sections += [
            Section(side, told[side], [counts, _table(known) if known else told["none"]]),
            *([Section(f"{side}-unknown", told[f"{side}_unknown"], [told["unknown_is_good"], _table(unknown)])]
              if unknown else []),
        ]  # fmt: skip
    judged = ", ".join(f"{what}: {who}" for what, who in summary["judged_by"].items())
    opening = [Text("verdict", collected(summary)), Text("legend", told["judged"].format(judges=judged))]
    return page(f"What is to be forgotten: {summary['subject']}", [Section("answer", "", opening), *sections])


def collected(summary: dict[str, Any]) -> str:
    """What collect.json says, in a sentence."""
    kept = sum(count for part, count in summary["parts"]["retain"].items() if part != UNKNOWN)
    words = f"Of {summary['subject']} the model knows {summary['known']} of {summary['asked']} questions"
    if not summary["known"]:
        return f"{words}: there is nothing that it could forget."
    return f"{words}; of others that are to be kept it knows {kept}."


def _counts(rows: Sequence[Collected]) -> dict[str, int]:
    return {part: sum(row.part == part for row in rows) for part in ("train", "select", "eval", UNKNOWN)}


def _table(rows: Sequence[Collected]) -> Table:
    ordered = sorted(rows, key=lambda row: (row.about, row.facet))
    drawn = [
        Row(row.question, {
            "answer": Cell(row.answer), "facet": Cell(row.facet), "part": Cell(row.part), "why": Cell(row.why),
        }) for row in ordered
    ]  # fmt: skip
    return Table("Question", COLUMNS, drawn, left=tuple(COLUMNS))
