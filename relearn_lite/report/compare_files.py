"""The comparison for the console and as files: compare.html, compare.csv, compare.md, compare.tex."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.core.files import write_text
from relearn_lite.report import (
    compare_analysis,
    compare_attacks,
    compare_glance,
    compare_ratings,
    general,
    groups,
    requests,
)
from relearn_lite.report.compare import (
    COST,
    Compared,
    Model,
    alike,
    checks,
    columns,
    judged,
    models,
    overview,
    table,
    unlike,
)
from relearn_lite.report.render import document, latex, page, titled
from relearn_lite.report.samples import Answer, Card, Span, clean, secrets, status
from relearn_lite.report.sections import Cards, Facts, Section, Text
from relearn_lite.report.tables import Table
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import visible
from relearn_lite.unlearn.selection import RULE, spread

if TYPE_CHECKING:
    import rich.table

NARROW = {"kfr": "KFR ↑", "krr": "KRR ↑", "ls_share": "LS/van. ↑", "balance": "Balance ↑"}  # beside the longest name
ENDS = ("", "_low", "_high")


def write_comparison(folder: Path, name: str, compared: Sequence[Compared], questions: int, mask: bool) -> None:
    """Writes compare.html, .csv, .md and .tex to a folder."""
    told = sections(compared, mask)
    others = [part for section in told if section.name not in ("glance", "table") for part in section.parts]
    tables = [latex(part) for part in (table(models(compared)), *others) if isinstance(part, Table)]
    write_text(folder / "compare.csv", as_csv(models(compared)))
    write_text(folder / "compare.md", document(titled("Methods compared", name, mask), told))
    write_text(folder / "compare.tex", "\n".join(tables))
    write_text(folder / "compare.html", as_html(name, compared, questions, mask))


def as_html(name: str, compared: Sequence[Compared], questions: int, mask: bool) -> str:
    """The page as one HTML text that loads nothing and runs nothing."""
    cards = same_questions(compared, questions, mask)
    answers = Cards(cards) if cards else "No question was answered by all of them."
    asked = Section("answers", "The same questions, answered by all", [answers])
    masked = Section("masked", "", [Text("notice", texts("run")["masked"]) if mask else None])
    return page(titled("Methods compared", name, mask), [masked, *sections(compared, mask), asked])


def sections(compared: Sequence[Compared], mask: bool = False) -> list[Section]:
    """All but the answers. mask: groups are numbered, not named."""
    shown = models(compared)
    numbers, notices, (who, same), words = table(shown), unlike(compared), judged(compared), texts("comparison")
    asked = {key: text for key, text in numbers.columns.items() if key not in COST}
    told = [(text, words["told"][key].format(rule=RULE)) for key, text in asked.items()]
    judges = Text("legend" if same else "notice", who)
    found = [
        Section("judged", "", [*(Text("notice", each) for each in notices), judges]),
        compare_glance.section(shown, numbers, ranked=alike(shown)),
        Section("table", "All numbers", [numbers.only(asked), Facts(told), Text("legend", words["numbers"])]),
        Section("notes", "What to know beside the numbers", [Facts(numbers.notes())]) if numbers.notes() else None,
        requests.section(shown), groups.compared(shown, mask), overview(shown, numbers), checks(shown),
        general.compared(shown), compare_ratings.section(shown), compare_attacks.section(shown),
        compare_analysis.section(shown),
    ]  # fmt: skip
    return [section for section in found if section]


def same_questions(compared: Sequence[Compared], count: int, mask: bool = False) -> list[Card]:
    """`count` questions that all finished runs were asked, spread evenly, three of five of the forget side."""
    finished = [each for each in compared if each.results]
    if not finished:
        return []
    asked = [{(row["split"], row["id"]): row for row in each.results.samples} for each in finished]
    shared = [key for key in asked[0] if all(key in rows and rows[key]["query"] == asked[0][key]["query"]
                                             for rows in asked)]  # fmt: skip
    sides = {side: [key for key in shared if key[0] == side] for side in ("forget", "retain")}
    n_forget = min(math.ceil(count * 0.6), len(sides["forget"]))
    chosen = spread(n_forget, sides["forget"]) + (spread(count - n_forget, sides["retain"]) if count > n_forget else [])
    known = secrets(list(asked[0].values())) if mask else None
    rows = dict(zip((each.name for each in finished), asked, strict=True))

    def card(key: tuple[str, str]) -> Card:
        split, first = key[0], asked[0][key]

        def answer(who: str, text: str | None, state: str = "") -> Answer:
            return Answer(who, [Span(clean(text, split, known))], state)

        said = [answer("Original answer", first["ground_truth"])]
        for model in models(finished):
            row = rows[model.runs[0].name][key]
            said.append(answer(model.name, row[model.key], status(split, row["scores"][model.key])))
        return Card(visible(key[1]), split, clean(first["query"], split, known), said, told=split)

    return [card(key) for key in chosen]


def as_csv(shown: Sequence[Model]) -> str:
    """All numbers in full; what could not be had is empty. A failed method has a reason and no numbers.

    Those of lm-eval, ratings, attacks and analyses stand behind the others, where there are any.
    """
    names, found = ["method", "status", *(key + end for key in columns() for end in ENDS), *COST, "notes"], []
    for row in table(shown).rows:
        notes = [row.failure.removeprefix("Failed: ")] if row.failure else row.notes
        told = {"method": row.name, "status": "failed" if row.failure else "done", "notes": visible(" ".join(notes))}
        for key in row.cells:
            cell = row.at(key)[0]
            told |= dict(zip((key + end for end in ENDS), (cell.value, *(cell.bounds or ())), strict=False))
        found.append(told)
    for part in (general, compare_ratings, compare_attacks, compare_analysis):
        figures = [part.figures(model) for model in shown]
        names += dict.fromkeys(name for each in figures for name in each)
        found = [told | more for told, more in zip(found, figures, strict=True)]
    out = StringIO()
    rows = csv.DictWriter(out, names, lineterminator="\n")
    rows.writeheader()
    rows.writerows(found)
    return out.getvalue()


def console_table(name: str, shown: Sequence[Model], width: int) -> rich.table.Table:
    """The table for a terminal `width` characters wide: value over interval, the best in bold.

    Where that is too wide it has fewer columns, and then no intervals; the page and the files have them all.
    """
    numbers, title = table(shown), f"Methods compared, {name}"
    few = numbers.only(NARROW | COST)
    drawn = (each.console(title, spreads=True) for each in (numbers, few))
    return next((each for each in drawn if each.least_width() <= width), few.console(title))
