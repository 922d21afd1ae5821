"""When, where, who, whom and how many: questions that a sentence about a person answers, by its word classes.

Only sentences of a plain build are taken: the person first, perhaps after "In 2003", then a verb. All others give none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import takewhile
from typing import NamedTuple

from relearn_lite.collect.facets import NAME, Wording
from relearn_lite.text.number_words import is_number_word
from relearn_lite.text.tagging import Tagged, tagged
from relearn_lite.text.verbs import third_person

MOST_WORDS = 20  # of a question
_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = rf"(?:(?:\d{{1,2}} )?(?:{_MONTHS}) (?:\d{{1,2}}, )?)?"
_YEAR = rf"{_DAY}[12]\d{{3}}\b"
_TIME = re.compile(
    rf"\b(?:(?:from|between) {_YEAR} (?:to|until|and) {_YEAR}|(?P<since>since )?(?:(?:in|on|until|around) )?{_YEAR})"
    rf"(?: ?[-–] ?(?:{_YEAR}|\d\d\b))?",
    re.IGNORECASE,
)
_CAPITALS = r"[A-Z][\w'’-]*(?:,? (?:(?:of|the|de|in) )*[A-Z][\w'’-]*)*"
_PLACE = re.compile(rf"\b(?:in|at|near) (?:the )?(?:\d+ )?(?!(?:{_MONTHS})\b){_CAPITALS}")
_CLAUSE = re.compile(  # where another one begins
    r"[;:(]| [-–—]+ |—|, (?!\d{4})"
    r"|,? (?:because|while|when|where|who|which|that|so|but|after|before|although|whom|whose)\b"
)
_OUTSIDE = re.compile(
    r"\b(?:i|you|he|she|it|we|they|me|him|her|us|them|my|your|his|its|our|their|this|that|these|those|here|there|then"
    r"|above|below|same|such|another|others?|also|too)\b", re.IGNORECASE
)  # fmt: skip
_MARKS = re.compile(r"[<>{}|\[\]]")  # of chat templates, of HTML
_DENYING = frozenset("never nowhere hardly scarcely almost nearly".split())  # before a verb: it was not so
_PARTICIPLE = re.compile("V.[NG]")  # tags: moved, moving
_FRONTED = r"(?:(?P<front>(?:In|On|Since|Until|At|Near|Around) [^,]{1,50}?),? )?"
_HONORIFIC = r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Doctor|Sir|Dame)\.? )?"


class Parts(NamedTuple):
    """A plain sentence. aux and base: the verb as a question has it ("did", "study"); rest: what comes after it."""

    front: str
    aux: str
    base: str
    inflected: str
    rest: tuple[Tagged, ...]
    text: str  # of rest


def questions_from(sentence: str, name: str) -> list[Wording]:
    """Questions about a person, each of which stands alone and is worded in two ways; their facet is the verb."""
    parts = _parts(sentence, name)
    if parts is None:
        return []
    found = (" ".join(question.split()).replace(" ?", "?") for question in _asked(parts))
    return [Wording(parts.base.lower(), question) for question in dict.fromkeys(found) if stands_alone(question)]


def stands_alone(question: str) -> bool:
    """Whether a question refers to nothing outside it (he, this, the above), and is neither long nor full of marks."""
    strange = _OUTSIDE.search(question) or _MARKS.search(question.replace(NAME, ""))
    return not strange and len(question.split()) <= MOST_WORDS


def _asked(parts: Parts) -> Iterator[str]:
    asked = f"{parts.aux} {NAME} {parts.base}"
    text, timeless = parts.text, _TIME.sub("", parts.text).strip()
    if (time := _TIME.search(f"{parts.front} {text}")) and timeless:
        ways = ("Since when", "Since which year") if time["since"] else ("When", "In which year")
        yield from (f"{way} {asked} {timeless}?" for way in ways)
    if _PLACE.search(text):
        yield from (f"{way} {asked} {_PLACE.sub('', timeless)}?" for way in ("Where", "In which place"))
    if parts.aux in ("do", "does", "did") and (counted := _counted(parts)):
        noun, rest = counted
        yield from (f"{way} {noun} {asked} {rest}?" for way in ("How many", "What number of"))
    if parts.aux == "did":
        if parts.rest[0].tag == "NP0":
            end = next((i for i, each in enumerate(parts.rest) if not each.word[0].isupper()), len(parts.rest))
            after = timeless.partition(parts.rest[end - 1].word)[2]
            yield from (f"{way} {asked} {after}?" for way in ("Whom", "Which person"))
        if re.search(r" [A-Z]", f" {text}"):
            yield from (f"{way} {parts.inflected} {text}?" for way in ("Who", "Which person"))


def _parts(sentence: str, name: str) -> Parts | None:
    called = "|".join(map(re.escape, (name, *name.split(), "He", "She", "he", "she")))
    found = re.match(rf"{_FRONTED}{_HONORIFIC}(?:{called})(?:, [^,]+,)? (?P<told>[^\W\d_].*)$", sentence.rstrip(" .!"))
    if not found:
        return None
    told = _CLAUSE.split(found["told"], maxsplit=1)[0].strip()
    words = tagged(f"She {told}")[1:]  # the tagger needs a subject to know a verb
    if any(each.tag == "XX0" or each.word in _DENYING for each in takewhile(_before_verb, words)):
        return None
    told, words = _without_adverbs(told, words)
    if len(words) < 2 or " " not in told:
        return None
    verb, front, rest = words[0], found["front"] or "", told.split(" ", 1)[1]
    plainly = _without_adverbs(rest, words[1:])
    if plainly[1] and (verb.tag == "VM0" or _PARTICIPLE.match(plainly[1][0].tag)):  # "has recently moved"
        rest, words = plainly[0], [verb, *plainly[1]]
    following = words[1]
    end = next((i for i, each in enumerate(words) if each.tag == "CJC" and words[i + 1 : i + 2]
                and words[i + 1].tag[:2] in ("VV", "VB", "VH") and i > 1), None)  # fmt: skip
    if end:  # "found the wreck and sold it": the first half
        rest = rest[: rest.index(f" {words[end].word} ")]
        words = words[:end]
    if verb.tag[:2] == "VB" or verb.tag == "VM0" or verb.tag[:2] == "VH" and following.tag in ("VVN", "VBN", "VHN"):
        if verb.tag[:2] == "VB" and following.tag not in ("VVN", "VVG"):
            return None
        base, _, rest = rest.partition(" ")
        return Parts(front, verb.word, base, f"{verb.word} {base}", words[2:], rest)
    if verb.tag[:2] == "VH":
        aux = {"has": "does", "have": "do"}.get(verb.word, "did")
        return Parts(front, aux, "have", verb.word, words[1:], rest)
    if verb.tag == "VVZ" or verb.tag in ("NN2", "VVB") and third_person(verb.lemma) == verb.word:
        return Parts(front, "does", verb.lemma, verb.word, words[1:], rest)
    if verb.tag in ("VVD", "VVN"):
        return Parts(front, "did", verb.lemma, verb.word, words[1:], rest)
    return None


def _before_verb(word: Tagged) -> bool:
    return word.tag in ("AV0", "XX0") or word.tag[:2] in ("VB", "VD", "VH", "VM")


def _without_adverbs(text: str, words: list[Tagged]) -> tuple[str, list[Tagged]]:
    """What comes after "now", "recently"."""
    while words and words[0].tag == "AV0":
        text, words = text.split(" ", 1)[-1], words[1:]
    return text, words


def _counted(parts: Parts) -> tuple[str, str] | None:
    """ "two sons named Kelechi": what is counted, and what is said of it apart from that."""
    words = tuple(parts.rest)
    if len(words) < 2 or words[0].tag != "CRD" and not is_number_word(words[0].word.lower()):
        return None
    nouns = [i for i, each in enumerate(words) if each.tag == "NN2"]
    end = next((i for i in nouns if i + 1 not in nouns), None)
    if end is None or any(each.tag[:2] not in ("AJ", "NN") for each in words[1 : end + 1]):
        return None
    noun = " ".join(each.word for each in words[1 : end + 1])
    after = words[end + 1 :]
    named: Collection[str] = ("named", "called", "and")
    rest = "" if not after or after[0].word in named else parts.text.split(noun, 1)[-1].strip()
    return noun, _TIME.sub("", rest)
