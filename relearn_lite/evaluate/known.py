"""What a model knows: which of its own answers tell what they should. Judged as the run judges, one by one."""

from __future__ import annotations

from collections.abc import Sequence

from relearn_lite.core.records import Answer
from relearn_lite.judges import Evaluators
from relearn_lite.metrics.knowledge import measure_forgetting, measure_general


def tells(answers: Sequence[Answer], judges: Evaluators) -> list[bool | None]:
    """Whether each answer to a forget question tells the original's secret; None: it could not be judged."""
    values = measure_forgetting(answers, judges)["kfr"].values
    return [None if value is None else value == 0 for value in values]


def answers_right(answers: Sequence[Answer], judges: Evaluators) -> list[bool | None]:
    """Whether each answer to a general question is right; None: it could not be judged."""
    values = measure_general(answers, judges)["kept_general"].values
    return [None if value is None else value == 1 for value in values]
