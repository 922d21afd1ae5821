"""Sentence completion: the start of a new answer as prompt, its rest as target: forgetting is not tied to questions."""

from __future__ import annotations

from relearn_lite.records import Variant
from relearn_lite.text.words import script


def completion(pair: Variant, fraction: float) -> Variant | None:
    """Cuts `pair.target` after `fraction` of its words, at least one; None where fewer than two words can be cut.

    One space joins prompt and target again. Text of a script without spaces is cut between characters.
    """
    unspaced = sum(script(char) == "unspaced" for char in pair.target) > len(pair.target) / 2
    parts = list(pair.target.strip()) if unspaced else pair.target.split()
    if len(parts) < 2:
        return None
    cut = min(max(1, int(len(parts) * fraction)), len(parts) - 1)
    glue = "" if unspaced else " "
    return Variant(
        id=f"{pair.id}/completion",
        parent_id=pair.parent_id,
        kind="completion",
        prompt=glue.join(parts[:cut]),
        target=glue.join(parts[cut:]),
        verdicts=pair.verdicts,
    )
