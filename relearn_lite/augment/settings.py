"""What augmentation reads of a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relearn_lite.augment.semantic import SemanticCheck
from relearn_lite.core.records import Variant
from relearn_lite.recipe import Augment


@dataclass(frozen=True)
class Settings:
    """The recipe's augment section, as far as this stage reads it, and the run's seed.

    semantic: the leak check by meaning, None for none. existing: rows that exist already, by `augment.from`. measured:
    questions that are reported and not in the forget set, of which none may be written.
    """

    questions: Sequence[str]
    verify_rounds: int
    completion_fraction: float
    generic_ratio: float
    seed: int
    answers_per_question: int = 1
    variants: int = 1
    semantic: SemanticCheck | None = None
    existing: tuple[Variant, ...] = ()
    opening: str = "varied"
    measured: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, section: Augment, seed: int, semantic: SemanticCheck | None = None, existing: tuple[Variant, ...] = (),
        measured: tuple[str, ...] = (),
    ) -> Settings:  # fmt: skip
        """As the recipe has them."""
        return cls(
            section.questions, section.verify_rounds, section.completion_fraction, section.generic_ratio, seed,
            section.answers_per_question, section.variants, semantic, existing, section.opening, measured,
        )  # fmt: skip
