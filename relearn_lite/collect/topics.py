"""Questions about a thing by rules: what kind it is (a building, a book, an event ...) and what one asks of that kind.

The kinds, their facets and wordings are in topics.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from relearn_lite.collect.facets import Wording
from relearn_lite.core.errors import RecipeError
from relearn_lite.recipe.data import ForgetSource
from relearn_lite.recipe.names import TOPIC_KINDS
from relearn_lite.recipe.yaml_text import parse
from relearn_lite.text.wordnet import Synset, synsets

SENSES = 3  # of a term that are looked at: rarer ones are seldom meant
ANYTHING = "anything"  # facets that every kind has


def topic_wordings(kind: str) -> tuple[Wording, ...]:
    """Every wording that rules know for a kind of thing, facet by facet; of `anything` those that fit all kinds."""
    kinds = [kind] if kind == ANYTHING else [kind, ANYTHING]
    facets = [each for name in kinds for each in _known()[name].items()]
    return tuple(Wording(facet, text) for facet, texts in facets for text in texts)


def kind_of(source: ForgetSource, proposing: bool = False) -> str:
    """Of what kind a topic is: as the recipe has it, else by what WordNet says of the name, then of its intro.

    proposing: a model asks about it too, so that the kind may stay open. Raises RecipeError where it must not.
    """
    found = source.kind or next(filter(None, map(_kind_in_words, _terms(source.topic, source.intro))), None)
    if found is None and not proposing:
        raise RecipeError(
            f"data.forget.kind: of what kind {source.topic} is could not be found; give one of "
            f"{', '.join(TOPIC_KINDS)}, or say in data.forget.intro what it is, or name a model that proposes "
            "questions as collect.proposals"
        )
    return found or ANYTHING


def _terms(topic: str, intro: str) -> Iterator[str]:
    """What to look up: the name, then the noun of "a stone tower in Paris", from its first words."""
    yield _plain(topic)
    words = re.split(r"[,;.]| (?:in|of|by|from|on|at|for|about|that|which|between|against) ", _plain(intro))[0].split()
    yield from (" ".join(words[start:]) for start in range(len(words)))


def _plain(text: str) -> str:
    return re.sub(r"^(?:the|an?) ", "", text.strip().lower())


def _kind_in_words(term: str) -> str | None:
    """The first kind in topics.yaml that one of a term's common meanings belongs to."""
    for meaning in synsets(term, SENSES) if term else ():
        classes = {*meaning.words, *_classes(meaning)} if meaning.kind == "n" else set()
        if found := next((kind for kind, words in _known()["words"].items() if classes & {*words}), None):
            return found
    return None


def _classes(meaning: Synset) -> Iterator[str]:
    """The words for what a meaning is, upwards to the most general."""
    for above in meaning.linked("@", "@i"):
        yield from above.words
        yield from _classes(above)


@cache
def _known() -> dict[str, Any]:
    return parse(Path(__file__).with_name("topics.yaml").read_text(encoding="utf-8"))[0]
