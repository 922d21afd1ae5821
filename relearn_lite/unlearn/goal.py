"""When training may stop: what is to be forgotten is, and retention, general ability and fluency hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from relearn_lite.recipe import Watch
from relearn_lite.unlearn.selection import EvalResult

IN_A_ROW = 2  # checks that must find it forgotten: one may be chance
ONE_PROCESS = (
    "unlearn.lr, unlearn.epochs: found by asking, which one process does; start it without torchrun, or give one "
    "learning rate and a number of epochs"
)
FOUR = ("forgetting", "retention", "general ability", "fluency")


def four(result: EvalResult) -> dict[str, float | None]:
    """The four numbers that decide, each 1 at best; None: could not be had, or (general ability) was not asked.

    forgetting: the lower of KFR and the share of answers that give nothing away, which does not do alone; retention:
    KRR as a share of vanilla's, at most 1; general ability: the lower of general questions answered right, likewise (a
    small model answers many by a hair, and any training turns some of these, both ways), and of the linguistic score of
    all such answers, right or wrong, likewise; fluency: share of the forget answers that are whole, as far as
    vanilla's are.
    """
    values = (
        None if result.kfr is None else _least(result.kfr, None if result.leak is None else 1 - result.leak),
        _least(result.krr_share, most=1.0),
        _least(result.general_share, result.general_ls_share, most=1.0),
        None if result.broken is None else 1 - result.broken,
    )
    return dict(zip(FOUR, values, strict=True))


def _least(*shares: float | None, most: float = math.inf) -> float | None:
    return min((min(share, most) for share in shares if share is not None), default=None)


def bounds(watch: Watch) -> dict[str, float]:
    """What each of the four must reach."""
    return dict(zip(FOUR, (watch.forgotten, watch.kept, watch.kept, 1 - watch.broken), strict=True))


def in_the_way(result: EvalResult, watch: Watch) -> list[str]:
    """Which of the four are below their bounds, or could not be had."""
    values, least = four(result), bounds(watch)
    asked = [name for name in FOUR if name != "general ability" or values[name] is not None]
    return [name for name in asked if values[name] is None or round(values[name], 9) < round(least[name], 9)]


def describe(result: EvalResult, watch: Watch) -> str:
    """The four, each with its goal; general ability only where it was asked."""
    values, least = four(result), bounds(watch)
    asked = [name for name in FOUR if name != "general ability" or values[name] is not None]
    shown = {name: "not had" if values[name] is None else f"{values[name]:.2f}" for name in asked}
    return ", ".join(f"{name} {shown[name]} (goal {least[name]:g})" for name in asked)


def reached(results: Sequence[EvalResult], watch: Watch) -> bool:
    """Whether the last checks found all four at their bounds."""
    last = results[-IN_A_ROW:]
    return len(last) == IN_A_ROW and not any(in_the_way(result, watch) for result in last)


def evenness(result: EvalResult) -> float:
    """Harmonic mean of the four, as far as they were asked; 0 where one is 0 or could not be had."""
    values = four(result)
    parts = [value or 0.0 for name, value in values.items() if name != "general ability" or value is not None]
    return len(parts) / sum(1 / part for part in parts) if min(parts) > 0 else 0.0


def best(results: Iterable[EvalResult], watch: Watch) -> EvalResult | None:
    """The latest at which all four are at their bounds, for the questions are too few to tell such apart, and its rate
    has fallen. Where there is none, by `evenness`; the latest among equals."""

    def merit(result: EvalResult) -> tuple:
        met = not in_the_way(result, watch)
        return met, 0.0 if met else round(evenness(result), 9), result.step

    return max(results, key=merit, default=None)
