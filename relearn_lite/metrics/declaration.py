"""What a metric declares about itself. The recipe, the report and the docs read nothing else of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.recipe.yaml_text import parse

OTHER_KIND = "the metric is not of answers of this kind"  # reason of a value that is none, and is not missing
# control: general questions that the vanilla model answers, see `knowledge.ABILITY`; general: all of them
Side = Literal["forget", "retain", "control", "general"]
SIDES: tuple[Side, ...] = ("forget", "retain")  # the data's own
GENERAL: Side = "general"


@dataclass(frozen=True)
class Key:
    """A number of metrics.json, as numbers.yaml declares it: which way is good, what to hope for, how to read it."""

    name: str
    good: Literal["higher", "lower", "closer"]  # closer: to the ideal, from either side
    ideal: float | None  # None: no fixed value; compare with the vanilla model's
    description: str
    low: float = 0.0
    high: float | None = 1.0  # None: no upper bound

    def improved(self, old: float, new: float) -> bool | None:
        """Has a change gone the good way? None: neither way, it is as far from the ideal as before."""
        if self.good == "closer":
            before, after = abs(old - self.ideal), abs(new - self.ideal)
            return None if math.isclose(before, after) else after < before
        return (new > old) == (self.good == "higher")


@cache
def keys() -> dict[str, Key]:
    """Every number that a metric can give, by its name in metrics.json."""
    declared = parse(Path(__file__).with_name("numbers.yaml").read_text(encoding="utf-8"))[0].items()
    return {
        name.format(side=side, any=side): Key(
            name.format(side=side, any=side),
            **number | {"description": number["description"].format(side=side, any=side)},
        )
        for name, number in declared
        for side in (*SIDES, *([GENERAL] if "{any}" in name else []))
    }


@dataclass(frozen=True)
class Aggregate:
    """A number of all answers together that is not the mean of their values, such as an AUC.

    interval: 95 %, None where it has none. reason: why the value is None. note: what a reader must know beside it.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class MetricValues:
    """A metric's value of each answer, in their order. None: could not be had; the reason stands in `reasons`. With the
    reason OTHER_KIND nothing is missing.

    judged: by name, what each answer's value came from, in the same order.
    """

    values: list[float | None]
    reasons: list[str | None]
    unmeasured: str | None = None  # why nothing was measured at all: nobody was named who could
    aggregate: Aggregate | None = None  # the metric's number, where that is not the mean of the values
    judged: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    @classmethod
    def not_measured(cls, reason: str) -> MetricValues:
        """No values: the metric is null for `reason`, and no answer counts as missing."""
        return cls([], [], unmeasured=reason)

    @classmethod
    def of(cls, values: Sequence[float | None], reason: str, aggregate: Aggregate | None = None) -> MetricValues:
        """Values of which every missing one is missing for the same reason."""
        reasons = [reason if value is None else None for value in values]
        return cls(list(values), reasons, aggregate=aggregate)


Measure = Callable[[Sequence[Answer], Evaluators], dict[str, MetricValues]]


@dataclass(frozen=True)
class Metric:
    """A metric that a recipe can ask for by `name`: measured answer by answer, its numbers being the means.

    `measure(answers, evaluators)` returns the values of each of its parts, by default one that is named as the metric.
    A part `p` measured on side `forget` becomes the key `p_forget`, unless the metric knows one side only (`kfr`,
    `krr`): then its key is `p` itself. `needs` names the fields of Evaluators without which nothing can be measured.
    `aggregate`: its numbers are no means over the answers but `MetricValues.aggregate`; such a metric is not taken over
    reworded questions.
    """

    name: str
    measure: Measure
    sides: tuple[Side, ...] = SIDES
    needs: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    aggregate: bool = False

    def __post_init__(self):
        object.__setattr__(self, "parts", self.parts or (self.name,))

    def key(self, part: str, side: str) -> str:
        """The name in metrics.json of a part that was measured on a side."""
        return part if len(self.sides) == 1 else f"{part}_{side}"


@dataclass(frozen=True)
class Combined:
    """A number made of other numbers: `combine` gets the means named in `of`, and is not asked if one is missing. For
    an interval it gets arrays of thousands of means, and gives as many numbers."""

    name: str
    of: tuple[str, ...]
    combine: Callable[..., Any]


def both_means(parts: Sequence[Any]) -> tuple[Any, Any]:
    """(harmonic, arithmetic) mean of numbers, or of arrays place by place; the harmonic one is 0 where a part is."""
    from scipy.stats import hmean

    return hmean(parts, axis=0), sum(parts) / len(parts)
