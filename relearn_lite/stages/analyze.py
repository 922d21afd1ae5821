"""Stage analyze: looks inside."""

from __future__ import annotations

import json
from typing import Any

from relearn_lite.records import write_text
from relearn_lite.stages.work import Work


def analyze(work: Work) -> dict[str, Any]:
    """analysis.json: what the answers' tokens, the layers and the parts of the network have become."""
    from relearn_lite.analyze import analyze as look_into
    from relearn_lite.report.console import stage_progress

    loaded = work.hold(work.models[-1])  # an adapter: whole weights in vanilla's place are refused by the schema
    adapters = {"vanilla": loaded.vanilla, "unlearned": loaded.unlearned}
    questions = {side: work.data[f"{side}_eval"] for side in ("forget", "retain")}
    partial = work.folder / "analysis.partial.json"
    found = look_into(
        loaded,
        questions,
        {model: adapters[model] for model in work.models},
        work.recipe.analyze,
        partial,
        lambda what, total: stage_progress(f"analyze, {what}", total, work.quiet),
    )
    write_text(work.folder / "analysis.json", json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n")
    partial.unlink(missing_ok=True)
    return {"questions": sum(found["questions"].values())}
