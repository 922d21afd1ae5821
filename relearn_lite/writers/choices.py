"""Questions that say what is to be chosen from: "which is bigger, Jupiter or Mars", "which of Ann and Bob is older"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from relearn_lite.writers.clauses import is_inflected

MOST_NOUNS = 2  # after "which", before what is asked: "which African country is larger"
_AT_THE_END = re.compile(r"^(?:which|who|what) ([^,:]+)[,:] ((?:[^,:]+, ){0,4}[^,:]+?),? or ([^,:]+)$")
_BEFORE = re.compile(r"^which(?: one)? (?:of|between|among) (.+? (?:and|or) (?:(?:the|an?) )?\S+) (.+)$")


def choice(clause: str) -> dict[str, str] | None:
    """What an indirect question lets choose from, and what it asks of it, for the forms of phrases.yaml: {"AB":
    "Jupiter and Mars", "rest": "is bigger"}; None where it is no choice, or has its verb before who does it."""
    if found := _AT_THE_END.match(clause):
        words = found[1].split()
        at = _verb_at(words[: MOST_NOUNS + 1])
        return None if at is None else {"AB": f"{found[2]} and {found[3]}", "rest": " ".join(words[at:])}
    if found := _BEFORE.match(clause):
        words = found[2].split()
        at = _verb_at(words)
        between = " ".join([found[1], *words[:at]])
        if at is not None and words[at + 1 :]:
            return {"AB": re.sub(r" or (?!.* or )", " and ", between), "rest": " ".join(words[at:])}
    return None


def _verb_at(words: Sequence[str]) -> int | None:
    """Where the verb stands; None where there is none, or only one that asks: "which city does Ada prefer"."""
    at = next((i for i, word in enumerate(words) if word.islower() and is_inflected(word)), None)
    return None if at is None or words[at] in ("do", "does", "did") else at
