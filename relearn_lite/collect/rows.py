"""forget.jsonl and retain.jsonl of stage collect, as a person may have left them."""

from __future__ import annotations

from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA
from relearn_lite.data.files import read_file
from relearn_lite.data.sources import load
from relearn_lite.recipe import Source
from relearn_lite.text.turns import bare

PARTS = ("train", "select", "eval")


def collected_parts(path: Path, side: str) -> dict[str, list[QA]]:
    """The rows of a file by the part that they play; a row that names none is trained.

    Raises RecipeError where a row cannot be used, or is twice there, once to be trained and once to be reported.
    """
    parts: dict[str, list[QA]] = {part: [] for part in PARTS}
    if path.stat().st_size == 0:
        return parts
    key = f"data.{side} (collected)"
    played = [row.get("part") or "train" for row in read_file(path, key)]
    if wrong := next((n for n, part in enumerate(played, 1) if part not in PARTS), None):
        raise RecipeError(
            f"{key}: row {wrong} of {path} has the part {played[wrong - 1]!r}; allowed: {', '.join(PARTS)}; mend "
            "or remove the row"
        )
    seen: dict[str, str] = {}
    for qa, part in zip(load(Source(path=path), f"{side}-collected", key), played, strict=True):
        if (other := seen.setdefault(bare(qa.question), part)) != part:
            raise RecipeError(
                f"{key}: {path} has {qa.question!r} both as {other} and as {part}; remove one of the two"
            )
        parts[part].append(qa)
    return parts
