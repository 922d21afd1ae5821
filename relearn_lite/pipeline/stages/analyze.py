"""Stage analyze: looks inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from relearn_lite.analyze import analyze as analyze_models
from relearn_lite.core.files import write_json
from relearn_lite.models import backends
from relearn_lite.models.loaded import Loaded
from relearn_lite.pipeline.run_state import Run
from relearn_lite.report.console import stage_progress


def analyze(run: Run) -> dict[str, Any]:
    """analysis.json: what the answers' tokens, the layers and the parts of the network have become."""
    questions = {side: run.data[f"{side}_eval"] for side in ("forget", "retain")}
    partial = run.folder / "analysis.partial.json"
    with _on_transformers(run) as loaded:
        found = analyze_models(
            loaded, questions, {model: loaded.adapters_of(model) for model in run.models}, run.recipe.analyze, partial,
            lambda what, total: stage_progress(f"analyze, {what}", total, run.quiet),
        )  # fmt: skip
    write_json(run.folder / "analysis.json", found, indent=None, allow_nan=False)
    partial.unlink(missing_ok=True)
    return {"questions": sum(found["questions"].values())}


@contextmanager
def _on_transformers(run: Run) -> Iterator[Loaded]:
    """The models, loaded by transformers: Unsloth's kernels do not call the modules that are to be looked at."""
    model = run.models[-1]  # an adapter: whole weights in vanilla's place are refused by the schema
    if backends.choose(run.recipe.model) == "transformers":
        yield run.model(model)
        return
    run.unload_models()  # one model in memory
    settings = run.recipe.model.for_backend("transformers")
    other = replace(run, recipe=run.recipe.model_copy(update={"model": settings}))
    try:
        yield other.model(model)
    finally:
        other.unload_models()
