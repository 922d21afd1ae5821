"""Results of a model that never saw the forget set, which forget quality compares with."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.metrics.tofu import log_ratios

KEY = "evaluate.retain_model_results"
WANTED = (
    "needed: samples.jsonl of a run that measured forget_quality with `unlearn: null`, or a JSON object that holds "
    "avg_paraphrased_loss and average_perturb_loss, by itself or under `forget`"
)


def read_retain_ratios(path: Path) -> list[float]:
    """The log truth ratio of each forget question under that model. Raises RecipeError where the file has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{KEY}: {path} cannot be read ({error.__class__.__name__}); {WANTED}") from None
    try:
        ratios = _of_run(text) if path.suffix == ".jsonl" else _of_losses(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RecipeError(f"{KEY}: {path} does not hold such results; {WANTED}") from None
    if not ratios:
        raise RecipeError(f"{KEY}: {path} holds no truth ratio of a forget question; {WANTED}")
    return ratios


def _of_run(text: str) -> list[float]:
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    if any("unlearned" in row["scores"] for row in rows):
        raise ValueError("an unlearned model is no retain model")
    found = [row["scores"]["vanilla"].get("forget_quality") for row in rows if row["split"] == "forget"]
    return [float(ratio) for ratio in found if ratio is not None]


def _of_losses(results: Any) -> list[float]:
    ratios = [float(ratio) for ratio in log_ratios(results.get("forget", results))]
    if not all(map(math.isfinite, ratios)):
        raise ValueError("losses are finite numbers")
    return ratios
