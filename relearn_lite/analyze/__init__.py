"""Looks into a model before and after: what its answers' tokens lost, in which layers, and which components did it.

One model is in memory; vanilla and unlearned are its adapters switched. Teacher-forced, without sampling: the same
recipe gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from relearn_lite.analyze import circuits, distribution, logit_lens
from relearn_lite.analyze.answers import AnalyzedAnswer, choose_answers
from relearn_lite.core.files import load_json, write_json
from relearn_lite.core.records import QA
from relearn_lite.metrics.declaration import SIDES
from relearn_lite.models.backends import evaluation_mode
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.logprobs import check_head
from relearn_lite.recipe import Analyze

Advance = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[Advance]]  # (what, how many) -> told how many more are done


def analyze(
    loaded: Loaded, questions: Mapping[str, Sequence[QA]], models: Mapping[str, tuple[str, ...]], settings: Analyze,
    unfinished: Path, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """What `settings` asks for, as analysis.json holds it.

    questions: `forget` and `retain`. models: name -> adapters, the one that knows first. unfinished: a file that keeps
    the finished parts, so that an analysis that was stopped goes on behind them; the caller removes it in the end.
    """
    answers = choose_answers(loaded.tokenizer, questions, settings.questions)
    done = load_json(unfinished) or {}
    with evaluation_mode(loaded):
        check_head(loaded.model)
        for name, what, total, run in _parts(loaded, answers, models, settings):
            if name not in done:
                with progress(what, total) as advance:
                    done[name] = run(advance=advance)
                write_json(unfinished, done, indent=None, allow_nan=False)
    if settings.circuits != "none" and len(models) < 2:
        done["circuits"] = {"reason": "circuits compare two models, and the recipe makes no unlearned one"}
    counts = {side: sum(answer.side == side for answer in answers) for side in SIDES}
    return {"models": list(models), "questions": counts, **done}


def _parts(
    loaded: Loaded, answers: Sequence[AnalyzedAnswer], models: Mapping[str, tuple[str, ...]], settings: Analyze
) -> Iterator[tuple[str, str, int, Callable[..., dict[str, Any]]]]:
    """The parts that are asked for: key in analysis.json, name and total of the progress, what is to be run."""
    size, count = settings.batch_size, len(answers)
    if settings.distribution:
        run = partial(distribution.distribution, loaded, answers, models, top=settings.top, batch_size=size)
        yield "distribution", "distribution", count, run
    if settings.memory:
        yield "memory", "memory", count, partial(logit_lens.logit_lens, loaded, answers, models, batch_size=size)
    if settings.circuits != "none" and len(models) > 1:
        method, runs = circuits.choose_method(loaded, answers, size, settings.circuits)
        run = partial(circuits.circuits, loaded, answers, models, method=method, batch_size=size)
        yield "circuits", f"circuits, {method}", runs, run
