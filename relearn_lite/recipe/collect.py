"""`collect`: from a name, a topic or documents in `data.forget` to the questions that are forgotten and kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from relearn_lite.recipe.augment import WriterChoice
from relearn_lite.recipe.base import DISTINCT, Name, Section


class Collect(Section):
    """Which of the questions about a name, a topic or documents the model knows, and what of them is trained."""

    neighbours: Annotated[list[Name], DISTINCT] = []
    """Others of the same kind, by name: what the model knows of them is kept. Default: those that data.retain is about.
    """
    draws: int = Field(5, ge=2, le=20)
    """Sampled answers that are compared with the likeliest one: a model that knows says the same again."""
    agree: float = Field(0.8, gt=0, le=1)
    """Share of them that must tell the same for the answer to count as known."""
    first_sentence: bool = False
    """Takes of each answer the first sentence alone: for a small model that says first what it knows and then rambles
    on, so that whole answers hardly ever agree or come to an end."""
    held_out: float = Field(0.0, ge=0, lt=1)
    """Share of the facets (home, health, work ...) that are not trained at all, only asked afterwards, to see whether
    forgetting reaches them: often it does not. Of every other facet one wording is held out where there are several."""
    proposals: WriterChoice | None = None
    """A model that proposes further questions, `local` or on a `server`: about a name or a topic, or of what documents
    say. What it proposes is checked like any other question. null: none but those of rules."""

    def contradictions(self) -> Iterator[str]:
        if self.proposals and self.proposals.writer not in ("local", "server"):
            yield (
                f"proposals.writer: {self.proposals.writer} proposes no questions; name local or server, or leave "
                "proposals out for those of rules"
            )
