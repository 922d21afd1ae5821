"""A run folder, read back as what the reports tell."""

from __future__ import annotations

import json
from pathlib import Path

from relearn_lite.report import RunResults
from relearn_lite.report.attacks import read_attacks
from relearn_lite.unlearn.losses_log import losses


def read_run(folder: Path) -> RunResults:
    """Reads metrics, samples, losses, manifest and recipe of a run whose evaluate stage is done."""
    with (folder / "samples.jsonl").open(encoding="utf-8") as lines:  # not splitlines: answers may hold U+2028
        samples = [json.loads(line) for line in lines]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
    analysed = folder / "analysis.json"
    analysis = json.loads(analysed.read_text(encoding="utf-8")) if analysed.exists() else None
    made = folder / "augmentation.json"
    augmentation = json.loads(made.read_text(encoding="utf-8")) if made.exists() else None
    attacks = read_attacks(folder, recipe)
    return RunResults(
        folder.name, metrics, samples, losses(folder), manifest, recipe, analysis, augmentation, attacks=attacks
    )
