"""How a benchmark puts its questions: what goes before each, its own words around it, and how an answer is begun."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relearn_lite.core.records import QA
from relearn_lite.recipe.presets import Table
from relearn_lite.text.turns import joined, passage


def worded(row: dict[str, Any], table: Table, shots: Sequence[QA] = ()) -> dict[str, Any]:
    """The fields of a record, its question put as the table says and its group told in words.

    shots: questions that are answered before this one, in the same conversation.
    """
    found = dict(row)
    if table.continued:
        found |= {"question": passage(row["question"]), "ends": False}
    if shots:
        before = [(("user", shot.question), ("assistant", shot.answer)) for shot in shots]
        turns = [*(turn for pair in before for turn in pair), ("user", row["question"])]
        found["question"] = joined([{"role": role, "content": text} for role, text in turns])
    wording = table.wording.get(row.get("group", ""), table.wording.get(""))
    if wording:
        turns = [{"role": "user", "content": wording["prompt"].format(question=row["question"])}]
        if "begun" in wording:
            turns.append({"role": "assistant", "content": wording["begun"]})
        found["question"] = joined(turns)
    if "group" in row or "{}" not in table.group_name:
        found["group"] = table.group_name.format(row.get("group"))
    return found
