"""Answers that admit to not knowing, for the methods that train on them (idk, dpo, jensun). English only."""

from __future__ import annotations

import random
from pathlib import Path

import yaml

REFUSALS: list[str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))


def refusal(question_id: str, seed: int) -> str:
    """The refusal that answers a question: any of the list, the same for the same id and seed."""
    return random.Random(f"{seed} {question_id}").choice(REFUSALS)
