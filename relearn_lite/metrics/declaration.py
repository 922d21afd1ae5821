"""What a metric says about itself. The recipe, the report and the docs read nothing else of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators

Side = Literal["forget", "retain"]


@dataclass(frozen=True)
class Key:
    """One number of metrics.json: which way is good, the value to hope for, and one sentence on how to read it."""

    name: str
    good: Literal["higher", "lower", "closer"]  # closer: to the ideal, from either side
    ideal: float | None  # None: no fixed value; compare with the vanilla model's
    reading: str
    low: float = 0.0
    high: float | None = 1.0  # None: no upper bound

    def improved(self, old: float, new: float) -> bool:
        """Has a change gone the good way?"""
        if self.good == "closer":
            return abs(new - self.ideal) < abs(old - self.ideal)
        return (new > old) == (self.good == "higher")


@dataclass(frozen=True)
class Whole:
    """A number of all answers together that is not the mean of their values, such as an AUC.

    interval: 95 %, None where it has none. reason: why the value is None. note: what a reader must know beside it.
    """

    value: float | None
    interval: tuple[float, float] | None = None
    reason: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Column:
    """A metric's value of each answer, in their order. None: could not be had; the reason stands in `reasons`."""

    values: list[float | None]
    reasons: list[str | None]
    absent: str | None = None  # why nothing was measured at all: nobody was named who could
    whole: Whole | None = None  # the metric's number, where that is not the mean of the values

    @classmethod
    def not_measured(cls, reason: str) -> Column:
        """A column without rows: its metric is null for `reason`, and no answer counts as missing."""
        return cls([], [], absent=reason)

    @classmethod
    def of(cls, values: Sequence[float | None], reason: str) -> Column:
        """A column in which every missing value is missing for the same reason."""
        return cls(list(values), [reason if value is None else None for value in values])


@dataclass(frozen=True)
class Metric:
    """A metric that a recipe can ask for by `name`: measured answer by answer, its numbers being the means.

    `measure(answers, evaluators)` returns a column for each of its parts. A part `p` measured on side `forget`
    becomes the key `p_forget`, unless the metric knows one side only (`kfr`, `krr`): then its key is `p` itself.
    `needs` names the fields of Evaluators without which nothing can be measured. `whole`: its numbers are not means
    over the answers, its columns say them themselves; such a metric is not taken over reworded questions.
    """

    name: str
    sides: tuple[Side, ...]
    parts: tuple[str, ...]
    keys: tuple[Key, ...]
    measure: Callable[[Sequence[Answer], Evaluators], dict[str, Column]]
    needs: tuple[str, ...] = ()
    whole: bool = False

    def key(self, part: str, side: str) -> str:
        """The name in metrics.json of a part that was measured on a side."""
        return part if len(self.sides) == 1 else f"{part}_{side}"


@dataclass(frozen=True)
class Combined:
    """A number made of other numbers: `combine` gets the means named in `of`, and is not asked if one is missing."""

    key: Key
    of: tuple[str, ...]
    combine: Callable[..., float]
