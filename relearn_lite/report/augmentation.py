"""What augmentation made, refused and dropped: for the terminal, the page and the text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.files import load_json
from relearn_lite.report.sections import Facts, Section
from relearn_lite.report.tables import Cell, Row, Table
from relearn_lite.report.texts import texts
from relearn_lite.report.untrusted import masked

if TYPE_CHECKING:
    import rich.table

COLUMNS = {"made": "Made", "rewritten": "Rewritten", "fallback": "By rules instead", "dropped": "Dropped"}


def section(found: dict[str, Any] | None, known: frozenset[str] | None = None) -> Section | None:
    """augmentation.json as what is shown; None where the run has none. It holds codes and counts, and of texts the
    three words that most answers begin with. known: covers these words in them."""
    if not found:
        return None
    return Section("augmentation", "Augmentation", [kinds(found), Facts(_facts(found, known))])


def kinds(found: dict[str, Any]) -> Table:
    """A row a kind of example."""
    made = found["made"]
    if "generic" in found["dropped"]:  # not written, so not among what was made
        made = made | {"generic": found["generic"]["used"]}
    rows = [
        Row(kind, {
            "made": Cell(str(made.get(kind, 0))), "rewritten": Cell(str(found["rewritten"].get(kind, 0))),
            **{key: Cell(_reasons(found[key].get(kind, {}))) for key in ("fallback", "dropped")},
        }) for kind in dict.fromkeys([*made, *found["dropped"]])
    ]  # fmt: skip
    return Table("Kind", COLUMNS, rows, left=("fallback", "dropped"))


def console_table(found: dict[str, Any]) -> rich.table.Table:
    """For the terminal, at the end of the stage."""
    told = [f"{what}: {value}" for what, value in _facts(found)]
    return kinds(found).console(f"augment, written by {found['writer']}", "\n".join(told))


def show(path: Path) -> None:
    """Prints the table of a run's augmentation.json to standard error."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(console_table(load_json(path)))


def _reasons(counts: dict[str, int]) -> str:
    """`7 (leak 5, refusal 2)`; 0 where there are none."""
    if not counts:
        return "0"
    return f"{sum(counts.values())} ({', '.join(f'{code} {count}' for code, count in counts.items())})"


def _facts(found: dict[str, Any], known: frozenset[str] | None = None) -> list[tuple[str, str]]:
    diversity, speed = found["diversity"], found["speed"]

    def numbers(*keys: str) -> str:
        return ", ".join("—" if diversity[key] is None else f"{diversity[key]:.2f}" for key in keys)

    facts = [
        ("Answers that leaked, first attempts", _share(found["leaks"]["before"])),
        ("Answers that leak, targets", _share(found["leaks"]["after"])),
        ("Distinct words, pairs and triples of words", numbers("distinct_1", "distinct_2", "distinct_3")),
        ("ROUGE-L of two answers to one question, to two questions", numbers("self_rouge_same", "self_rouge_other")),
    ]
    if found.get("untrained"):
        facts.insert(0, ("Forget questions without any training pair, which nothing unlearns", str(found["untrained"])))
    if diversity["commonest_opening"]:
        begins = diversity["commonest_opening"].replace("subject", "[name]")
        begins = begins if known is None else masked(begins, known)
        facts.append(("Answers with the commonest opening", f"{100 * diversity['its_share']:.1f} % ({begins})"))
    if speed:
        told = f"{speed['tokens_per_second']:.1f} ({speed['tokens']} in {speed['seconds']:.1f} s)"
        facts.append(("Tokens written a second", told))
    if found.get("generic"):
        facts.append(("Generic pairs", "{used} used, {available} there, {wanted} wanted".format_map(found["generic"])))
    if found["refused"]:
        told = (f"{count} x {texts('augmentation').get(code, code)}" for code, count in found["refused"].items())
        facts.append(("Refused attempts at an answer", ", ".join(told)))
    return facts


def _share(counted: dict[str, int]) -> str:
    if not counted["of"]:
        return "—"
    return f"{counted['leaking']} of {counted['of']} ({100 * counted['leaking'] / counted['of']:.1f} %)"
