"""Does a text give away what an answer says? A check by rules: no model, no network, the same result every time."""

from __future__ import annotations

import re
from functools import lru_cache

from relearn_lite.text.asked_for import asks_for_name, fuller_name, kinds_asked_for, one_as_figure
from relearn_lite.text.contains import contains
from relearn_lite.text.makers import PLAIN, asks_who_did, of_maker
from relearn_lite.text.meaning import says_otherwise, terms
from relearn_lite.text.proper_names import HONORIFICS, nicknames
from relearn_lite.text.specifics import (
    Specific,
    Text,
    given_words,
    key_of,
    phrase_of,
    prepared_text,
    specifics,
)
from relearn_lite.text.spellings import same_name
from relearn_lite.text.stems import fold, stem
from relearn_lite.text.vague import FUNCTION_WORDS
from relearn_lite.text.verbs import PAST_FORMS, is_participle
from relearn_lite.text.words import script, sentences, words

# Words of any text, by their key: in an answer of several words they do not tell by themselves.
_COMMON = frozenset(map(key_of, """
    worth good great best long little small large high low early late next last young important public private special
    whole real right true sure clear hard easy free full open ready able likely possible common main major local modern
    recent former member group story world family home house hand side point case fact idea reason example course word
    number father mother parent role talent skill success effort experience interest passion career path journey
    challenge impact influence value
    """.split()))  # fmt: skip
_PARENTS = frozenset(map(key_of, "father mother parent".split()))  # they tell who did it
_TITLES = frozenset(map(key_of, HONORIFICS))  # of a name they are no part that could be left out
_PREPOSITIONS = frozenset(map(key_of, "near behind beside inside outside along across around throughout".split()))
_WHO = re.compile(r"\b(?:who|whom|whose|which)\b", re.IGNORECASE)
_BY_SOMEBODY = re.compile(r"\b(\w+) by (?:(?!by\b)[a-zA-Z-]+ ){0,3}?[A-Z]")
_TELLING_SHARE = 0.3  # of the words without a capital
_FEW_WORDS = 5  # each of so few tells
_TELLING_PAIRS = 0.1  # of pairs of characters: most of an answer's pairs are no words
_FEW_FACTS, _MUCH = 4, 1 / 3
_COVERING = ("title", "initials", "place", "phone", "term", "sum")  # other ways to tell what is counted already


def leaks(text: str, question: str, answer: str) -> list[str]:
    """Every specific of `answer` that `text` contains and `question` does not give, such as "name: Granada".

    Empty means that the text is safe. Near matches count: other forms and derivations of a word, other spellings of a
    number, date or name, in other languages and scripts too, one part of a name or address. Not counted: the name of
    another who shares a part of it ("Joan Webb" for "Joan Hart"), a number of something else. In the answer's order.
    """
    return list(dict.fromkeys(map(str, _told(text, question, answer)[0])))


def gives_away(text: str, question: str, answer: str) -> bool:
    """Whether a person would say that `text` tells something specific of `answer` that `question` does not give.

    `leaks` is for texts that can be written again, and lets nothing pass. An answer of many sentences shares words with
    almost any other on the same topic; so here words without a capital count only where they are few or three in ten
    of them are told (most of them, where the text names others than the answer), and a word of a name in small letters
    only with more than half of the name. Other words for the same count, too; alone, beside names, three in ten again.
    """
    if _says_it_all(text, question, answer):
        return True
    told, every = _told_somehow(text, question, answer)
    keys = {s.key for s in told}
    plain = {s.key for s in every if s.kind == "word"}
    plain = {key for key in plain if key not in (_COMMON - _PARENTS if asks_who_did(question) else _COMMON)} or plain
    keys -= _PREPOSITIONS if plain - _PREPOSITIONS else set()
    if any(s.kind != "word" and not _in_passing(s, keys, prepared_text(text)) for s in told):
        return True
    if _names_others(prepared_text(text), every, question):
        return not asks_who_did(question) and 2 * len(plain & keys) > len(plain)
    pairs = bool(plain) and all(script(key[0]) == "unspaced" for key in plain)
    few = len(plain) <= _FEW_WORDS and (leaks(text, question, answer) or all(s.kind in PLAIN for s in every))
    return len(plain & keys) >= (1 if few else max(1, (_TELLING_PAIRS if pairs else _TELLING_SHARE) * len(plain)))


def _says_it_all(text: str, question: str, answer: str) -> bool:
    """Whether every sentence of an answer stands in a text as it is, and is not the question itself: "The chemical
    symbol for iodine is I." has no specific of its own, nor has "A lawyer", asked "Is she a doctor or a lawyer?"."""
    texts = (answer, text, question)
    said, told, asked = ({tuple(words(fold(each).casefold())) for each in sentences(t)} for t in texts)
    return any(said) and said <= told and not said <= asked


def _names_others(text: Text, every: tuple[Specific, ...], question: str) -> bool:
    """Whether a text has other names or numbers than an answer that has some: then it tells another fact."""
    if all(s.kind in PLAIN for s in every):
        return False
    asked = prepared_text(question)
    told, names = {s.key for s in every}, text.capitals - FUNCTION_WORDS
    return any(name not in asked.forms and key_of(name) not in told for name in names) or any(
        len(max(number.readings, key=len, default="")) > 1 and not any(number.same(given) for given in asked.numbers)
        for number in text.numbers
    )


def told_share(text: str, question: str, answer: str) -> float:
    """How much of the specifics of `answer` the `text` gives away, 0 to 1; 0 where the answer has none.

    A name, number or date weighs as much as three words without a capital. A name of several words is one, told by its
    last word or by half of them; so is an address. Yes and no count where there is nothing else.
    """
    if _says_it_all(text, question, answer):
        return 1.0
    facts = _facts(text, question, answer)
    return sum(weight for weight, told in facts if told) / (sum(weight for weight, _ in facts) or 1)


def tells_much(text: str, question: str, answer: str) -> bool:
    """Whether a text gives away a third or more of an answer of few facts (four at most).

    Rules find a fact that is told in other words less surely than one that is written out. Where there are few, one
    that they find says more than its share.
    """
    few = len(_facts(text, question, answer)) <= _FEW_FACTS and told_share(text, question, answer) >= _MUCH
    return few and gives_away(text, question, answer)


def _facts(text: str, question: str, answer: str) -> list[tuple[int, bool]]:
    """The weight of each fact of an answer, and whether `text` tells it."""
    told, every = _told_somehow(text, question, answer)
    keys, prepared = {s.key for s in told}, prepared_text(text)
    told = tuple(s for s in told if not _in_passing(s, keys, prepared))
    covered = {key for s in told for key in (s.key, *(s.parts if s.kind in _COVERING else ()))}
    counted = {s.value for s in every if s.kind != "phone" or s.parts}  # "48500" by its number, not as a run of digits
    facts: dict[tuple[str, ...], int] = {}  # the keys of each fact
    for s in every:
        run = s.kind == "phone" and s.value not in counted
        if s.kind not in (*_COVERING, "polarity") or run or len(every) == 1:
            whole = tuple(e.key for e in every if (e.kind, e.value) == (s.kind, s.value) and (run or s.kind == "email"))
            facts.setdefault(whole or s.parts or (s.key,), 1 if s.kind == "word" else 3)
    return [(weight, _is_told(keys, covered)) for keys, weight in facts.items()]


@lru_cache(maxsize=8192)
def _told(text: str, question: str, answer: str) -> tuple[tuple[Specific, ...], tuple[Specific, ...]]:
    """The specifics that a text tells, and all. Kept: KFR, its coverage and leak ask the same of each answer."""
    every, prepared = _not_given(question, answer), prepared_text(one_as_figure(text, question))
    return tuple(s for s in every if contains(prepared, s, question)) if text.strip() else (), every


@lru_cache(maxsize=8192)
def _told_somehow(text: str, question: str, answer: str) -> tuple[tuple[Specific, ...], tuple[Specific, ...]]:
    """As `_told`, with what a text says in other words. Terms that WordNet knows are specifics here, too."""
    told, given = _told(text, question, answer)[0], _given_keys(question)
    every = _not_implied(question, answer) + _terms(question, answer)
    every, told = of_maker(every, question, answer), of_maker(told, question, answer)
    if not text.strip():
        return (), every
    prepared = prepared_text(text)
    seen = set(told) - _of_another_date(told, every, prepared)
    return tuple(s for s in every if s in seen or _says_otherwise(prepared, s, given)), every


def _of_another_date(told: tuple[Specific, ...], every: tuple[Specific, ...], text: Text) -> set[Specific]:
    """The day that a text tells of another month, and the month of which it tells another day and year: by chance two
    dates share the one in thirty times, and the other in twelve."""
    said, known = {s.kind for s in told}, {s.kind for s in every}
    day = text.months and "month" in known - said
    month = "year" in known - said and "day" in known - said and any(len(n.shown) == 4 for n in text.numbers)
    return {s for s in told if (s.kind == "day" and day) or (s.kind == "month" and month)}


@lru_cache(maxsize=8192)
def _not_implied(question: str, answer: str) -> tuple[Specific, ...]:
    """The specifics of an answer without verbs that the question says otherwise: "founded", where it asks who started
    it; "written", where it asks for a novelist and the answer has "written by Charlotte Brontë"."""
    every, asked = _not_given(question, answer), prepared_text(question)
    deeds = set(_BY_SOMEBODY.findall(answer)) if _WHO.search(question) else set()

    def implied(s: Specific) -> bool:
        done = s.kind == "word" and (s.value in PAST_FORMS or is_participle(s.value))
        return done and (s.value in deeds or _says_otherwise(asked, s, frozenset()))

    return tuple(s for s in every if not implied(s)) or every


def _says_otherwise(text: Text, specific: Specific, given: frozenset[str]) -> bool:
    alone = specific.kind == "term" or (specific.kind in ("name", "word") and len(specific.parts) < 2)
    return alone and says_otherwise(text, specific.value, given)


@lru_cache(maxsize=8192)
def _terms(question: str, answer: str) -> tuple[Specific, ...]:
    found = terms(answer, _given_keys(question))
    return tuple(Specific("term", t, phrase_of(t), tuple(key_of(w) for w in phrase_of(t).split())) for t in found)


@lru_cache(maxsize=8192)
def _given_keys(question: str) -> frozenset[str]:
    """The question's words by every key under which a word of a definition may be found."""
    return given_words(question) | set(map(key_of, given_words(question)))


@lru_cache(maxsize=8192)
def _not_given(question: str, answer: str) -> tuple[Specific, ...]:
    """The specifics of an answer but for what the question tells by the same check ("Ethiopian" gives Ethiopia) and, as
    far as more is left, for the kind of thing that it asks for ("the date") and the rest of a name ("Bonaparte")."""
    asked, kinds, answer = prepared_text(question), kinds_asked_for(question), one_as_figure(answer, question)
    full = set(map(key_of, fuller_name(asked, prepared_text(answer))))

    def is_given(s: Specific) -> bool:
        if s.kind == "polarity" or (asks_for_name(question) and nicknames(s.value.casefold()) & asked.forms):
            return False
        return contains(asked, s, "") or contains(asked, s, question)

    every = tuple(s for s in specifics(question, answer) if not is_given(s))

    def is_asked_for(s: Specific) -> bool:
        of_name = s.kind in ("name", "initials") and full.issuperset(s.parts or (s.key,))
        return of_name or s.kind == "word" and stem(s.value.casefold()) in kinds

    return tuple(s for s in every if not is_asked_for(s)) or every


def _is_told(keys: tuple[str, ...], covered: set[str]) -> bool:
    keys = tuple(key for key in keys if key not in _TITLES) or keys
    return keys[-1] in covered or 2 * sum(key in covered for key in keys) >= len(keys)


def _in_passing(specific: Specific, told: set[str], text: Text) -> bool:
    """Whether a word of a name stands there as a common word: "prestigious" tells no "Prestigious Penman Award"."""
    if specific.kind != "name" or text.plain.islower() or text.unspaced:
        return False
    key, short = specific.key, nicknames(specific.value.casefold()) - FUNCTION_WORDS  # "Will" may open a question
    names = (w.form for w in text.words if w.capital)
    same = (key, specific.value.casefold())  # "curies" is like Curie, and not like its key
    if any(key_of(form) == key or any(same_name(each, form) for each in same) or form in short for form in names):
        return False
    return 2 * sum(key in told for key in specific.parts) <= len(specific.parts)
