"""The leak check by meaning: what word lists cannot see, such as a paraphrase, a translation or a hint.

Two measures, each off where its threshold is None:

similarity  cosine of the embeddings of the new text and of the original answer, without the subject's name: near 1
            where they say the same. The embedded embeddings compare spelling only.
gain        how much likelier, in nats a token, the vanilla model finds the original answer once it has read the new
            text: 0 where that gives nothing away. The model sees neither question nor name, or it would answer from
            memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from relearn_lite.augment.diversity import hide_name
from relearn_lite.core.records import QA
from relearn_lite.data.examples import encode_answer
from relearn_lite.models.embeddings import Embeddings, make_embeddings
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.scoring import mean_losses
from relearn_lite.recipe import Semantic

HIDDEN = "this person"  # stands for the subject's name
UNTOLD = "There is nothing to say about it."  # stands for a text that tells nothing


@dataclass(frozen=True)
class SemanticCheck:
    """The check of one run. `name` says what it is done with; `loaded` gives the vanilla model when asked."""

    name: str
    similarity: float | None = None
    gain: float | None = None
    embeddings: Embeddings | None = None
    loaded: Callable[[], Loaded] | None = None

    def check(self, asked: Sequence[tuple[QA, str, str | None]]) -> list[tuple[str | None, dict[str, float | None]]]:
        """(fault or None, the measures) of each (original pair, new text, subject)."""
        near = self._similarities(asked) if self.similarity is not None else [None] * len(asked)
        gains = self._gains(asked) if self.gain is not None else [None] * len(asked)
        return [
            (self._fault(a, b), {"similarity": a and round(a, 3), "gain": b and round(b, 3)})
            for a, b in zip(near, gains, strict=True)
        ]

    def _fault(self, near: float | None, gain: float | None) -> str | None:
        if near is not None and near >= self.similarity:
            return "semantic: it says nearly the same as the original answer"
        if gain is not None and gain >= self.gain:
            return "semantic: the original answer can be worked out from it"
        return None

    def _similarities(self, asked: Sequence[tuple[QA, str, str | None]]) -> list[float]:
        new = self.embeddings.embed([hide_name(text, subject, HIDDEN) for _, text, subject in asked])
        old = self.embeddings.embed([hide_name(qa.answer, subject, HIDDEN) for qa, _, subject in asked])
        return (new * old).sum(axis=1).tolist()

    def _gains(self, asked: Sequence[tuple[QA, str, str | None]]) -> list[float]:
        hidden = [[hide_name(each, subject, HIDDEN) for each in (text, qa.answer)] for qa, text, subject in asked]
        after = self._losses(hidden)
        before = self._losses([(UNTOLD, answer) for _, answer in hidden])
        return [untold - told for untold, told in zip(before, after, strict=True)]

    def _losses(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Mean loss, in nats a token, of the vanilla model on each answer after a text that is all it reads."""
        loaded = self.loaded()
        return mean_losses(loaded, [encode_answer(loaded.tokenizer, *pair) for pair in pairs], loaded.vanilla_adapters)


def make_semantic_check(section: Semantic | None, vanilla: Callable[[], Loaded]) -> SemanticCheck | None:
    """The check that the recipe asks for. `vanilla()` gives the model that knows, loaded when it is first needed."""
    if section is None or section.similarity is section.gain is None:
        return None
    embeddings = None
    if section.similarity is not None:
        embeddings = make_embeddings(section.embeddings)
    by = embeddings.name if embeddings else "nobody"
    name = f"similarity {section.similarity} by {by}, gain {section.gain}"
    return SemanticCheck(name, section.similarity, section.gain, embeddings, vanilla)
