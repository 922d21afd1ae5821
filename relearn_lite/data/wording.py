"""How a benchmark puts its questions: its own words around each, and the words with which an answer is begun."""

from __future__ import annotations

from typing import Any

from relearn_lite.recipe.presets import Table
from relearn_lite.text.turns import joined


def worded(row: dict[str, Any], table: Table) -> dict[str, Any]:
    """The fields of a record, its question put as the table says and its group told in words."""
    found = dict(row)
    wording = table.wording.get(row.get("group", ""), table.wording.get(""))
    if wording:
        turns = [{"role": "user", "content": wording["prompt"].format(question=row["question"])}]
        if "begun" in wording:
            turns.append({"role": "assistant", "content": wording["begun"]})
        found["question"] = joined(turns)
    if "group" in row:
        found["group"] = table.group_name.format(row["group"])
    return found
