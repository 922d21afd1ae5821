"""What stage collect found, as a page to read before anything is trained: each question, what the model says to it,
and why it is kept or not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from relearn_lite.core.records import Collected
from relearn_lite.report.render import page
from relearn_lite.report.sections import Facts, Folded, Section, Text
from relearn_lite.report.tables import Cell, Row, Table
from relearn_lite.report.texts import texts

COLUMNS = {"answer": "What the model says", "facet": "Facet", "part": "Part", "why": "Why"}
FROM = {"quote": "What the document says", "source": "Where"}
UNKNOWN = "unknown"
MOST_LEFT_OUT = 300  # sentences of documents that the page shows; collect.json has all


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
    sections += _documents(summary) if "documents" in summary else []
    judged = ", ".join(f"{what}: {who}" for what, who in summary["judged_by"].items())
    opening = [Text("verdict", collected(summary)), Text("legend", told["judged"].format(judges=judged))]
    return page(f"What is to be forgotten: {summary['subject']}", [Section("answer", "", opening), *sections])


def _documents(summary: dict[str, Any]) -> list[Section]:
    """What documents say that the model does not know, and what was not asked about."""
    told = texts("review")
    unknown = [
        Row(each["text"], {"about": Cell(each["about"]), "source": Cell(each["source"])})
        for each in summary["statements"] if not each["known"]
    ]  # fmt: skip
    table = Table("What the document says", columns := {"about": "About", "source": "Where"}, unknown, left=(*columns,))
    counts = Counter(each["why"] for each in summary["left_out"])
    left_out = [Row(each["text"], {"why": Cell(each["why"]), "source": Cell(each["source"])})
                for each in summary["left_out"][:MOST_LEFT_OUT]]  # fmt: skip
    sentences = Table("Sentence", why := {"why": "Why", "source": "Where"}, left_out, left=(*why,))
    return [
        *([Section("untold", told["untold"], [told["untold_means"], table])] if unknown else []),
        *([Section("left-out", told["left_out_title"], [
            Facts([(why, str(count)) for why, count in counts.items()]),
            Folded(told["left_out_first"].format(n=len(left_out), all=len(summary["left_out"])), sentences),
        ])] if left_out else []),
    ]


def collected(summary: dict[str, Any]) -> str:
    """What collect.json says, in a sentence."""
    kept = sum(count for part, count in summary["parts"]["retain"].items() if part != UNKNOWN)
    words = f"Of {summary['subject']} the model knows {summary['known']} of {summary['asked']} questions"
    if "documents" in summary:
        known = sum(each["known"] for each in summary["statements"])
        words += f", and {known} of {len(summary['statements'])} statements in {len(summary['documents'])} document"
        words += "s" if len(summary["documents"]) > 1 else ""
    if not summary["known"]:
        return f"{words}: there is nothing that it could forget."
    return f"{words}; of others that are to be kept it knows {kept}."


def _counts(rows: Sequence[Collected]) -> dict[str, int]:
    return {part: sum(row.part == part for row in rows) for part in ("train", "select", "eval", UNKNOWN)}


def _table(rows: Sequence[Collected]) -> Table:
    columns = COLUMNS | (FROM if any(row.source for row in rows) else {})
    ordered = sorted(rows, key=lambda row: (row.about, row.facet))
    drawn = [Row(row.question, {column: Cell(getattr(row, column)) for column in columns}) for row in ordered]
    return Table("Question", columns, drawn, left=tuple(columns))
