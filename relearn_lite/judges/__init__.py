"""Who judges answers. Each judge has `name`, `embedded` and one verb; None from it means that it failed.

To add a judge of a kind that is here: create relearn_lite/judges/<name>.py with a class that has what the kind's
Protocol below asks for, and make it where the recipe names it, in relearn_lite/evaluate/choose.py. A judge that prompts
a chat model extends `prompted.PromptedJudge`. (Embeddings are models: relearn_lite/models/embeddings.py.)
A new kind is besides a Protocol and a field of `Evaluators` here, and a key of `evaluate.evaluators` in
relearn_lite/recipe/evaluate.py. A metric names the fields that it cannot do without in `needs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from relearn_lite.judges.evaluated_model import EvaluatedModel
    from relearn_lite.models.embeddings import Embeddings


class Named(Protocol):
    """Every judge. name: as reports show it; embedded: whether it comes with the project and needs no other model."""

    name: str
    embedded: bool


class Entities(Named, Protocol):
    """Lists the entities and core nouns of a text that its question does not already give."""

    def extract(self, items: Sequence[tuple[str, str]]) -> list[list[str] | None]:
        """items: (question, text). None: could not be had. []: there are really none."""


class NLI(Named, Protocol):
    """Natural language inference: does the hypothesis follow from the premise, or contradict it?"""

    def label(self, pairs: Sequence[tuple[str, str]]) -> list[str | None]:
        """pairs: (premise, hypothesis). `entailment`, `neutral`, `contradiction`, or None: could not be had."""


class LanguageModel(Named, Protocol):
    """The base model, asked how likely an answer is after its question."""

    def perplexity(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """pairs: (question, answer). None: undefined: the answer has no token, or is longer than can be read."""


class Judge(Named, Protocol):
    """Rates answers: fluency, relevance, forgetting or retention (`kind`), each from 1 to 5."""

    def rate(self, kind: str, items: Sequence[tuple[str, str, str]]) -> list[int | None]:
        """items: (question, original answer, answer to rate). None: no rating could be had."""

    def rate_together(self, kind: str, items: Sequence[tuple[str, Sequence[str]]]) -> list[list[int] | None]:
        """items: (question, answers to it), which are rated in one prompt: fluency or relevance. The ratings in the
        order of the answers; None: not all of them could be had."""


@dataclass(frozen=True)
class Evaluators:
    """The judges of one evaluation, and the model whose answers they judge. None: nobody was named; a metric that
    needs it is null with that reason."""

    entities: Entities | None = None
    embeddings: Embeddings | None = None
    nli: NLI | None = None
    language_model: LanguageModel | None = None
    judge: Judge | None = None
    model: EvaluatedModel | None = None  # None where there are only files of answers

    def names(self) -> dict[str, str | None]:
        """The name of each judge, for reports: a number means little without who judged."""
        judges = (f.name for f in fields(self) if f.name != "model")
        return {name: getattr(getattr(self, name), "name", None) for name in judges}

    def missing(self, needs: Sequence[str]) -> list[str]:
        """Those of `needs` that nobody was named for."""
        return [need for need in needs if getattr(self, need) is None]
