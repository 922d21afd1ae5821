"""A run folder, read back as what the reports tell."""

from __future__ import annotations

import json
from pathlib import Path

from relearn_lite.report import RunResults
from relearn_lite.unlearn.losses_log import losses


def read_run(folder: Path) -> RunResults:
    """Reads metrics, samples, losses, manifest and recipe of a run whose evaluate stage is done."""
    with (folder / "samples.jsonl").open(encoding="utf-8") as lines:  # not splitlines: answers may hold U+2028
        samples = [json.loads(line) for line in lines]
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
    return RunResults(folder.name, metrics, samples, losses(folder), manifest, recipe)
