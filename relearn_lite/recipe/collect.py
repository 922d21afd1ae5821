"""`collect`: from the name in `data.forget` to the questions that are forgotten and kept."""

from __future__ import annotations

from pydantic import Field

from relearn_lite.recipe.base import Section


class Collect(Section):
    """Which of the questions about a name the model knows, and what of them is trained."""

    neighbours: list[str] = []
    """Others of the same kind, by name: what the model knows of them is kept. Default: those that data.retain is about.
    """
    draws: int = Field(5, ge=2, le=20)
    """Sampled answers that are compared with the likeliest one: a model that knows says the same again."""
    agree: float = Field(0.8, gt=0, le=1)
    """Share of them that must tell the same for the answer to count as known."""
    held_out: float = Field(0.15, ge=0, lt=1)
    """Share of the facets (home, health, work ...) that are not trained at all, only asked afterwards. Of every other
    facet one wording is held out where there are several."""
