"""How much of a trained adapter is used: less of it harms less, and where it suffices nobody needs more.

The adapter's update is multiplied by a scaling coefficient that is chosen by asking, as in task arithmetic (Ilharco et
al., "Editing Models with Task Arithmetic", ICLR 2023). Nothing is trained for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from relearn_lite.core.files import append_jsonl, read_partial
from relearn_lite.recipe import Watch
from relearn_lite.unlearn import goal
from relearn_lite.unlearn.selection import EvalResult

WEAKER = (0.9, 0.8, 0.7, 0.6, 0.5)  # shares of the update


def weaken(
    model: Any, full: EvalResult, ask: Callable[[], EvalResult], watch: Watch, log: Path, tell: Callable[[str], None]
) -> tuple[EvalResult, list[EvalResult]]:
    """Leaves the adapter as strong as does best by `goal`; returns what was found there, and all that was asked.

    full: what was found at full strength; where all goals are met, or forgetting is short of its own, it stays. Else it
    is weakened as long as forgetting is at its goal. The weakest that was found so is not taken, for the questions are
    few: a strength counts only if the next one below it forgets as well. log: a growing file of what was found; a
    strength that stands in it is not asked again.
    """
    short = goal.in_the_way(full, watch)
    if not short or "forgetting" in short:
        return full, [full]
    second = {p: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad and "lora_B" in name}
    known = {result.strength: result for result in read_partial(log, EvalResult)}
    asked, held = [full], [full]
    for strength in WEAKER:
        if strength not in known:
            _multiply(second, strength)
            known[strength] = replace(ask(), step=full.step, strength=strength)
            append_jsonl(log, [known[strength]])
        asked.append(known[strength])
        tell(f"{strength:.0%} of the adapter: {goal.describe(asked[-1], watch)}")
        if "forgetting" in goal.in_the_way(asked[-1], watch):
            break
        held.append(asked[-1])
    kept = goal.best(held[:-1] or held, watch)  # the strongest among equals
    _multiply(second, kept.strength)
    return kept, asked


def _multiply(second: Mapping[Any, Any], strength: float) -> None:
    """Makes the update B A of every layer as strong as given. second: of each B its values at full strength."""
    import torch

    with torch.no_grad():
        for parameter, whole in second.items():
            parameter.copy_(whole * strength)
