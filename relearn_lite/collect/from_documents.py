"""From documents to what is asked: people, questions about them by rules, and what the documents say to each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from relearn_lite.collect.collect import Asked
from relearn_lite.collect.facets import Wording, asked_name, by_rules, merged
from relearn_lite.collect.sentence_questions import questions_from
from relearn_lite.collect.told import Told, facets_told, not_in_english, tell
from relearn_lite.core.errors import RecipeError
from relearn_lite.data.documents import find_documents, read_documents
from relearn_lite.recipe.data import ForgetSource

KEY = "data.forget.documents"


@dataclass(frozen=True)
class Reading:
    """What documents come to. statements: sentences that are asked about; left_out: all others, by reason."""

    documents: list[str]
    asked: list[Asked]
    statements: list[Told]
    left_out: Counter[str]


def read(source: ForgetSource) -> Reading:
    """Reads the documents that a recipe names. Raises RecipeError where one cannot be read, or nothing can be asked."""
    paths = find_documents(source.documents or (), KEY)
    stamps = tuple((path, path.stat().st_mtime_ns) for path in paths)
    return _reading(stamps, source.subject or "", source.intro)


@lru_cache(maxsize=4)  # a check reads before the stage does
def _reading(stamps: tuple[tuple[Path, int], ...], subject: str, intro: str) -> Reading:
    blocks = read_documents([path for path, _ in stamps], KEY)
    if foreign := not_in_english(blocks):
        raise RecipeError(
            f"{KEY}: {', '.join(foreign)} {'are' if len(foreign) > 1 else 'is'} not English, and the rules that make "
            "questions know English only; leave it out, and give questions and answers of your own as data.forget.path"
        )
    told, left_out = tell(blocks, subject)
    asked, statements = [], []
    for name in dict.fromkeys(each.about for each in told):
        about, kept = _asked(name, asked_name(name, intro), [each for each in told if each.about == name])
        left_out["no rule has a question to it"] += sum(each.about == name for each in told) - len(kept)
        asked += [about] if kept else []
        statements += kept
    if not asked:
        who = f"{subject}, so that" if subject else "a person by name, so that"
        raise RecipeError(
            f"{KEY}: no sentence in them tells something of {who} rules could ask for it; name whom they are about as "
            "data.forget.subject, or give questions and answers of your own as data.forget.path"
        )
    documents = list(dict.fromkeys(block.document for block in blocks))
    return Reading(documents, asked, statements, +left_out)


def _asked(name: str, called: str, told: Sequence[Told]) -> tuple[Asked, list[Told]]:
    """What is asked of a person, near-duplicates merged, and the statements that are asked about."""
    found: dict[Wording, list[Told]] = {}
    for each in told:
        facets = facets_told(each.text)
        own = questions_from(each.text, name)
        for wording in [*(w for w in by_rules() if w.facet in facets),
                        *(replace(w, facet=facets[0]) if facets else w for w in own)]:  # fmt: skip
            found.setdefault(wording, []).append(each)
    first = merged(sorted(found, key=lambda w: w not in by_rules()), name)
    told_to: dict[Wording, dict[Told, None]] = {}
    for wording, each in found.items():
        told_to.setdefault(first[wording], {}).update(dict.fromkeys(each))
    kept = {each for some in told_to.values() for each in some}
    about = Asked(name, called, list(told_to), {wording: list(some) for wording, some in told_to.items()})
    return about, [each for each in told if each in kept]
