"""What augmentation made, refused and dropped, as tables: for the terminal, the page and the text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.report.untrusted import visible

if TYPE_CHECKING:
    from rich.table import Table

HEAD = ("Kind", "Made", "Rewritten", "By rules instead", "Dropped")
SIDES = "-::--"
REASONS = {
    "leak": "gives something away", "semantic": "gives it away by its meaning", "judged": "the judge found a leak",
    "judge": "the judge gave no clear verdict", "empty": "empty", "echo": "repeats the question", "markup": "markup",
    "characters": "broken characters", "script": "another script", "short": "too short", "long": "too long",
    "refusal": "a refusal", "babble": "babble", "unfinished": "not finished", "duplicate": "a duplicate",
    "near": "a near-duplicate", "opening": "a worn opening", "subject": "off the subject",
}  # fmt: skip


@dataclass(frozen=True)
class Augmentation:
    """What is shown: a line per kind (as HEAD), the reasons of refused answers, and (what, value) of the rest."""

    kinds: list[tuple[str, str, str, str, str]]
    refused: list[tuple[str, str]]
    facts: list[tuple[str, str]]


def view(found: dict[str, Any] | None) -> Augmentation | None:
    """augmentation.json as what is shown; None where the run has none. It holds codes and counts, no one's text."""
    if not found:
        return None
    made, fallback, dropped = found["made"], found["fallback"], found["dropped"]
    if "generic" in dropped:  # not written, so not among what was made
        made = made | {"generic": found["generic"]["used"]}
    kinds = [kind for kind in dict.fromkeys([*made, *dropped]) if kind in made or kind in dropped]
    lines = [
        (
            kind,
            str(made.get(kind, 0)),
            str(found["rewritten"].get(kind, 0)),
            _reasons(fallback.get(kind, {})),
            _reasons(dropped.get(kind, {})),
        )
        for kind in kinds
    ]
    refused = [(REASONS.get(code, code), str(count)) for code, count in found["refused"].items()]
    return Augmentation(lines, refused, _facts(found))


def markdown(found: dict[str, Any] | None, table: Callable[[Sequence[str], list, str], str]) -> str:
    """The section of the Markdown report; empty where there is nothing."""
    shown = view(found)
    if shown is None:
        return ""
    parts = [
        "## Augmentation",
        table(HEAD, shown.kinds, SIDES),
        table(("Refused attempts at an answer", "Times"), shown.refused, "-:"),
        table(("Measured", "Value"), shown.facts, "--"),
    ]
    return "\n\n".join(part for part in parts if part)


def console_table(found: dict[str, Any]) -> Table:
    """For the terminal, at the end of the stage."""
    from rich.table import Table
    from rich.text import Text

    shown = view(found)
    facts = [f"{what}: {value}" for what, value in shown.facts]
    refused = ", ".join(f"{count} x {reason}" for reason, count in shown.refused)
    table = Table(
        title=Text(visible(f"augment, written by {found['writer']}")),
        title_justify="left",
        caption=Text("\n".join([*facts, *([f"Refused attempts at an answer: {refused}"] if refused else [])])),
        caption_justify="left",
    )
    for column, side in zip(HEAD, SIDES, strict=True):
        table.add_column(column, justify="right" if side == ":" else "left", overflow="fold")
    for line in shown.kinds:
        table.add_row(*(Text(visible(cell)) for cell in line))
    return table


def show(path: Path) -> None:
    """Prints the table of a run's augmentation.json to standard error."""
    from rich.console import Console

    Console(stderr=True, highlight=False).print(console_table(json.loads(path.read_text(encoding="utf-8"))))


def _reasons(counts: dict[str, int]) -> str:
    """`7 (leak 5, refusal 2)`; 0 where there are none."""
    if not counts:
        return "0"
    return f"{sum(counts.values())} ({', '.join(f'{code} {count}' for code, count in counts.items())})"


def _facts(found: dict[str, Any]) -> list[tuple[str, str]]:
    before, after, measured = found["leaks"]["before"], found["leaks"]["after"], found["diversity"]
    facts = [
        ("Answers that leaked, first attempts", _share(before)),
        ("Answers that leak, targets", _share(after)),
        ("Distinct words, pairs and triples of words", _numbers(measured, "distinct_1", "distinct_2", "distinct_3")),
        ("ROUGE-L of two answers to one question, to two questions",
         _numbers(measured, "self_rouge_same", "self_rouge_other")),
    ]  # fmt: skip
    if measured["commonest_opening"]:
        share = f"{100 * measured['its_share']:.1f} % ({measured['commonest_opening']})"
        facts.append(("Answers with the commonest opening", share.replace("subject", "[name]")))
    if found["speed"]:
        speed = found["speed"]
        told = f"{speed['tokens_per_second']:.1f} ({speed['tokens']} in {speed['seconds']:.1f} s)"
        facts.append(("Tokens written a second", told))
    return facts


def _share(counted: dict[str, int]) -> str:
    if not counted["of"]:
        return "—"
    return f"{counted['leaking']} of {counted['of']} ({100 * counted['leaking'] / counted['of']:.1f} %)"


def _numbers(values: dict[str, Any], *keys: str) -> str:
    return ", ".join("—" if values[key] is None else f"{values[key]:.2f}" for key in keys)
