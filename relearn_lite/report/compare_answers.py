"""The same questions, answered by all methods of a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from relearn_lite.report.compare import Compared
from relearn_lite.report.samples import status
from relearn_lite.report.untrusted import masked, specifics, visible
from relearn_lite.unlearn.selection import spread


@dataclass(frozen=True)
class Said:
    who: str
    text: str
    status: str  # forgotten, leaked, kept, lost, unjudged; empty for the original answer


@dataclass(frozen=True)
class Question:
    """One question, the original answer, and what every model said to it. Texts are cleaned, masked if asked for."""

    id: str
    split: str
    query: str
    truth: str
    answers: list[Said]


def same_questions(compared: Sequence[Compared], count: int, mask: bool = False) -> list[Question]:
    """`count` questions that all finished runs were asked, spread evenly, three of five of the forget side."""
    finished = [each for each in compared if each.results]
    if not finished:
        return []
    asked = [{(row["split"], row["id"]): row for row in each.results.samples} for each in finished]
    shared = [key for key in asked[0] if all(key in rows and rows[key]["query"] == asked[0][key]["query"]
                                             for rows in asked)]  # fmt: skip
    sides = {side: [key for key in shared if key[0] == side] for side in ("forget", "retain")}
    n_forget = min(math.ceil(count * 0.6), len(sides["forget"]))
    chosen = spread(n_forget, sides["forget"]) + spread(count - n_forget, sides["retain"]) if count > n_forget else (
        spread(n_forget, sides["forget"])
    )
    secret = [row for (split, _), row in asked[0].items() if split.startswith("forget")]
    known = specifics(row[text] or "" for row in secret for text in ("query", "ground_truth")) if mask else None

    def shown(text: str | None, split: str) -> str:
        clean = visible(text or "")
        return masked(clean, known) if known is not None and split == "forget" else clean

    def question(key: tuple[str, str]) -> Question:
        split, first = key[0], asked[0][key]
        said = [Said("vanilla", shown(first["vanilla"], split), status(split, first["scores"]["vanilla"]))]
        for each, rows in zip(finished, asked, strict=True):
            row = rows[key]
            judged_so = status(split, row["scores"]["unlearned"])
            said.append(Said(each.name, shown(row["unlearned"], split), judged_so))
        return Question(key[1], split, shown(first["query"], split), shown(first["ground_truth"], split), said)

    return [question(key) for key in chosen]
