"""Known benchmarks: where each table is on the hub, what its file is called in a local copy, which columns it has.

A preset of `data` (PAIRS) names the tables (TABLES) that play each part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PEOPLE = Path(__file__).parents[1] / "assets" / "people"
REQUESTS = "requests"  # what people ask for, without answers: the vanilla model gives them


@dataclass(frozen=True)
class Table:
    """One table of a benchmark."""

    files: tuple[str, ...]  # names that a local copy may have, first match wins
    hub: tuple[str, str, str] | None  # data set, configuration, split
    question: str = "question"
    answer: str | None = "answer"  # None: it has no answers
    paraphrase: str | None = None
    paraphrased_answer: str | None = None  # this column and the next are read where a copy of the table has them
    wrong_answers: str | None = None
    column: str | None = None  # the hub's table has one row, with all the records in this column
    folder: Path | None = None  # where it lies when it comes with the project


def _tofu(name: str, *files: str) -> Table:
    return Table(
        files or (f"{name}.json", f"{name}.jsonl"),
        ("locuslab/TOFU", name, "train"),
        paraphrased_answer="paraphrased_answer",
        wrong_answers="perturbed_answer",
    )


def _perturbed(name: str) -> Table:
    """TOFU's tables with wrong answers, a configuration of its own on the hub: for evaluation."""
    return _tofu(f"{name}_perturbed", f"{name}_perturbed.json", f"{name}_perturbed.jsonl", f"{name}.json")


def _knowundo(split: str, column: str) -> Table:
    hub = ("zjunlp/KnowUnDo", "privacy", split)
    return Table((f"{split}_{column}.json",), hub, question="text", answer="labels", column=column)


def _people(file: str, paraphrase: str | None = None) -> Table:
    return Table((f"{file}.jsonl",), None, paraphrase=paraphrase, folder=PEOPLE)


TABLES: dict[str, Table] = {
    REQUESTS: Table(("requests.yaml",), None, answer=None, folder=Path(__file__).parents[1] / "data"),
    "people/forget": _people("forget", "paraphrase"),
    "people/retain": _people("retain", "paraphrase"),
    "people/general": _people("general"),
    "people/lessons": _people("lessons"),
    "people/untold": _people("untold"),
    "tofu/forget01": _tofu("forget01"),
    "tofu/forget05": _tofu("forget05"),
    "tofu/forget10": _tofu("forget10"),
    "tofu/retain99": _tofu("retain99"),
    "tofu/retain95": _tofu("retain95"),
    "tofu/retain90": _tofu("retain90"),
    "tofu/real_authors": _tofu("real_authors", "real_authors.json", "real_authors_perturbed.json"),
    "tofu/world_facts": _tofu("world_facts", "world_facts.json", "world_facts_perturbed.json"),
    "tofu/forget01_perturbed": _perturbed("forget01"),
    "tofu/forget05_perturbed": _perturbed("forget05"),
    "tofu/forget10_perturbed": _perturbed("forget10"),
    "tofu/retain_perturbed": _perturbed("retain"),
    "tofu/real_authors_perturbed": _perturbed("real_authors"),
    "tofu/world_facts_perturbed": _perturbed("world_facts"),
    "knowundo/privacy/unlearn": _knowundo("unlearn", "train"),
    "knowundo/privacy/unlearn_val": _knowundo("unlearn", "val"),
    "knowundo/privacy/retention": _knowundo("retention", "train"),
    "knowundo/privacy/retention_val": _knowundo("retention", "val"),
}

PAIRS: dict[str, dict[str, str]] = {
    "people": {"forget": "people/forget", "retain": "people/retain", "generic": "people/general"},
    "tofu/forget01": {"forget": "tofu/forget01", "retain": "tofu/retain99"},
    "tofu/forget05": {"forget": "tofu/forget05", "retain": "tofu/retain95"},
    "tofu/forget10": {"forget": "tofu/forget10", "retain": "tofu/retain90"},
    "knowundo/privacy": {"forget": "knowundo/privacy/unlearn", "retain": "knowundo/privacy/retention"},
}
