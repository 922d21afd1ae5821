"""A comparison in progress, and the recipes of its runs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relearn_lite.core.records import QA
from relearn_lite.recipe import Recipe, Unlearn


@dataclass(frozen=True)
class Comparison:
    """A comparison in progress: its recipe, folder and data, and the sweep's points so far."""

    recipe: Recipe
    folder: Path
    data: dict[str, list[QA]]
    quiet: bool
    points: dict[str, Any] = field(default_factory=dict)

    @property
    def vanilla(self) -> Path:
        return self.folder / "methods" / "vanilla"

    def say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)


def child(recipe: Recipe, name: str, unlearn: Unlearn | None) -> Recipe:
    """The recipe of one run of a comparison; None: of the vanilla model alone.

    All report the same questions, whether they choose by others or not.
    """
    data = recipe.data.model_copy(update={"select_fraction": recipe.select_fraction})
    return recipe.model_copy(update={"name": name, "unlearn": unlearn, "compare": None, "data": data})
