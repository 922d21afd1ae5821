"""The losses of a training stage as its logger left them, and what went wrong, in words. No model, no torch."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from relearn_lite.core.files import load_json

SEARCH = "search.json"
PAST_CHANCE = 12.0  # nats a token: guessing among 160,000 tokens; no vocabulary in use is much larger
RISE, BY = 1.5, 0.3  # a retain term has risen where its end is so many times its start, and so many nats more
FEWEST = 6  # steps below which a trend cannot be told


def losses(folder: Path, stage: str = "unlearn") -> list[dict[str, float]]:
    """One row an optimizer step, over all tries of a stage: a later try overwrites the steps it did again.

    Where several learning rates were tried, those of the one that was kept.
    """
    steps: dict[int, dict[str, float]] = {}
    logs, found = folder / "logs" / stage, search_of(folder, stage)
    logs = logs / part_of(found["lr"]) if found else logs
    tries = sorted(logs.glob("version_*/metrics.csv"), key=lambda p: int(p.parent.name.split("_")[1]))
    for file in tries:
        with file.open(newline="") as rows:
            for row in csv.DictReader(rows):
                values = {key: float(value) for key, value in row.items() if value and key not in ("step", "epoch")}
                steps[int(row["step"])] = {"step": int(row["step"]), **values}
    return [steps[number] for number in sorted(steps)]


def part_of(lr: float) -> str:
    """The folder, in those of a stage, of the training with one of several learning rates."""
    return f"lr-{lr:g}"


def search_of(folder: Path, stage: str = "unlearn") -> dict[str, Any] | None:
    """How learning rate and length of a training were found, see `Search`; None where they were given."""
    found = load_json(folder / "logs" / stage / SEARCH)
    whole = {"strength": 1.0, "strengths": []}  # in runs from before an adapter could be weakened
    return found and whole | found


def explain(losses: Sequence[Mapping[str, float]]) -> list[str]:
    """Sentences on what looks wrong, the gravest first; empty where nothing does.

    losses: one row a step, with `step`, `loss` and the terms `forget`, `retain_<name>` and `generic_kl`; see `losses`.
    - a loss that is not a number: from that step on nothing was learned;
    - a forget term that fell without bound: below -12 nats at the end, and lower than a quarter of the way before.
      Only terms without a lower bound can do that, gradient ascent above all;
    - a term of what should stay that rose: the mean of its last tenth is over 1.5 times that of its first, and 0.3
      nats more.
    """
    broken = _not_a_number(losses)
    sound = [row for row in losses if math.isfinite(row.get("loss", math.nan))]
    sentences = [broken] if broken else []
    if len(sound) >= FEWEST:
        sentences += [sentence for sentence in (_without_bound(sound), *_rising(sound)) if sentence]
    return sentences


def _not_a_number(losses: Sequence[Mapping[str, float]]) -> str | None:
    first = next((row for row in losses if "loss" in row and not math.isfinite(row["loss"])), None)
    if first is None:
        return None
    return (
        f"The loss was not a number from step {int(first['step'])} on: the weights are ruined from there. Lower "
        "unlearn.lr, for example by 10, or lengthen unlearn.warmup_epochs."
    )


def _without_bound(losses: Sequence[Mapping[str, float]]) -> str | None:
    values = [row["forget"] for row in losses if math.isfinite(row.get("forget", math.nan))]
    if len(values) < FEWEST:
        return None
    quarter = max(1, len(values) // 4)
    end, before = fmean(values[-quarter:]), fmean(values[-2 * quarter : -quarter])
    if end > -PAST_CHANCE or end >= before:
        return None
    return (
        f"The forget term fell without bound, from {values[0]:.3g} to {values[-1]:.3g} and still falling: it rewards "
        f"every further step, far past chance (about {PAST_CHANCE:g} nats a token), and breaks the language on the way."
        " Use fewer epochs or a lower unlearn.lr, keep_best, or a term that levels off, such as npo or the new answers "
        "of relearn."
    )


def _rising(losses: Sequence[Mapping[str, float]]) -> list[str]:
    sentences = []
    weights = {"retain": "unlearn.retain_losses", "generic": "unlearn.generic_weight"}
    for name in dict.fromkeys(key for row in losses for key in row if key.startswith(("retain_", "generic_"))):
        values = [row[name] for row in losses if math.isfinite(row.get(name, math.nan))]
        tenth = max(1, len(values) // 10)
        if len(values) < FEWEST:
            continue
        start, end = fmean(values[:tenth]), fmean(values[-tenth:])
        if end > RISE * start and end - start > BY:
            part, loss = name.split("_", 1)
            sentences.append(
                f"The {part} term {loss} rose from {start:.2g} to {end:.2g}: what should stay is being lost. Give it "
                f"more weight in {weights[part]}, or lower unlearn.lr or epochs."
            )
    return sentences
