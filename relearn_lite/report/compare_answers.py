"""The same questions, answered by all methods of a comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence

from relearn_lite.report.compare import Compared
from relearn_lite.report.samples import Answer, Card, Span, clean, secrets, status
from relearn_lite.report.untrusted import visible
from relearn_lite.unlearn.selection import spread


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

    def card(key: tuple[str, str]) -> Card:
        split, first = key[0], asked[0][key]

        def answer(who: str, text: str | None, state: str = "") -> Answer:
            return Answer(who, [Span(clean(text, split, known))], state)

        said = [answer("Original answer", first["ground_truth"]),
                answer("vanilla", first["vanilla"], status(split, first["scores"]["vanilla"]))]  # fmt: skip
        said += [answer(each.name, rows[key]["unlearned"], status(split, rows[key]["scores"]["unlearned"]))
                 for each, rows in zip(finished, asked, strict=True)]  # fmt: skip
        return Card(visible(key[1]), split, clean(first["query"], split, known), said, told=split)

    return [card(key) for key in chosen]
