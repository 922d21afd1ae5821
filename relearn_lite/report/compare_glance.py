"""A comparison at a glance: the method to take, in words, and what the tiles of each method's own report say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from relearn_lite.report.compare import COST, NO_METRICS, Model, columns
from relearn_lite.report.sections import Section, Text
from relearn_lite.report.tables import Cell, Row, Table
from relearn_lite.report.texts import texts
from relearn_lite.report.tiles import Tile, tiles
from relearn_lite.unlearn.selection import RULE


def section(shown: Sequence[Model], numbers: Table, ranked: bool) -> Section:
    """The methods, the best balance first, with what each costs.

    numbers: the table of all numbers of `shown`. ranked: whether these compare; otherwise the order stays as it is and
    nothing is said of the best.
    """
    found = [(model, row, _tiles(model)) for model, row in zip(shown, numbers.rows, strict=True) if row.sign != "V"]
    if ranked:
        found.sort(key=lambda each: (each[1].failure != "", -(_balance(each[1]) or 0.0)))
    headings = {tile.name: tile.name for _, _, each in found for tile in each}
    rows = [_row(row, each) for _, row, each in found]
    made = {key: f"{columns()[key]} {arrow}" for key, arrow in NO_METRICS.items()}
    drawn = Table("Method", headings | made | COST, rows)
    told = verdict([(row, each) for _, row, each in found]) if ranked else ""
    said = Text("verdict", told.replace(" %", "\u00a0%")) if told else None
    legend = Text("legend", texts("comparison")["glance"].format(rule=RULE))
    return Section("glance", "At a glance", [said, drawn, legend])


def verdict(found: Sequence[tuple[Row, Sequence[Tile]]]) -> str:
    """Which method to take: the best balance of those that do all that is asked, else of all, and then it says so."""
    words = texts("comparison")["verdict"]
    rivals = [(row, each) for row, each in found if _balance(row) is not None]
    if not rivals:
        return ""
    able = [(row, each) for row, each in rivals if _does_all(each)]
    best = max(_balance(row) for row, _ in able or rivals)
    first = [(row, each) for row, each in able or rivals if row.at("balance")[0].text == f"{best:.3f}"]
    did = "; ".join(f"{tile.name.lower()} {tile.number}, {tile.word}" for tile in first[0][1])
    names = " and ".join(row.name for row, _ in first)
    told = words["alike" if len(first) > 1 else "best"].format(names=names, balance=f"{best:.3f}", did=did)
    if not able:
        return f"{words['none']} {told}"
    return f"{words['able']} {told}" if any(_balance(row) > best for row, _ in rivals) else told


def _row(row: Row, shown: Sequence[Tile]) -> Row:
    cells = {tile.name: Cell(tile.number, tile.word, tile.tone) for tile in shown}
    cells |= {key: replace(row.at(key)[0], tone="") for key in (*NO_METRICS, *COST)}
    failed = texts("comparison")["verdict"]["failed"] if row.failure else ""
    return Row(row.name, cells, sign=row.sign, failure=failed)


def _tiles(model: Model) -> list[Tile]:
    results = model.runs[0].results
    return tiles(results) if results else []


def _does_all(shown: Sequence[Tile]) -> bool:
    """Whether it forgot, kept and speaks; general ability may be what cannot be told."""
    return all(tile.tone == "good" for tile in shown[:3]) and all(
        tile.tone == "good" or tile.word == texts("tiles")["unknown"] for tile in shown[3:]
    )


def _balance(row: Row) -> float | None:
    return row.at("balance")[0].value
