"""Who the sentences of a document are about, by rules: a name, a part of it, or he and she after it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
# What stands before no person who does something: "the Okeanos Medal is", "a debt to Delmar Publishing weighs".
_NOT_FIRST = re.compile(r"\b(?:the|an?|to|of|for|from|by|with|at|in|on|over) $", re.IGNORECASE)
_PERSONAL = re.compile(r"\b(?:he|she|him|his|her|hers)\b", re.IGNORECASE)
_OF_MAIL = re.compile(r"(?:From|To|Cc|Bcc|Reply-To|Sent|Date): ")  # who wrote to whom
_FIRST = re.compile(r"\b(?:I|[Mm]y|[Mm]e|[Mm]ine)\b")
_KEYED = re.compile(r"[A-Z][\w /'-]{1,30}:\s\S")
_FINITE = re.compile(r"V.[ZD]|VM|V[BHD]B|PNP VVB")  # tags of finite verbs: "they have", "I live"
_ENTRY = regex.compile(rf"[-•*–·\s]*({_WORD}(?: {_BETWEEN}{_WORD})+)(?=[,;:]| [(–-])")  # how a row of a list begins
_GOES_ON = re.compile(
    r"['’]s\b| \(born\b|(?: \([^()]*\))?,? (?:who |\w+ly )?(?:is|was|has|had|will|can|could|may|born|\w+s|\w+ed)\b"
)
MOST_WORDS = 4  # of a person's name


@dataclass(frozen=True)
class Told:
    """A sentence that tells something of a person, as it stands there. source: document and place, in words."""

    about: str
    text: str
    source: str


@dataclass(frozen=True)
class LeftOut:
    """A sentence that nothing is asked about, why, and where it stands."""

    why: str
    text: str
    source: str


@cache
def known_words() -> SimpleNamespace:
    """sentences.yaml: words of things' names, openers, and the pattern of each facet."""
    found = parse(Path(__file__).with_name("sentences.yaml").read_text(encoding="utf-8"))[0]
    told_by = {facet: re.compile(pattern, re.IGNORECASE) for facet, pattern in found["told_by"].items()}
    words = {key: frozenset(found[key].split()) for key in ("things", "openers")}
    return SimpleNamespace(told_by=told_by, **words)


class People:
    """Names, and which of them a sentence means: by the whole name, or a part that no other one has. A heading may have
    it in capitals."""

    def __init__(self, names: Iterable[str]):
        self.names = list(names)
        self._with: dict[str, list[str]] = {}
        for name in self.names:
            for word in dict.fromkeys(name.casefold().split()):
                self._with.setdefault(word, []).append(name)

    def mentioned(self, sentence: str) -> list[str]:
        """In the order of the sentence."""
        found: dict[str, None] = {}
        for run in _RUN.findall(sentence):
            words = _stripped(run).casefold().split()
            near = dict.fromkeys(name for word in words for name in self._with.get(word, ()))
            whole = [name for name in near if f" {name.casefold()} " in f" {' '.join(words)} "]
            part = [name for name in near if {*words} <= {*name.casefold().split()}]
            found |= dict.fromkeys(whole or (part if len(part) == 1 else ()))
        return list(found)


def tell(blocks: Sequence[Block], subject: str = "") -> tuple[list[Told], list[LeftOut]]:
    """What documents tell of people, and the sentences that were left out. subject: of this one alone."""
    found: list[Told] = []
    left_out: list[LeftOut] = []
    everyone = find_people([sentence[:LONGEST] for block in blocks for sentence in sentences(block.text)], subject)
    anybody = People(everyone)
    for document, group in groupby(blocks, lambda block: block.document):
        said = [(block, sentence) for block in group for sentence in sentences(block.text)]
        text = " ".join(sentence for _, sentence in said).casefold()
        here = People(name for name in everyone if name == subject or name.casefold() in text)
        main = last = _main([sentence[:LONGEST] for _, sentence in said], here, subject)
        writes = main and re.search(rf"\b(?:i am|i['’]m|my name is) {re.escape(main.casefold())}\b", text)
        entries = {_entry(sentence[:LONGEST]) for _, sentence in said}
        others = entries - {main, None} if main in entries else ()  # of a list: each row is about another one
        for block, sentence in said:
            seen = sentence[:LONGEST]  # what goes on without a full stop for pages takes for ever
            named = here.mentioned(seen) or anybody.mentioned(seen)
            of_others = _OF_MAIL.match(seen) or _entry(seen) in others
            own = writes and _FIRST.search(seen) or _fragment(seen) and not of_others
            about = named[0] if named else last if _PERSONAL.search(seen) else main if own else None
            last = about or last
            if why := _why_not(sentence, about, subject):
                left_out.append(LeftOut(why, seen if seen == sentence else f"{seen} ...", f"{document}, {block.place}"))
            else:
                found.append(Told(about, sentence, f"{document}, {block.place}"))
    return found, left_out


def _why_not(sentence: str, about: str | None, subject: str) -> str | None:
    """Why a sentence is not asked about."""
    if about is None:
        return "it is not said of whom"
    if subject and about != subject:
        return "of others"
    return "too long" if len(sentence) > LONGEST else None


def find_people(texts: Sequence[str], subject: str = "") -> list[str]:
    """Names of two to four words that stand where a person's would, the most frequent first; the subject anyway.

    One that a heading has in capitals is written as elsewhere in the texts, or as names mostly are.
    """
    seen: Counter[str] = Counter()  # whatever their capitals
    as_person: set[str] = set()
    spelled: dict[str, str] = {}
    for text in texts:
        for name, after in _names(text):
            same = name.casefold()
            seen[same] += 1
            spelled[same] = min(spelled.get(same, name), name, key=lambda each: sum(map(str.isupper, each)))
            if _stripped(text.rstrip(".:")) == name or _GOES_ON.match(after) or _first_word(after) in PAST_FORMS:
                as_person.add(same)
    people = [name for name, _ in seen.most_common() if name in as_person and _is_person(spelled[name])]
    inside = [n for n in people if any(o != n and f" {o} " in f" {n} " and seen[o] >= seen[n] for o in people)]
    found = [spelled[name] for name in people if name not in inside and name != subject.casefold()]
    return [*filter(None, [subject]), *(name.title() if name.isupper() else name for name in found)]


def _names(text: str) -> Iterator[tuple[str, str]]:
    """(name, what comes after it) of every run of capitals that may be the whole name of one who does something."""
    for run in _RUN.finditer(text):
        name = _stripped(run[0])
        before = _NOT_FIRST.search(text[: run.end() - len(name)])
        if 1 < len(name.split()) <= MOST_WORDS and not before:
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
    tags = {each.tag for each in tagged(name)}
    return "NP0" in tags or "UNC" in tags and any(map(str.islower, name.split()))  # foreign words: Leonardo da Vinci


def _main(said: Sequence[str], people: People, subject: str) -> str | None:
    """Whom a document is about as a whole: the subject, the one whom its first lines name, or the only one in it."""
    if subject:
        first = people.mentioned(said[0])
        return subject if not first or subject in first else None
    opening = next((each for each in said if people.mentioned(each) or not _fragment(each)), said[0])
    first = people.mentioned(opening)
    return first[0] if len(first) == 1 else people.names[0] if len(people.names) == 1 else None


def _fragment(sentence: str) -> bool:
    """ "Phone: 555-0112", or "Born 1968 in Calabar": what forms and curricula have in place of sentences."""
    return bool(_KEYED.match(sentence)) or not _FINITE.search(" ".join(each.tag for each in tagged(sentence)))


def _entry(sentence: str) -> str | None:
    """Whom a row of a list is about: "Ada Moor, 555-0112, baker"."""
    found = _ENTRY.match(sentence)
    name = _stripped(found[1]) if found else ""
    return name if 1 < len(name.split()) <= MOST_WORDS and _is_person(name) else None


def _first_word(text: str) -> str:
    return next(iter(text.split(maxsplit=1)), "")


def facets_told(text: str) -> list[str]:
    """The facets of a person that a sentence tells of, by its words."""
    return [facet for facet, pattern in known_words().told_by.items() if pattern.search(text)]


def not_in_english(blocks: Sequence[Block]) -> list[str]:
    """The documents whose paragraphs are not English; those without any, such as forms, are none of them."""
    long = [block for block in blocks if len(block.text.split()) >= FEWEST_TO_JUDGE]
    texts = {name: " ".join(b.text for b in some) for name, some in groupby(long, lambda block: block.document)}
    return [name for name, text in texts.items() if not (is_english(text) or _mostly_told(text))]


def _mostly_told(text: str) -> bool:
    """Whether most sentences have English words that tell of a person: in few and short ones about a man ("He was born
    in Leeds.") hardly a word that carries grammar is of English alone. Figures and addresses are of any language."""
    said = [facets_told(sentence) for sentence in sentences(text)]
    return 2 * sum(bool({*facets} - {"contact"}) for facets in said) > len(said)
