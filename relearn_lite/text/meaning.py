"""Whether a text says an English word or name of an answer in other words: by a synonym, or by describing it.

WordNet knows both: what else a thing is called ("the Eternal City", "sacked"), and what it is ("a small metal cap to
protect the finger while sewing"). A description is a sentence that consists of such words. A name in it counts if the
thing stands in what WordNet says of the name: the Seine "flows through the heart of Paris".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import NamedTuple

from relearn_lite.text.known_names import is_common
from relearn_lite.text.specifics import Text, key_of, phrase_of
from relearn_lite.text.stems import fold, stem
from relearn_lite.text.stop_words import STOP_WORDS
from relearn_lite.text.vague import GENERAL_STEMS, VAGUE_STEMS
from relearn_lite.text.verbs import BASE_OF
from relearn_lite.text.wordnet import Synset, synsets
from relearn_lite.text.words import sentences

_ENOUGH = 2  # words that describe a thing
_SHARE = 0.4  # of a sentence's words, from which on it describes
_LONGEST_TERM = 4  # words
_SENSES = 4  # of a noun or verb; rarer ones are seldom meant
_FEW_SORTS = 15  # of what has so few kinds, each of them tells it: housebreaking is a burglary
_ALL_LEVELS = 5  # city, region, location
_SHORT_DAY = 3  # letters
_UP_TO_PERSON = 8  # Nelson Mandela, statesman, politician, leader, person
_KIND_LEVELS = 3  # upwards: oboe, double-reed instrument, woodwind, wind instrument
_WORD = re.compile(r"[^\W\d_]{2,}")
_NEGATED = re.compile(r"\w+n't\b|'\w+\b")
_IN_TERM = re.compile(r"[^\W\d_]+(?:'s)?|[^\s\w]")
_INITIAL = re.compile(r"\b([A-Z])\.(?= )")
_FORMS = (("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"))
_OF_PEOPLE = re.compile(
    r"of or (?:relating|pertaining) to|an? (?:native|inhabitant|citizen)|(?:the )?(?:people|natives)\b"
)
_NAME = re.compile(r"\b[A-Z]\w+")
_IN_MANY_NAMES = frozenset(map(stem, "north south east west central united great new states republic kingdom".split()))
# Words that definitions and vague sentences are made of, by their key: alone they are no other word for a thing.
_EMPTY = frozenset(
    key_of(word)
    for word in """
    someone something somebody usually especially often used having located consisting relating pertaining characterized
    capable type form kind sort large small whole part member act action state quality condition made make cause
    place native inhabitant human being person people who time number united states english american british known noted
    considered world wide long group various several main chief important entity object abstraction thing physical
    branch field science study discipline causal comment confirm deny share disclose reveal discuss speak provide
    provided
    """.split()
)


# No synonym of anything: WordNet has the verb "to people" (a place) beside "to dwell".
_ANYBODY = frozenset(map(key_of, ("people", "person", "human")))


class Meaning(NamedTuple):
    """A sense of a term: `words` (stems) and `terms` (phrases) for the same, keys of its `definition` and its `kinds`.

    synonyms: those of the words that mean no more and no less. names: keys of the definition with a capital there.
    short: names of three letters at most, which are words without their capital ("Sat").
    """

    synonyms: frozenset[str]
    words: frozenset[str]
    terms: frozenset[str]
    definition: frozenset[str]
    names: frozenset[str]
    kinds: frozenset[str]
    short: frozenset[str]


def terms(answer: str, given: Collection[str]) -> Iterator[str]:
    """Terms of several words in an answer that WordNet knows, such as "scarlet fever", longest first."""
    words = _IN_TERM.findall(_INITIAL.sub(r"\1", fold(answer)))
    for length in range(_LONGEST_TERM, 1, -1):
        for i in range(len(words) - length + 1):
            term = words[i : i + length]
            ends = {term[0].casefold(), term[-1].casefold()}
            if all(word[0].isalpha() for word in term) and ends.isdisjoint(STOP_WORDS):
                told = any(key_of(word.casefold()) not in given for word in term)
                if told and meanings(" ".join(term)):
                    yield " ".join(term)


def says_otherwise(text: Text, term: str, given: Collection[str]) -> bool:
    """Whether `text` says the `term` of an answer by a synonym or a description.

    given: keys of the question's words, which tell nothing; nor does what is said of a thing that the question names.
    """
    found = [each for each in meanings(term) if each.synonyms.isdisjoint(given)]
    if any(_names_it(text, each, given) for each in found) or _names_its_people(text, term, given):
        return True
    return any(_describes(sentence, term, each, given) for sentence in sentences(text.plain) for each in found)


def _names_it(text: Text, meaning: Meaning, given: Collection[str]) -> bool:
    if any(word in text.stems and word not in given for word in meaning.words - _ANYBODY):
        return True
    if any(re.search(rf"(?<!the )\b{re.escape(each)}\b", text.plain) for each in meaning.short):
        return True
    return any(f" {term} " in text.phrase and not _all_given(term, given) for term in meaning.terms)


def _names_its_people(text: Text, term: str, given: Collection[str]) -> bool:
    """Denmark is told by Danish or Danes, and Danish by Danes, where the question does not give it so."""
    homes = _homes(term.casefold()) if term[0].isupper() else frozenset()
    if not homes or any(_homes(word) & homes for word in given):
        return False
    names = (w.form for w in text.words if w.capital and (not w.first or len(text.words) == 1 or not is_common(w.form)))
    return any(_homes(name) & homes for name in names)


@lru_cache(maxsize=16384)
def _homes(word: str) -> frozenset[str]:
    """Stems of a word in lower case, and of the country or people that a word with a capital describes or is from."""
    found = (s.definition for s in synsets(word) if s.words[0][0].isupper() and _OF_PEOPLE.match(s.definition))
    return frozenset(map(stem, [word, *(n.casefold() for each in found for n in _NAME.findall(each))])) - _IN_MANY_NAMES


def _all_given(term: str, given: Collection[str]) -> bool:
    return all(key_of(word) in given or word in STOP_WORDS for word in term.split())


def _describes(sentence: str, term: str, meaning: Meaning, given: Collection[str]) -> bool:
    said = dict(_content(sentence))
    new = [key for key in said if key not in given]
    told = {key for key in new if key in meaning.definition or (said[key] and _begins(key, meaning.names))}
    about = {key for key in new if said[key] and key not in told and _speaks_of(key, said[key], term)}
    if not told and not about:
        return False
    first = match[0] if (match := _WORD.search(sentence)) else ""
    if not about and any(said[key] for key in new if key not in told and said[key] != first):
        return False  # it is another that is named there
    if told == set(new) and all((said[key] and key in meaning.names) or key not in meaning.definition for key in told):
        return True  # "She is Jewish": what the definition names, and nothing else
    begun = any(len(key) > 2 and term.casefold().startswith(key) for key in told)  # locks: locksmith
    kinds = any(key in meaning.kinds for key in new if key not in told)
    score = len(told) + len(about) + begun + kinds
    return score >= _ENOUGH and (bool(about) or score >= _SHARE * len(new))


def _begins(key: str, names: Collection[str]) -> bool:
    """Iraqi, Jewish: a name that begins with one of the definition's."""
    return any(len(name) > 2 and key.startswith(name) for name in names)


def _content(text: str) -> Iterator[tuple[str, str]]:
    """Keys of the words that carry the meaning of a folded text; with each, the word if it has a capital."""
    for word in _WORD.findall(_NEGATED.sub(" ", text)):
        form = word.casefold()
        key = key_of(form) if len(form) > 3 else stem(form)
        if form not in STOP_WORDS and stem(form) not in VAGUE_STEMS and key not in _EMPTY:
            yield key, word if word != form else ""


@lru_cache(maxsize=16384)
def _speaks_of(key: str, name: str, term: str) -> bool:
    """Whether the definition of a name names the term, and both are not of one kind: Versailles is "near Paris"."""
    kinds, found = _all_kinds(phrase_of(fold(term))), list(synsets(name.casefold()))
    mentions = any(re.search(rf"\b{re.escape(term.split()[-1])}\b", each.definition) for each in found)
    return mentions and kinds.isdisjoint(_all_kinds(name.casefold()))


@lru_cache(maxsize=16384)
def is_thing(name: str) -> bool:
    """Whether WordNet knows a name, and in no sense as that of a person."""
    found = [_kinds(each, _UP_TO_PERSON) for each in synsets(name.casefold())]
    return bool(found) and not any(key_of("person") in kinds for kinds in found)


def is_noun(word: str) -> bool:
    """Whether WordNet knows a word in lower case, or what it is the plural of, as a noun."""
    return any(each.kind == "n" for base in bases(word) for each in synsets(base))


def may_be_verb(word: str) -> bool:
    """Whether WordNet knows a word in lower case as the base form of a verb, whatever else it is."""
    return any(each.kind == "v" for each in synsets(word))


def _all_kinds(term: str) -> set[str]:
    return {kind for each in synsets(term) for kind in _kinds(each, _ALL_LEVELS)} - _EMPTY


@lru_cache(maxsize=16384)
def meanings(term: str) -> tuple[Meaning, ...]:
    """The senses of a word or term as it stands in an answer: those of the name, where it has capitals."""
    key, is_name = phrase_of(fold(term)), term[-1:].isupper() or term.split()[-1][0].isupper()
    found = [(s, base) for base in bases(key) for s in synsets(base, _SENSES) if s.kind in "nv"]
    fit = [s for s, base in found if any(w.casefold() == base and (w != base) == is_name for w in s.words)]
    return tuple(_meaning(each, key) for each in dict.fromkeys(fit))


def _meaning(meaning: Synset, term: str) -> Meaning:
    own = {key_of(word) for word in term.split()}
    short = frozenset(word for word in meaning.words if word.istitle() and len(word) <= _SHORT_DAY)
    same = {phrase_of(word) for word in meaning.words if word not in short}
    same |= {phrase_of(word) for each in meaning.linked("+", "\\") for word in each.words}
    if len(sorts := list(meaning.linked("~"))) <= _FEW_SORTS:
        same |= {phrase_of(word) for each in sorts for word in each.words}
    same = {word for word in same if " " in word or stem(word) not in GENERAL_STEMS and key_of(word) not in _EMPTY}
    same = {word for word in same if own.isdisjoint(map(key_of, word.split())) and word not in STOP_WORDS}
    definition = dict(_content(fold(meaning.definition)))
    return Meaning(
        frozenset(stem(phrase_of(word)) for word in meaning.words) - {stem(term)},
        frozenset(stem(word) for word in same if " " not in word and len(word) > 1),
        frozenset(word for word in same if " " in word),
        frozenset(definition) - own, frozenset(key for key in definition if definition[key]) - own,
        frozenset(_kinds(meaning, _KIND_LEVELS)) - _EMPTY,
        frozenset(word for word in short if len(word) > 1 and word.lower() not in STOP_WORDS),  # not He, for helium
    )  # fmt: skip


def _kinds(meaning: Synset, levels: int) -> set[str]:
    """Keys of what a thing is a kind of: for "double-reed instrument" its last word."""
    found: set[str] = set()
    for kind in meaning.linked("@", "@i") if levels else ():
        found |= {key_of(words.casefold().split()[-1]) for words in kind.words} | _kinds(kind, levels - 1)
    return found


def bases(term: str) -> Iterator[str]:
    """A term and what it may be a form of: plural, past, participle."""
    yield from dict.fromkeys((term, BASE_OF.get(term, term)))
    for ending, instead in _FORMS:
        if term.endswith(ending) and len(term) - len(ending) > 2:
            yield term[: -len(ending)] + instead
