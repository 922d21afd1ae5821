"""Stage attack: asks, loads or trains the model in another way, and asks again."""

from __future__ import annotations

from typing import Any

from relearn_lite.attacks.answering import Target
from relearn_lite.attacks.precision import AttackedModel
from relearn_lite.attacks.run import AttackJob, run_attacks
from relearn_lite.core.files import write_json
from relearn_lite.evaluate.choose import knowledge_evaluators
from relearn_lite.pipeline.run_state import Run
from relearn_lite.pipeline.stages.unlearn import every_prompt
from relearn_lite.report.console import stage_progress
from relearn_lite.writers import make_writer


def attack(run: Run) -> dict[str, Any]:
    """attacks.json, and attacks/*.jsonl: what the model tells when it is asked, loaded or trained in another way."""
    recipe, model, folder = run.recipe, run.models[-1], run.folder / "attacks"

    def target() -> Target:
        loaded = run.model(model)
        return Target(loaded, loaded.adapters_of(model), recipe.generate, recipe.seed)

    job = AttackJob(
        recipe, run.data, folder, every_prompt(run),
        AttackedModel(*run.weights(model), recipe.seed, folder / "merged"),
        load=target, unload=run.unload_models,
        writer=lambda: make_writer(recipe.augment, "augment", recipe, lambda: run.model("vanilla")),
        judges=lambda: knowledge_evaluators(recipe, lambda: run.model("vanilla")),
        progress=lambda what, total: stage_progress(f"attack, {what}", total, run.quiet),
    )  # fmt: skip
    found = run_attacks(job)
    write_json(run.folder / "attacks.json", found, allow_nan=False)
    return {"questions": sum(found["questions"].values()), "leaked": len(found["leaks"])}
