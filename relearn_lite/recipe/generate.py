"""The `generate` section."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from relearn_lite.recipe.base import CountOrAuto, Section


class Generate(Section):
    """How questions are answered."""

    max_new_tokens: int = Field(128, ge=1)
    """Upper limit on the tokens of one answer. A lower one is faster and may cut answers off; the report counts those.
    """
    sampling: Literal["greedy", "published"] = "greedy"
    """`greedy` gives the same answers every time; `published` is the paper's: temperature 0.7, top_p 0.9, top_k 5
    (seeded here)."""
    batch_size: CountOrAuto = 16
    """Questions answered at once: more is faster and takes more memory. `auto`: as many as memory takes, where answers
    are drawn (`sampling: published`, draws of metrics and attacks) 16."""
