"""Entities and core nouns of a text that its question does not give, by word class (embedded).

Names, numbers and addresses always are. Of the other nouns and adjectives a logistic regression takes those that are
likelier so than not, by their class, ending and neighbours; it knows no single word. `entity_words.json` holds its
weights: benchmarks/fit_entities.py fits them to the entities that the paper's authors released with their answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from relearn_lite.judges.entities import content_words, word_form
from relearn_lite.text.makers import is_of_maker, names_who_made
from relearn_lite.text.stop_words import CAPITAL_NAMES, STOP_WORDS, is_contraction, is_english
from relearn_lite.text.tagging import Tagged, tagged
from relearn_lite.text.turns import unmarked
from relearn_lite.text.words import sentences, words

CLASSES = ("NN", "NP", "AJ", "CR", "UN")  # nouns, names, adjectives, numbers, unclassified
CONSTANT = "constant"


class Candidate(NamedTuple):
    """A word that may be an entity: its form, whether it always is one, and what the weights are asked of."""

    word: str
    form: str
    certain: bool
    features: dict[str, float]


class RuleEntities:
    """Names, numbers and the telling nouns and adjectives of English texts; content words of all others.

    Where the maker of something is asked for and named, names and numbers alone: "a fantasy novel" and "a Dutch nurse"
    do not tell who wrote it. Where no word is likely to be an entity all nouns and adjectives are; where there are
    none, content words; where there are none of these either, an opening yes or no.
    weights: of features by name, by default those of entity_words.json.
    """

    name = "names, numbers and telling nouns that the question does not give"
    embedded = True

    def __init__(self, weights: Mapping[str, float] | None = None):
        self._weights = read_weights() if weights is None else weights

    def extract(self, items: Sequence[tuple[str, str]]) -> list[list[str] | None]:
        return [self._of(question, text) for question, text in items]

    def _of(self, question: str, text: str) -> list[str]:
        found = list(candidates(question, text)) if is_english(f"{question} {text}") else []
        likely = [each.form for each in found if each.certain or self._log_odds(each) >= 0]
        if names_who_made(question, text):
            likely = [each.form for each in found if is_of_maker(each.word, each.certain, text)] or likely
        chosen = likely or [each.form for each in found]
        return list(dict.fromkeys(chosen)) or content_words(question, text)

    def _log_odds(self, candidate: Candidate) -> float:
        return sum(self._weights.get(name, 0.0) * value for name, value in candidate.features.items())


def candidates(question: str, text: str) -> Iterator[Candidate]:
    """Names, numbers, addresses, nouns and adjectives of a text that its question does not give, in their order."""
    question = unmarked(question)
    asked = {word_form(word) for word in words(question)}
    asked |= {each.lemma.casefold() for sentence in sentences(question) for each in tagged(sentence)}
    for sentence in sentences(text):
        told = tagged(sentence)
        for i, each in enumerate(told):
            certain = any(c.isdigit() or c == "@" for c in each.word) or (i > 0 and each.word[0].isupper())
            form = word_form(each.word if certain else each.lemma)
            given = form in asked or word_form(each.word) in asked
            grammar = (form in STOP_WORDS and each.word not in CAPITAL_NAMES) or is_contraction(each.word)
            empty = grammar or (len(form) < 2 and not form.isdigit())
            if (certain or each.tag.startswith(CLASSES)) and not (given or empty):
                yield Candidate(each.word, form, certain, _features(told, i))


def _features(told: tuple[Tagged, ...], i: int) -> dict[str, float]:
    nothing = Tagged("", "", "")
    before, each, after = told[i - 1] if i else nothing, told[i], told[i + 1] if i + 1 < len(told) else nothing
    features = {
        CONSTANT: 1.0,
        f"class {each.tag[:3]}": 1.0,
        f"after class {before.tag[:2]}": 1.0,
        f"before class {after.tag[:2]}": 1.0,
        f"ends in {each.lemma.casefold()[-3:]}": 1.0,
        "letters / 10": len(each.lemma) / 10,
        "place in the sentence": i / len(told),
        "before of": float(after.word.casefold() == "of"),
        "after of": float(before.word.casefold() == "of"),
        "capital": float(each.word[0].isupper()),
    }
    return {name: value for name, value in features.items() if value}


@cache
def read_weights() -> dict[str, float]:
    """The fitted weight of each feature."""
    return json.loads(Path(__file__).with_name("entity_words.json").read_text(encoding="utf-8"))
