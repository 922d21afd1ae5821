"""Stage analyze: looks inside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relearn_lite.core.files import write_text
from relearn_lite.pipeline.stages.work import Work

if TYPE_CHECKING:
    from relearn_lite.models.loaded import Loaded


def analyze(work: Work) -> dict[str, Any]:
    """analysis.json: what the answers' tokens, the layers and the parts of the network have become."""
    from relearn_lite.analyze import analyze as look_into
    from relearn_lite.report.console import stage_progress

    questions = {side: work.data[f"{side}_eval"] for side in ("forget", "retain")}
    partial = work.folder / "analysis.partial.json"
    with _held(work) as loaded:
        adapters = {"vanilla": loaded.vanilla, "unlearned": loaded.unlearned}
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


@contextmanager
def _held(work: Work) -> Iterator[Loaded]:
    """The models, held by transformers: Unsloth's kernels do not call the modules that are to be looked at."""
    from relearn_lite.models import backends

    model = work.models[-1]  # an adapter: whole weights in vanilla's place are refused by the schema
    if backends.choose(work.recipe.model) == "transformers":
        yield work.hold(model)
        return
    work.release()  # one model in memory
    settings = work.recipe.model.model_copy(update={"backend": "transformers"})
    other = replace(work, recipe=work.recipe.model_copy(update={"model": settings}))
    try:
        yield other.hold(model)
    finally:
        other.release()
