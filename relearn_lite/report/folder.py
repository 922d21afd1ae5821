"""A run folder, read back as what the reports tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from relearn_lite.report import RunResults
from relearn_lite.unlearn.loss_log import losses


def read_run(folder: Path) -> RunResults:
    """Reads metrics, samples, losses, manifest and recipe of a run whose evaluate stage is done.

    Analysis and attacks only where its recipe asks for them: what an earlier recipe left is not told.
    """
    import yaml

    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    recipe = (folder / "recipe.yaml").read_text(encoding="utf-8")
    asked, checks = yaml.safe_load(recipe) or {}, folder / "logs/unlearn/checks.jsonl"
    return RunResults(
        folder.name, metrics, _rows(folder / "samples.jsonl"), losses(folder), manifest, recipe,
        analysis=_read_if_there(folder / "analysis.json") if asked.get("analyze") else None,
        augmentation=_read_if_there(folder / "augmentation.json"),
        attacks=_read_if_there(folder / "attacks.json") if asked.get("attacks") else None,
        checks=_rows(checks) if checks.exists() else [],
    )  # fmt: skip


def _read_if_there(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:  # not splitlines: answers may hold U+2028
        return [json.loads(line) for line in lines]
