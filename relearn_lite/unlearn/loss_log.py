"""The losses of a training stage, as its logger left them."""

from __future__ import annotations

import csv
from pathlib import Path


def losses(folder: Path, stage: str = "unlearn") -> list[dict[str, float]]:
    """One row an optimizer step, over all tries of a stage: a later try overwrites the steps it did again."""
    steps: dict[int, dict[str, float]] = {}
    tries = sorted(
        (folder / "logs" / stage).glob("version_*/metrics.csv"), key=lambda p: int(p.parent.name.split("_")[1])
    )
    for file in tries:
        with file.open(newline="") as rows:
            for row in csv.DictReader(rows):
                values = {key: float(value) for key, value in row.items() if value and key not in ("step", "epoch")}
                steps[int(row["step"])] = {"step": int(row["step"]), **values}
    return [steps[number] for number in sorted(steps)]
