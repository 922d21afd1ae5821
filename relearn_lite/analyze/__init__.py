"""Looks into a model before and after: what its answers' tokens lost, in which layers, and which parts did it.

One model is in memory; vanilla and unlearned are its adapters switched. Teacher-forced, without sampling: the same
recipe gives the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relearn_lite.core.files import write_text
from relearn_lite.core.records import QA

if TYPE_CHECKING:
    from relearn_lite.models.loaded import Loaded
    from relearn_lite.recipe import Analyze

Advance = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[Advance]]  # (what, how many) -> told how many more are done


def analyze(
    loaded: Loaded,
    questions: Mapping[str, Sequence[QA]],
    models: Mapping[str, tuple[str, ...]],
    settings: Analyze,
    partial: Path,
    progress: Progress,
) -> dict[str, Any]:
    """What `settings` asks for, as analysis.json holds it.

    questions: `forget` and `retain`. models: name -> adapters, the one that knows first. partial: a file that keeps the
    finished parts, so that an analysis that was stopped goes on behind them; the caller removes it in the end.
    """
    from relearn_lite.analyze import probes
    from relearn_lite.models.logprobs import check_head

    chosen = probes.choose(loaded.tokenizer, questions, settings.questions)
    done = json.loads(partial.read_text(encoding="utf-8")) if partial.exists() else {}
    with _evaluating(loaded.model):
        check_head(loaded.model)
        for name, part in _parts(loaded, chosen, models, settings).items():
            if name not in done:
                done[name] = part(progress)
                write_text(partial, json.dumps(done, ensure_ascii=False, allow_nan=False))
    counts = {side: sum(probe.side == side for probe in chosen) for side in probes.SIDES}
    return {"models": list(models), "questions": counts, **done}


def _parts(loaded: Loaded, chosen, models, settings: Analyze) -> dict[str, Callable[[Progress], dict[str, Any]]]:
    """The parts that are asked for, each still to be run."""

    def distribution(progress: Progress) -> dict[str, Any]:
        from relearn_lite.analyze.distribution import distribution as run

        with progress("distribution", len(chosen)) as advance:
            return run(loaded, chosen, models, top=settings.top, batch_size=settings.batch_size, advance=advance)

    def memory(progress: Progress) -> dict[str, Any]:
        from relearn_lite.analyze.lens import lens

        with progress("memory", len(chosen)) as advance:
            return lens(loaded, chosen, models, batch_size=settings.batch_size, advance=advance)

    def circuits(progress: Progress) -> dict[str, Any]:
        from relearn_lite.analyze.circuits import circuits as run
        from relearn_lite.analyze.circuits import plan

        if len(models) < 2:
            return {"reason": "circuits compare two models, and the recipe makes no unlearned one"}
        method, runs = plan(loaded, chosen, settings.batch_size, settings.circuits)
        with progress(f"circuits, {method}", runs) as advance:
            return run(loaded, chosen, models, method=method, batch_size=settings.batch_size, advance=advance)

    asked = {"distribution": settings.distribution, "memory": settings.memory, "circuits": settings.circuits != "none"}
    runs = {"distribution": distribution, "memory": memory, "circuits": circuits}
    return {name: run for name, run in runs.items() if asked[name]}


@contextmanager
def _evaluating(model) -> Iterator[None]:
    """Dropout off inside, and the model's mode as it was afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)
