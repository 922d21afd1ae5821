"""Sentence completion: the start of a new answer as prompt, its rest as target, so forgetting needs no question."""

from __future__ import annotations

from relearn_lite.core.records import Variant
from relearn_lite.text.words import glue


def completion(pair: Variant, fraction: float) -> Variant | None:
    """Cuts `pair.target` after `fraction` of its words, at least one; None where fewer than two words can be cut.

    One space joins prompt and target again. Text of a script without spaces is cut between characters, and nothing
    joins it.
    """
    between = glue(pair.target)
    parts = pair.target.split() if between else list(pair.target.strip())
    if len(parts) < 2:
        return None
    cut = min(max(1, int(len(parts) * fraction)), len(parts) - 1)
    return Variant(
        id=f"{pair.id}/completion",
        parent_id=pair.parent_id,
        kind="completion",
        prompt=between.join(parts[:cut]),
        target=between.join(parts[cut:]),
        verdicts=pair.verdicts,
    )
