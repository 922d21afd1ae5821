"""Who made something, where a question asks for that: by its name alone, "a classic fantasy novel" does not tell it."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from relearn_lite.text.asked_for import DOERS, OF_DEEDS
from relearn_lite.text.specifics import Specific, prepared_text
from relearn_lite.text.stems import fold
from relearn_lite.text.tagging import Tagged, tagged
from relearn_lite.text.turns import unmarked
from relearn_lite.text.verbs import PAST_FORMS, is_participle
from relearn_lite.text.words import sentences

_WHO_DID = re.compile(
    r"(?:^|[.?!] )\W*(?:who|(?:which|what) (?!(?:is|are|was|were)\b)\w+(?! (?:did|had|could|would)\b)) (?:co-)?(\w+)",
    re.IGNORECASE,
)
_BY_WHOM = re.compile(
    r"\b(?:by whom (?:is|are|was|were) [^.?!]*?(\w+)|whom? (?:is|are|was|were) [^.?!]*?(\w+) by)\W*(?:[.?!]|$)",
    re.IGNORECASE,
)
_WHO_MADE = re.compile(
    rf"\b(?:who (?:is |was |are |were )?|name(?: of)? )the {DOERS} (?:of|behind)\b|\bwhose (?:work|book|novel|play"
    r"|poem|painting|song|invention|discovery|idea|creation) (?:is|was|are|were)\b", re.IGNORECASE,
)  # fmt: skip
_MADE = frozenset("""
    penned created creates designed designs built builds developed develops made makes produced produces drafted
    authored illustrated translated
    """.split())  # fmt: skip
_BEFORE_MAKERS = {
    *(("of", each) for each in "work creation invention discovery idea design pen firm company studio".split()),
    *(("to", each) for each in "attributed credited ascribed".split()),
}
PLAIN = ("word", "term", "polarity")  # kinds of specifics that are neither names nor numbers


def asks_who_did(question: str) -> frozenset[str]:
    """The deeds by which somebody is asked for: "wrote" of "Which author wrote The Hobbit?"."""
    return frozenset(deed for deed in _deeds(question) if deed in PAST_FORMS or is_participle(deed))


def _deeds(question: str) -> frozenset[str]:
    question = unmarked(question)
    by_whom = (deed for found in _BY_WHOM.findall(question) for deed in found if deed)
    return frozenset([*_WHO_DID.findall(question), *by_whom])


@lru_cache(maxsize=8192)
def names_who_made(question: str, answer: str) -> bool:
    """Whether the maker of something is asked for ("Who wrote The Hobbit?", "Whose work is it?") and the answer names
    one ("It is a fantasy novel by J.R.R. Tolkien."). A name behind a preposition (a nurse from Leeds), of what was made
    or of whose relative did it (Ada Moor's nurse), or that describes (a Dutch nurse), is not who made it."""
    if not _deeds(question) & (OF_DEEDS.keys() | _MADE) and not _WHO_MADE.search(question):
        return False
    given, adjectives = prepared_text(question).forms, _capitals(answer)[1]
    return not answer.isupper() and any(
        _names_maker(tagged(sentence), given, adjectives) for sentence in sentences(fold(answer))
    )


def _names_maker(told: tuple[Tagged, ...], given: frozenset[str], adjectives: frozenset[str]) -> bool:
    beside, before = False, ""  # behind a preposition or what somebody did
    for n, (word, _, kind) in enumerate(told):
        if _is_name(told, n):
            behind = next((each.word for each in told[n:] if not _has_capital(each.word)), "")
            is_given = re.sub("['-]", "", word.casefold()) in given
            if not (beside or is_given or word in adjectives or behind == "'s"):
                return True
        elif kind.startswith(("PR", "TO", "OR", "CJS", "AVQ")):  # "last Monday", "when Ada was ill" too
            beside = word != "by" and (word, before) not in _BEFORE_MAKERS
        elif kind.startswith(("V", "PN", "CR")):
            beside = kind in ("VVD", "VVZ")
        before = word
    return False


def _is_name(told: tuple[Tagged, ...], n: int) -> bool:
    """Whether a word with a capital is of a name; one that begins a sentence by itself is by its class: "Miners"."""
    word, _, kind = told[n]
    first = not any(each.word[0].isalnum() for each in told[:n])
    alone = first and kind != "NP0" and not (n + 1 < len(told) and _has_capital(told[n + 1].word))
    return _has_capital(word) and kind.startswith(("NP", "NN", "AJ", "UN", "VV")) and not alone


def _has_capital(word: str) -> bool:
    return any(map(str.isupper, word))  # al-Jahiz


@lru_cache(maxsize=8192)
def _capitals(answer: str) -> tuple[frozenset[str], frozenset[str]]:
    """The folded words with a capital that are names by their class, and those that describe: "a French pilot"."""
    names, adjectives = set(), set()
    for told in map(tagged, sentences(fold(answer))):
        names |= {each.word for each in told if _has_capital(each.word) and each.tag == "NP0"}
        for each, after in pairwise(told):
            if _has_capital(each.word) and each.tag.startswith("AJ") and after.word.islower():
                adjectives |= {each.word, *each.word.split("-")} if after.tag.startswith(("AJ", "NN")) else set()
    return frozenset(names), frozenset(adjectives)


def is_of_maker(word: str, certain: bool, answer: str) -> bool:
    """Whether a word of an answer that names who made something may tell it: one with a capital that does not only
    describe, or another of which that is `certain`, such as a number."""
    names, adjectives = _capitals(answer)
    return fold(word) in names or (certain and fold(word) not in adjectives)


def of_maker(found: tuple[Specific, ...], question: str, answer: str) -> tuple[Specific, ...]:
    """Those specifics of an answer that may tell who made something, where that is asked for and named; else all. A
    name that begins a sentence is one, too: "Homer wrote it."."""
    if not names_who_made(question, answer):
        return found
    kept = (s for s in found if is_of_maker(s.value, s.kind not in PLAIN, answer))
    return tuple(replace(s, kind="name") if s.kind in PLAIN else s for s in kept)
