"""Known benchmarks, as presets.yaml holds them: tables, and which of them a preset of `data` takes for each part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

REQUESTS = "requests"  # what people ask for, without answers: the vanilla model gives them


@dataclass(frozen=True)
class Table:
    """One table of a benchmark; presets.yaml says what each field means."""

    files: tuple[str, ...] = ()
    hub: tuple[str, str, str] | None = None
    question: str = "question"
    answer: str | None = "answer"  # None: it has no answers
    paraphrase: str | None = None
    paraphrased_answer: str | None = None
    wrong_answers: str | None = None
    group: str | None = None
    column: str | None = None
    folder: Path | None = None
    tables: tuple[str, ...] = ()
    group_name: str = "{}"
    text: str | None = None
    whole: bool = False
    continued: bool = False
    matching: Mapping[str, str] = field(default_factory=dict)
    shots: str | None = None
    wording: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def has_text(self) -> bool:
        """Whether texts are continued here, in one of its tables at least, and not only questions answered."""
        return bool(self.text or self.continued or any(TABLES[name].has_text for name in self.tables))


def _table(row: dict) -> Table:
    folder = Path(__file__).parents[1] / row["folder"] if "folder" in row else None
    listed = {key: tuple(row.get(key, ())) for key in ("files", "hub", "tables")}
    return Table(**row | listed | {"hub": listed["hub"] or None, "folder": folder})


_PRESETS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
TABLES: dict[str, Table] = {name: _table(row) for name, row in _PRESETS["tables"].items()}
PAIRS: dict[str, dict[str, str]] = _PRESETS["pairs"]
ASKED: dict[str, int] = _PRESETS["asked"]
STAYS: frozenset[str] = frozenset(_PRESETS["stays"])
PERSON_OF: dict[str, str] = _PRESETS["person_of"]


def table_of(preset: str | None) -> Table:
    """The table that a source names; of one that names none, a table that says nothing."""
    return TABLES[preset] if preset else Table()
