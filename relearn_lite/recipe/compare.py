"""`compare`: several methods on one data set."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    Field,
    field_validator,
)

from relearn_lite.recipe.base import Section, run_name
from relearn_lite.recipe.methods import HYPERPARAMETERS
from relearn_lite.recipe.unlearn import Unlearn


class Sweep(Section):
    """A small grid: every combination is trained and asked `watch.questions`, the best by the harmonic rule goes on."""

    lr: list[Annotated[float, Field(gt=0)]] | None = Field(None, min_length=1)
    """Learning rates to try. Default: the method's own."""
    epochs: list[Annotated[int, Field(ge=1)]] | None = Field(None, min_length=1)
    """Numbers of epochs to try. Default: the method's own."""


def _method_name(value: str) -> str:
    if value == "vanilla":
        raise ValueError("vanilla is the model before unlearning, which is in the table anyway; choose another name")
    return run_name(value)


class ComparedMethod(Unlearn):
    """One line of the comparison: a name, and what differs from the recipe's `unlearn`."""

    name: Annotated[str, AfterValidator(_method_name)]
    """Its name in the table; its run goes to runs/<name>/methods/<this name>."""
    sweep: Sweep | None = None
    """A small grid for this method. Default: that of `compare`; null for none."""

    @property
    def settings(self) -> Unlearn:
        """What the method is unlearned with."""
        return Unlearn.model_validate(self.model_dump(exclude={"name", "sweep"}))


class Compare(Section):
    """Methods to lay side by side with `main.py compare`: one vanilla, one augmentation, one evaluation for all."""

    methods: list[ComparedMethod] = Field(min_length=1)
    """Each has a name, and keys of `unlearn` that differ from the recipe's."""
    sweep: Sweep | None = None
    """A small grid for every method that has none of its own. null: none."""
    questions: int = Field(5, ge=1)
    """How many questions the page shows with the answers of all methods."""

    @field_validator("methods")
    @classmethod
    def _names_differ(cls, methods: list[ComparedMethod]) -> list[ComparedMethod]:
        names = [method.name for method in methods]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the name {twice[0]!r} stands here twice; give each method its own")
        return methods


def lay_over(base: dict[str, Any], method: dict[str, Any]) -> dict[str, Any]:
    """Keys of `unlearn` with a method's own on top; inside lora, watch and the like key by key. The method's way to
    name its loss takes the place of the recipe's."""
    loss = ("method", "forget_loss", "retain_losses")
    if any(method.get(key) for key in loss):
        base = {key: value for key, value in base.items() if key not in loss}
    inner = {
        key: {**base[key], **method[key]}
        for key in ("lora", "watch", *HYPERPARAMETERS)
        if isinstance(base.get(key), dict) and isinstance(method.get(key), dict)
    }
    return {**base, **method, **inner}
