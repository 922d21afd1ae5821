"""A model's numbers for each group of questions: a person, a level."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from relearn_lite.core.records import QA, Score
from relearn_lite.evaluate.differences import values_by_key
from relearn_lite.metrics import is_share
from relearn_lite.metrics.intervals import mean_interval

EVALUATED = ("forget_eval", "retain_eval", "earlier")


def groups_of(data: Mapping[str, Sequence[QA]]) -> dict[str, str]:
    """id -> group of every question that is evaluated and belongs to one."""
    return {qa.id: qa.group for part in EVALUATED for qa in data.get(part, ()) if qa.group}


def by_group(scores: Sequence[Score], groups: Mapping[str, str]) -> dict[str, dict[str, dict[str, Any]]]:
    """{key: {group: {"value": mean, "n": answers that have a value, "interval": [low, high] or None}}}, 95 %.

    Groups are in the order of their questions. Left out are answers without a value, keys of which no question belongs
    to a group, and numbers that are no means (AUC).
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for key, values in values_by_key(scores).items():
        members: dict[str, list[float]] = {group: [] for group in groups.values()}
        for id_, value in values.items():
            if id_ in groups:
                members[groups[id_]].append(value)
        if any(members.values()):
            found[key] = {group: _mean(key, known) for group, known in members.items() if known}
    return found


def _mean(key: str, values: list[float]) -> dict[str, Any]:
    bounds = mean_interval(values, is_share(key))
    return {"value": math.fsum(values) / len(values), "n": len(values), "interval": list(bounds) if bounds else None}
