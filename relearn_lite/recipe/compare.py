"""`compare`: several methods on one data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator

from relearn_lite.recipe.base import DISTINCT, Section, run_name
from relearn_lite.recipe.methods import HYPERPARAMETERS
from relearn_lite.recipe.unlearn import Unlearn


class Sweep(Section):
    """A small grid search: every combination is trained and asked `watch.questions`; the one with the best harmonic
    mean (see `keep_best`) is then measured."""

    lr: Annotated[list[Annotated[float, Field(gt=0)]], DISTINCT] | None = Field(None, min_length=1)
    """Learning rates to try. Default: only the method's own."""
    epochs: Annotated[list[Annotated[int, Field(ge=1)]], DISTINCT] | None = Field(None, min_length=1)
    """Numbers of epochs to try. Default: only the method's own."""


def _method_name(value: str) -> str:
    if value == "vanilla":
        raise ValueError("vanilla is the model before unlearning, which is in the table anyway; choose another name")
    return run_name(value)


class ComparedMethod(Unlearn):
    """One line of the comparison: a name, and the keys that differ from the recipe's `unlearn`."""

    name: Annotated[str, AfterValidator(_method_name)]
    """Its name in the table; its run goes to runs/<name>/methods/<this name>."""
    sweep: Sweep | None = None
    """A grid search for this method. Default: that of `compare`; null: none."""

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        for key, value in (("lr", self.lr), ("epochs", self.epochs)):
            if self.sweep and getattr(self.sweep, key) and (value == "auto" or isinstance(value, list)):
                yield (
                    f"sweep: tries several {key}, and {key} is found within each run already ({value}); give the "
                    f"method one {key}, or sweep: null"
                )

    @property
    def settings(self) -> Unlearn:
        """The keys of `unlearn` alone."""
        return Unlearn.model_validate(self.model_dump(exclude={"name", "sweep"}))


class Compare(Section):
    """Methods that `main.py compare` runs side by side, with one vanilla model, one augmentation and one evaluation for
    all."""

    methods: list[ComparedMethod] = Field(min_length=1)
    """Each has a name, and the keys of `unlearn` that differ from the recipe's."""
    sweep: Sweep | None = None
    """A grid search for every method without its own. null: none."""
    questions: int = Field(5, ge=1)
    """How many questions the page shows, with the answers of all methods."""
    ratings: Annotated[list[Literal["fluency", "relevance"]], DISTINCT] = []
    """Ratings that `evaluate.evaluators.judge` gives vanilla's and all methods' answers to a question in one prompt, as
    the ReLearn code does; one by one they are metrics of `evaluate`."""

    @field_validator("methods")
    @classmethod
    def _names_differ(cls, methods: list[ComparedMethod]) -> list[ComparedMethod]:
        names = [method.name for method in methods]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"the name {twice[0]!r} is given twice; give each method its own")
        return methods


def with_changes(unlearn: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The keys of `unlearn` with a method's changes; inside lora, watch and the like, key by key.

    A method that names its loss in any way replaces every key by which the recipe named its own.
    """
    loss = ("method", "forget_loss", "retain_losses")
    if any(changes.get(key) for key in loss):
        unlearn = {key: value for key, value in unlearn.items() if key not in loss}
    inner = {
        key: {**unlearn[key], **changes[key]}
        for key in ("lora", "watch", *HYPERPARAMETERS)
        if isinstance(unlearn.get(key), dict) and isinstance(changes.get(key), dict)
    }
    return {**unlearn, **changes, **inner}
