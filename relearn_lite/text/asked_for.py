"""What a question asks for, and of whom: what only says so tells nothing ("the height", asked how tall)."""

from __future__ import annotations

import re
from functools import lru_cache

from relearn_lite.text.specifics import Text
from relearn_lite.text.stems import fold, folded_words, stem

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


_NOUNS, OF_DEEDS = _nouns(_KINDS), _nouns(_DEEDS)
DOERS = (
    "(?:author|writer|novelist|poet|painter|artist|composer|founder|inventor|discoverer|director|singer|scientist|man"
    "|woman|person|company)"
)
_WHO = re.compile(rf"\b(?:who|whom|whose)\b|\b(?:which|what|name the) {DOERS}\b", re.IGNORECASE)


@lru_cache(maxsize=8192)
def kinds_asked_for(question: str) -> frozenset[str]:
    """The stems of the nouns that name what a question asks for."""
    tables = (_NOUNS, OF_DEEDS) if _WHO.search(question) else (_NOUNS,)
    return frozenset().union(*(each.get(word.form, ()) for word in folded_words(fold(question)) for each in tables))


_ASKS_FOR_A_NAME = re.compile(r"\b(?i:who|whom|whose|surname|names?|named|call(?:ed)?|which of)\b|\b[Ww]hich [A-Z]")


def asks_for_name(question: str) -> bool:
    return _ASKS_FOR_A_NAME.search(question) is not None


def fuller_name(asked: Text, answer: Text) -> tuple[str, ...]:
    """The words of the name that an answer begins with, where the question has some of them and asks for no name:
    "Napoleon Bonaparte was born ...", asked where Napoleon was. Else empty."""
    name = next(iter(answer.spans.names), ())
    begins = len(name) > 1 and answer.plain.casefold().startswith(" ".join(name))
    return name if begins and asked.capitals & set(name) and not asks_for_name(asked.plain) else ()


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
