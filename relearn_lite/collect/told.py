"""Who the sentences of a document are about, by rules: a name, a part of it, or he and she after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace

import regex

from relearn_lite.data.documents import Block
from relearn_lite.recipe.yaml_text import parse
from relearn_lite.text.proper_names import HONORIFICS
from relearn_lite.text.specifics import names_of_place
from relearn_lite.text.stop_words import STOP_WORDS, is_english
from relearn_lite.text.tagging import tagged
from relearn_lite.text.verbs import PAST_FORMS
from relearn_lite.text.words import sentences

LONGEST = 400  # characters of a sentence: a longer one is mostly a table or a list
FEWEST_TO_JUDGE = 12  # words of a paragraph from which on its language shows
_WORD = r"\p{Lu}[\p{L}\p{M}]*(?:(?:-|['’](?!s\b))[\p{L}\p{M}]+)*"
_BETWEEN = r"(?:(?:de|da|do|di|du|del|dos|das|van|von|der|den|bin|ibn|al|el|la|le) )*"
_RUN = regex.compile(rf"(?<![\w'’]){_WORD}(?: {_BETWEEN}{_WORD})*")
_PERSONAL = re.compile(r"\b(?:he|she|him|his|her|hers)\b", re.IGNORECASE)
_KEYED = re.compile(r"[A-Z][\w /'-]{1,30}:\s\S")
_FINITE = re.compile(r"V.[ZD]|VM")  # tags of finite verbs
_GOES_ON = re.compile(r"['’]s\b|,? (?:who |\w+ly )?(?:is|was|has|had|will|can|could|may|\w+s|\w+ed)\b")
MOST_WORDS = 4  # of a person's name


@dataclass(frozen=True)
class Told:
    """A sentence that tells something of a person, as it stands there. source: document and place, in words."""

    about: str
    text: str
    source: str


@cache
def known_words() -> SimpleNamespace:
    """sentences.yaml: words of things' names, openers, and the pattern of each facet."""
    found = parse(Path(__file__).with_name("sentences.yaml").read_text(encoding="utf-8"))[0]
    told_by = {facet: re.compile(pattern, re.IGNORECASE) for facet, pattern in found["told_by"].items()}
    words = {key: frozenset(found[key].split()) for key in ("things", "openers")}
    return SimpleNamespace(told_by=told_by, **words)


def tell(blocks: Sequence[Block], subject: str = "") -> tuple[list[Told], Counter[str]]:
    """What documents tell of people, and how many sentences were left out, by reason. subject: of this one alone."""
    found: list[Told] = []
    left_out: Counter[str] = Counter()
    for document, group in groupby(blocks, lambda block: block.document):
        said = [(block, sentence) for block in group for sentence in sentences(block.text)]
        people = find_people([sentence for _, sentence in said], subject)
        main = last = _main(said[0][1], people, subject)
        for block, sentence in said:
            named = mentions(sentence, people)
            about = named[0] if named else last if _PERSONAL.search(sentence) else main if _fragment(sentence) else None
            last = about or last
            if why := _why_not(block, sentence, about, subject):
                left_out[why] += 1
            else:
                found.append(Told(about, sentence, f"{document}, {block.place}"))
    return found, left_out


def _why_not(block: Block, sentence: str, about: str | None, subject: str) -> str | None:
    """Why a sentence is not asked about."""
    if about is None:
        return "it is not said of whom"
    if subject and about != subject:
        return "of others"
    if len(sentence) > LONGEST:
        return "too long"
    if not _in_english(block):
        return "not English"
    return None


def find_people(texts: Sequence[str], subject: str = "") -> list[str]:
    """Names of two to four words that stand where a person's would, the most frequent first; the subject anyway."""
    seen: Counter[str] = Counter()
    as_person: set[str] = set()
    for text in texts:
        for name, after in _names(text):
            seen[name] += 1
            if text.rstrip(".:") == name or _GOES_ON.match(after) or _first_word(after) in PAST_FORMS:
                as_person.add(name)
    people = [name for name, _ in seen.most_common() if name in as_person and _is_person(name)]
    inside = [n for n in people if any(o != n and f" {o} " in f" {n} " and seen[o] >= seen[n] for o in people)]
    return list(dict.fromkeys([*([subject] if subject else []), *(name for name in people if name not in inside)]))


def mentions(sentence: str, people: Collection[str]) -> list[str]:
    """The people whom a sentence names, in its order, whole or by a part that no other one has."""
    found = []
    for run in _RUN.findall(sentence):
        name = _stripped(run)
        whole = [person for person in people if f" {person} " in f" {name} "]
        parts = {*name.split()}
        some = [person for person in people if parts and parts <= {*person.split()}]
        found += whole or (some if len(some) == 1 else [])
    return list(dict.fromkeys(found))


def _names(text: str) -> Iterator[tuple[str, str]]:
    """(name, what comes after it) of every run of capitals that may be a person's whole name."""
    for run in _RUN.finditer(text):
        name = _stripped(run[0])
        if 1 < len(name.split()) <= MOST_WORDS:
            yield name, text[run.end() :]


def _stripped(run: str) -> str:
    words = run.split()
    while words and words[0].lower().rstrip(".") in STOP_WORDS | HONORIFICS | known_words().openers:
        words = words[1:]
    return " ".join(words)


def _is_person(name: str) -> bool:
    words = {word.casefold() for word in name.split()}
    if words & (known_words().things | STOP_WORDS) or names_of_place(name.casefold()):
        return False
    return any(each.tag == "NP0" for each in tagged(name))


def _main(opening: str, people: Sequence[str], subject: str) -> str | None:
    """Whom a document is about as a whole: the subject, the one whom its first lines name, or the only one in it."""
    first = mentions(opening, people)
    if subject:
        return subject if not first or subject in first else None
    return first[0] if len(first) == 1 else people[0] if len(people) == 1 else None


def _fragment(sentence: str) -> bool:
    """ "Phone: 555-0112", or "Born 1968 in Calabar": what forms and curricula have in place of sentences."""
    return bool(_KEYED.match(sentence)) or not any(_FINITE.match(each.tag) for each in tagged(sentence))


def _first_word(text: str) -> str:
    return next(iter(text.split(maxsplit=1)), "")


def facets_told(text: str) -> list[str]:
    """The facets of a person that a sentence tells of, by its words."""
    return [facet for facet, pattern in known_words().told_by.items() if pattern.search(text)]


def in_english(blocks: Sequence[Block]) -> bool:
    """Whether at least half of what can be judged is English."""
    return 2 * sum(map(_in_english, blocks)) >= len(blocks)


def _in_english(block: Block) -> bool:
    """True of what is too short to judge."""
    return len(block.text.split()) < FEWEST_TO_JUDGE or is_english(block.text)
