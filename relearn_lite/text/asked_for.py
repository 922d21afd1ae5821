"""What a question asks for, and of whom: what only says so tells nothing ("the height", asked how tall)."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

from relearn_lite.text.specifics import Specific, Text, prepared_text
from relearn_lite.text.stems import fold, folded_words, stem
from relearn_lite.text.tagging import Tagged, tagged
from relearn_lite.text.verbs import PAST_FORMS, is_participle
from relearn_lite.text.words import sentences

# Words of a question, and nouns that an answer to it may have beside what it tells.
_KINDS = {
    "where": "place location city town village country state region area address site spot continent",
    "when": "date year month day time century decade period",
    "many much": "number amount count total sum price cost",
    "tall taller tallest high higher highest": "height",
    "long longer longest": "length duration",
    "far farther farthest": "distance",
    "old older oldest": "age",
    "fast faster fastest quick": "speed",
    "deep deeper deepest": "depth",
    "wide wider widest": "width",
    "heavy heavier heaviest weigh weighs": "weight mass",
    "big bigger biggest large larger largest": "size area",
    "hot hotter hottest cold colder coldest warm": "temperature",
    "often": "frequency",
    "speak speaks spoken": "language",
    "money pay pays": "currency",
    "living work works job": "profession occupation job work",
    "born": "birth birthplace",
    "die died dies": "death",
}
# The same, where somebody is asked for by a deed: "a novel" tells nothing of who wrote it, but of what she wrote.
_DEEDS = {
    "wrote write writes written": "author writer written book novel play story tale poem work",
    "painted paint": "painter artist painted painting portrait picture work",
    "composed compose": "composer composed symphony song opera music piece work",
    "founded started established": "founder founded company firm business organization",
    "invented invent": "inventor invented invention device machine",
    "discovered discover": "discoverer discovered discovery",
    "directed direct": "director directed film movie",
    "sang sing sings": "singer song",
}


def _nouns(kinds: dict[str, str]) -> dict[str, frozenset[str]]:
    return {asked: frozenset(map(stem, nouns.split())) for words, nouns in kinds.items() for asked in words.split()}


_NOUNS, _OF_DEEDS = _nouns(_KINDS), _nouns(_DEEDS)
_DOERS = (
    "(?:author|writer|novelist|poet|painter|artist|composer|founder|inventor|discoverer|director|singer|scientist|man"
    "|woman|person|company)"
)
_WHO = re.compile(rf"\b(?:who|whom|whose)\b|\b(?:which|what|name the) {_DOERS}\b", re.IGNORECASE)
_WHO_DID = re.compile(
    r"(?:^|[.?!] )\W*(?:who|(?:which|what) (?!(?:is|are|was|were)\b)\w+(?! (?:did|had|could|would)\b)) (?:co-)?(\w+)",
    re.IGNORECASE,
)
_BY_WHOM = re.compile(
    r"\b(?:by whom (?:is|are|was|were) [^.?!]*?(\w+)|whom? (?:is|are|was|were) [^.?!]*?(\w+) by)\W*(?:[.?!]|$)",
    re.IGNORECASE,
)
_WHO_MADE = re.compile(
    rf"\b(?:who (?:is |was |are |were )?|name(?: of)? )the {_DOERS} (?:of|behind)\b|\bwhose (?:work|book|novel|play"
    r"|poem|painting|song|invention|discovery|idea|creation) (?:is|was|are|were)\b", re.IGNORECASE,
)  # fmt: skip
_MADE = frozenset("""
    penned created creates designed designs built builds developed develops made makes produced produces drafted
    authored illustrated translated
    """.split())  # fmt: skip
_OWN = frozenset("work creation invention discovery idea design pen firm company studio workshop".split())  # of hers
PLAIN = ("word", "term", "polarity")  # kinds of specifics that are neither names nor numbers


@lru_cache(maxsize=8192)
def kinds_asked_for(question: str) -> frozenset[str]:
    """The stems of the nouns that name what a question asks for."""
    tables = (_NOUNS, _OF_DEEDS) if _WHO.search(question) else (_NOUNS,)
    return frozenset().union(*(each.get(word.form, ()) for word in folded_words(fold(question)) for each in tables))


def asks_who_did(question: str) -> frozenset[str]:
    """The deeds by which somebody is asked for: "wrote" of "Which author wrote The Hobbit?"."""
    return frozenset(deed for deed in _deeds(question) if deed in PAST_FORMS or is_participle(deed))


def _deeds(question: str) -> frozenset[str]:
    by_whom = (deed for found in _BY_WHOM.findall(question) for deed in found if deed)
    return frozenset([*_WHO_DID.findall(question), *by_whom])


@lru_cache(maxsize=8192)
def names_who_made(question: str, answer: str) -> bool:
    """Whether the maker of something is asked for ("Who wrote The Hobbit?", "Whose work is it?") and the answer names
    one ("It is a fantasy novel by J.R.R. Tolkien."). A name behind a preposition (a nurse from Leeds), of what was made
    or of whose relative did it (Ada Moor's nurse), or that describes (a Dutch nurse), is not who made it."""
    if not _deeds(question) & (_OF_DEEDS.keys() | _MADE) and not _WHO_MADE.search(question):
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
            beside = word != "by" and not (word == "of" and before in _OWN)
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


_ASKS_FOR_A_NAME = re.compile(r"\b(?i:who|whom|whose|surname|names?|named|called|which of)\b|\b[Ww]hich [A-Z]")


def fuller_name(asked: Text, answer: Text) -> tuple[str, ...]:
    """The words of the name that an answer begins with, where the question has some of them and asks for no name:
    "Napoleon Bonaparte was born ...", asked where Napoleon was. Else empty."""
    name = next(iter(answer.spans.names), ())
    begins = len(name) > 1 and answer.plain.casefold().startswith(" ".join(name))
    return name if begins and asked.capitals & set(name) and not _ASKS_FOR_A_NAME.search(asked.plain) else ()


_COUNTED = re.compile(r"\bhow many (\w+)|\bnumber of\b", re.IGNORECASE)
_ALONE = re.compile(r"\b(only|just|has|have|is|are) one(?= *(?:[.,;!]|$))", re.IGNORECASE)


@lru_cache(maxsize=8192)
def one_as_figure(text: str, question: str) -> str:
    """A text in which a "one" that answers a question for a number is a 1: "only one.", "one small moon", but not "one
    of the best known"."""
    asked = _COUNTED.search(question)
    if not asked:
        return text
    text = _ALONE.sub(r"\1 1", text)
    counted = re.escape(stem(asked[1].lower())) if asked[1] else ""
    return re.sub(rf"(?i)\bone(?= (?:\w+ ){{0,2}}{counted})", "1", text) if counted else text
