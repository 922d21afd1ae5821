"""From documents to what is asked: people, questions about them by rules, and what the documents say to each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from relearn_lite.collect.collect import Asked
from relearn_lite.collect.facets import Wording, asked_name, merged, person_wordings
from relearn_lite.collect.sentence_questions import questions_from
from relearn_lite.collect.told import LeftOut, Told, facets_told, not_in_english, tell
from relearn_lite.core.errors import RecipeError
from relearn_lite.data.documents import Block, find_documents, read_documents
from relearn_lite.recipe.data import ForgetSource

KEY = "data.forget.documents"
LONG = 1_000_000  # characters of documents, from which on it takes more than five seconds to see whom they are about
NO_RULE = "no rule has a question to it"


@dataclass(frozen=True)
class Reading:
    """What documents come to. told: what rules can say whom it is about; nobodys: what they cannot; statements:
    sentences that are asked about; left_out: all others."""

    blocks: tuple[Block, ...]
    told: list[Told]
    nobodys: list[LeftOut]
    asked: list[Asked]
    statements: list[Told]
    left_out: list[LeftOut]

    @property
    def documents(self) -> list[str]:
        """Their names, in order."""
        return list(dict.fromkeys(block.document for block in self.blocks))


def read(source: ForgetSource, proposing: bool = False) -> Reading:
    """Reads the documents that a recipe names, and what rules can ask about them. proposing: a model will ask more.

    Raises RecipeError where one cannot be read, or nothing can be asked.
    """
    paths = find_documents(source.documents or (), KEY)
    stamps = tuple((path, path.stat().st_mtime_ns) for path in paths)
    return _reading(stamps, source.subject or "", source.intro, proposing)


@lru_cache(maxsize=4)  # a check reads before the stage does
def _reading(stamps: tuple[tuple[Path, int], ...], subject: str, intro: str, proposing: bool) -> Reading:
    blocks = read_documents([path for path, _ in stamps], KEY)
    foreign = not_in_english(blocks)
    if foreign and not proposing:
        raise RecipeError(
            f"{KEY}: {', '.join(foreign)} {'are' if len(foreign) > 1 else 'is'} not English, and the rules that make "
            "questions know English only; name a model that proposes some as collect.proposals, or give questions and "
            "answers of your own as data.forget.path"
        )
    if (length := sum(len(block.text) for block in blocks)) > LONG:
        print(f"{KEY}: looking whom each sentence is about, in {length:,} characters ...", file=sys.stderr)
    told, nobodys = tell([block for block in blocks if block.document not in foreign], subject)
    reading = asked_about(Reading(tuple(blocks), told, nobodys, [], [], []), (), intro)
    if not (reading.asked or proposing):
        who = f"{subject}, so that" if subject else "a person by name, so that"
        raise RecipeError(
            f"{KEY}: no sentence in them tells something of {who} rules could ask for it; name whom they are about as "
            "data.forget.subject, a model that proposes questions as collect.proposals, or give questions and answers "
            "of your own as data.forget.path"
        )
    return reading


def asked_about(reading: Reading, proposed: Sequence[tuple[Wording, Told]], intro: str = "") -> Reading:
    """The reading with what is asked: by rules, and what a model proposed, with the sentence that answers it."""
    asked, statements = [], []
    for name in dict.fromkeys(each.about for each in (*reading.told, *(told for _, told in proposed))):
        told = [each for each in reading.told if each.about == name]
        about, kept = _asked(name, asked_name(name, intro), told, [(w, t) for w, t in proposed if t.about == name])
        asked += [about] if kept else []
        statements += kept
    said = {(each.text, each.source) for each in statements}
    left_out = [*reading.nobodys, *(LeftOut(NO_RULE, each.text, each.source) for each in reading.told)]
    left_out = [each for each in left_out if (each.text, each.source) not in said]
    return replace(reading, asked=asked, statements=statements, left_out=left_out)


def _asked(
    name: str, called: str, told: Sequence[Told], proposed: Sequence[tuple[Wording, Told]]
) -> tuple[Asked, list[Told]]:
    """What is asked of a person, near-duplicates merged, and the statements that are asked about."""
    found: dict[Wording, list[Told]] = {}
    for each in told:
        facets = facets_told(each.text)
        own = questions_from(each.text, name)
        for wording in [*(w for w in person_wordings() if w.facet in facets),
                        *(replace(w, facet=facets[0]) if facets else w for w in own)]:  # fmt: skip
            found.setdefault(wording, []).append(each)
    for wording, each in proposed:
        found.setdefault(wording, []).append(each)
    first = merged(sorted(found, key=lambda w: w not in person_wordings()), name)
    told_to: dict[Wording, dict[Told, None]] = {}
    for wording, each in found.items():
        told_to.setdefault(first[wording], {}).update(dict.fromkeys(each))
    kept = {each for some in told_to.values() for each in some}
    about = Asked(name, called, list(told_to), {wording: list(some) for wording, some in told_to.items()},
                  is_person=bool(told))  # fmt: skip
    return about, [each for each in dict.fromkeys([*told, *(told for _, told in proposed)]) if each in kept]
