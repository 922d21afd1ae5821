"""Which of the questions that a model knows are trained, chosen by, and reported."""

from __future__ import annotations

import random
from collections.abc import Sequence

from relearn_lite.collect.facets import Wording


def parts_of(wordings: Sequence[Wording], held_out: float, seed: int) -> dict[Wording, str]:
    """`train`, `select` or `eval` for each wording, drawn by the seed and the same for every name.

    A share `held_out` of the facets is `eval` as a whole: forgetting is to reach what was not trained. Of every other
    facet one wording is `eval` where it has two, one more `select` where it has three. One facet at least is trained.
    """
    facets: dict[str, list[Wording]] = {}
    for wording in wordings:
        facets.setdefault(wording.facet, []).append(wording)
    rng = random.Random(f"{seed} parts")
    names = rng.sample(list(facets), len(facets))
    count = min(round(held_out * len(names)), len(names) - 1)
    parts: dict[Wording, str] = {}
    for number, name in enumerate(names):
        asked = rng.sample(facets[name], len(facets[name]))
        if number < count:
            parts |= dict.fromkeys(asked, "eval")
            continue
        rest = dict(zip(asked[1:3], ("eval", "select"), strict=False))
        parts |= dict.fromkeys(asked, "train") | rest
    return parts
