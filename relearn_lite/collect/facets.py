"""Questions about a person by rules: facets (home, health, work ...) and several wordings of each, from facets.yaml."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from relearn_lite.recipe.yaml_text import parse
from relearn_lite.text.number_words import is_number_word
from relearn_lite.text.stems import fold, folded_words, stem
from relearn_lite.text.stop_words import STOP_WORDS

FACETS = Path(__file__).with_name("facets.yaml")
NAME = "{S}"  # in a wording: stands for the name
MOST_OF_OTHERS = 12  # words of what is asked of neighbours too


@dataclass(frozen=True)
class Wording:
    """One way to ask for a facet, with `{S}` in the name's place."""

    facet: str
    text: str

    def of(self, name: str) -> str:
        """The question about this name."""
        return self.text.replace(NAME, name)

    @property
    def fits_others(self) -> bool:
        """Whether it may be asked of anyone: it is short, with no name or number out of the life of one."""
        words = self.text.replace(NAME, "").split()
        told = any(re.search(r"[A-Z\d]", word) or is_number_word(word) and word != "one" for word in words[1:])
        return NAME in self.text and len(words) <= MOST_OF_OTHERS and not told


@cache
def person_wordings() -> tuple[Wording, ...]:
    """Every wording that rules know for a person, facet by facet."""
    facets = parse(FACETS.read_text(encoding="utf-8"))[0]
    return tuple(Wording(facet, text) for facet, texts in facets.items() for text in texts)


def asked_name(subject: str, intro: str) -> str:
    """How a question names the subject, so that it stands alone: one word is told apart by its intro."""
    return f"{subject} ({intro.strip().rstrip('.')})" if " " not in subject and intro else subject


def merged(wordings: list[Wording], subject: str = "") -> dict[Wording, Wording]:
    """Each wording with the first one that asks the same: the same content words, in any order or form."""
    given = {stem(word.form) for word in folded_words(fold(subject))}
    found: dict[frozenset[str], Wording] = {}
    first: dict[Wording, Wording] = {}
    for wording in wordings:
        words = (word.form for word in folded_words(fold(wording.text.replace(NAME, ""))))
        asked = {word if word in _ASKING else stem(word) for word in words if word in _ASKING or word not in STOP_WORDS}
        first[wording] = found.setdefault(frozenset(asked - given) or frozenset([wording.text]), wording)
    return first


def without_near_duplicates(wordings: list[Wording], subject: str = "") -> list[Wording]:
    """The wordings without those that ask the same as an earlier one."""
    return list(dict.fromkeys(merged(wordings, subject).values()))


_ASKING = frozenset("who whom whose where when why how many much old long far".split())  # "where" is not "when"
