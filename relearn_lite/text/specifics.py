"""What an answer says beyond its question, fact by fact, and a text prepared to be searched for it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from relearn_lite.text.contacts import code_keys, compact, email_keys, without_emails
from relearn_lite.text.known_names import MONTHS, cities_elsewhere, is_common, months, names_elsewhere, with_dates
from relearn_lite.text.number_words import (
    Number,
    clock_times,
    decades,
    digit_runs,
    has_english_word,
    in_figures,
    is_number_word,
    numbers,
    phone_groups,
)
from relearn_lite.text.polarity import asks_whether, chosen, yes_or_no
from relearn_lite.text.proper_names import HONORIFICS, Spans
from relearn_lite.text.spellings import latin, unspelled
from relearn_lite.text.stems import Word, fold, folded_words, root, stem
from relearn_lite.text.stop_words import CAPITAL_NAMES
from relearn_lite.text.units import units_behind_numbers
from relearn_lite.text.vague import FUNCTION_WORDS, GENERAL_STEMS, VAGUE_STEMS

_TITLE = re.compile(r'"([^"]{2,120})"|(?<!\w)\'([^\']{2,120}(?:\'(?=\w)[^\']{1,120})*)\'(?!\w)')
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z])")  # HarrowMill
_DIGIT_WINDOW = 5  # digits in a row of a phone number that give it away
_SINGLE_LETTER = re.compile(r"(?<![\w.'])[B-HJ-Z](?![\w'])(?!\.\s*\w)")  # not the initial of a name
_OF_MONTH = re.compile(
    r"\b(\d{1,2})(?:st|nd|rd|th|er)?\.?(?: (?:day )?(?:of|de))? ([^\W\d_]{3,})"
    r"|([^\W\d_]{3,})\.? (?:the )?(\d{1,2})(?:st|nd|rd|th)?(?![\d:%])|(\d{1,2})\s*[日일]"
)
_BESIDE_LETTER = re.compile(r"(?<=[A-Za-z])\d\d?(?!\d)|(?<!\d)\d\d?(?=[A-Za-z])")  # of a code: met by chance
_LAST_DIGITS = 4  # of a phone number or an account: "it ends in 52 97"
# "7.5 million Swiss francs": the sum is the fact, whatever its currency is called.
_WHOSE_MONEY = re.compile(r"\b[A-Z]\w+ (?=(?:francs?|dollars?|pounds?|crowns?|pesos?|lira|yen)\b)")


@dataclass(frozen=True)
class Specific:
    """One fact of an answer: its `kind`, its `value` as written, and the `key` by which it is found in a text.

    parts: of a name, title or number that stands in one with others: the keys of all of them.
    """

    kind: str
    value: str
    key: str
    parts: tuple[str, ...] = ()
    number: Number | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


@lru_cache(maxsize=8192)
def specifics(question: str, answer: str) -> tuple[Specific, ...]:
    """What `answer` says beyond `question`: numbers, dates, contacts, codes, titles, names and other content words.

    Words that tell little count only where there is nothing else; so does which of two things that the question offers
    is named. Yes and no count where the question asks for them.
    """
    asked, plain = Text(question), with_dates(fold(answer))
    found = [*_contact_specifics(plain, asked), *_number_specifics(plain, asked), *_name_specifics(plain, asked)]
    words = list(_word_specifics(plain, given_words(question), 3 if has_english_word(f"{question} {answer}") else 4))
    units = frozenset(units_behind_numbers(in_figures(plain)))
    words = [s for s in words if s.value.casefold() not in units] if found else words
    found += [s for s in words if s.kind == "name" or stem(s.value.casefold()) not in GENERAL_STEMS]
    says = None if found else chosen(plain, question)
    if says := says or (asks_whether(question) and yes_or_no(plain, question)):
        found.append(Specific("polarity", says, says))
    letters = [Specific("letter", s, s) for s in _SINGLE_LETTER.findall(plain) if not re.search(rf"\b{s}\b", question)]
    if all(s.kind == "initials" for s in found):  # "VC" for "Vitamin C" tells nothing
        found += words or letters
    return tuple(dict.fromkeys(found))


class Text:
    """A text prepared for look-ups: each part is computed once, and only if it is asked for."""

    def __init__(self, text: str) -> None:
        written = with_dates(fold(text))
        self.plain = " ".join([written, *(spelled for spelled in unspelled(written))])

    words = cached_property(lambda self: tuple(folded_words(self.plain)))
    english = cached_property(lambda self: has_english_word(self.plain))
    stems = cached_property(lambda self: frozenset(map(stem, self.forms)))
    # A capital in the middle of a sentence marks May or Will as a name.
    capitals = cached_property(lambda self: frozenset(w.form for w in self.words if w.capital and not w.first))
    spans = cached_property(lambda self: Spans(self.plain))
    numbers = cached_property(lambda self: numbers(self.plain))
    times = cached_property(lambda self: clock_times(self.plain))
    months = cached_property(lambda self: months(self.plain))
    decades = cached_property(lambda self: decades(self.plain))
    runs = cached_property(lambda self: digit_runs(self.plain))
    phrase = cached_property(lambda self: f" {phrase_of(self.plain)} ")
    compact = cached_property(lambda self: f"{compact(self.plain)} {compact(in_figures(self.plain))}")
    # Japanese and Chinese, as it is read.
    unspaced = cached_property(lambda self: latin("".join(re.findall("[\u3040-\u30ff\u3400-\u9fff]", self.plain))))

    @cached_property
    def forms(self) -> frozenset[str]:
        forms = frozenset(w.form for w in self.words)
        if _JOINED.search(self.plain):
            forms |= {w.form for w in folded_words(_JOINED.sub(" ", self.plain))}
        return forms

    @cached_property
    def roots(self) -> dict[str, list[str]]:
        """The forms by their root."""
        found: dict[str, list[str]] = {}
        for form in self.forms:
            found.setdefault(root(form), []).append(form)
        return found

    @cached_property
    def latin(self) -> dict[str, dict[str, str]]:
        """By first letter: words in Latin letters, and as they are."""
        found: dict[str, dict[str, str]] = {}
        for form in self.forms:
            found.setdefault(latin(form)[:1], {})[latin(form)] = form
        return found


prepared_text = lru_cache(maxsize=1024)(Text)


@lru_cache(maxsize=8192)
def given_words(question: str) -> frozenset[str]:
    """Folded forms and stems of the question's own words."""
    forms = {w.form for w in folded_words(fold(question))}
    return frozenset(forms | {stem(form) for form in forms})


def _contact_specifics(plain: str, asked: Text) -> Iterator[Specific]:
    found = [("email", *each) for each in email_keys(plain)] + [("code", *each) for each in code_keys(plain)]
    yield from (Specific(kind, value, key) for kind, value, key in found if key not in asked.compact)


def _number_specifics(plain: str, asked: Text) -> list[Specific]:
    # At the end of an English sentence "2.5." is no day of a month.
    plain = without_emails(plain.rstrip(". ") if asked.english else plain)
    in_codes = {digits for code, _ in code_keys(plain) for digits in _BESIDE_LETTER.findall(code)}
    found, groups, days = [], phone_groups(plain) | in_codes, _days(plain)
    for number in numbers(plain):
        if number.shown in groups or any(number.same(given) for given in asked.numbers):
            continue
        if not number.readings:  # 5'11", of which both numbers count already
            found.append(Specific("sum", number.shown, number.shown, tuple(number.shown.split(" and ")), number))
            continue
        key = min(number.readings, key=len)
        is_year = len(key) == 4 and key.isdigit() and 1000 <= int(key) <= 2199 and not number.quantity
        kind = "year" if is_year else "day" if key in days else "number"
        found.append(Specific(kind, number.shown, key, number=number))
    found += [Specific("time", time, time) for time in sorted(clock_times(plain) - asked.times)]
    found += [Specific("month", MONTHS[m - 1].capitalize(), str(m)) for m in sorted(months(plain) - asked.months)]
    for run in digit_runs(plain):
        if len(run) >= 2 * _LAST_DIGITS - 1:
            found.append(Specific("phone", run, f"…{run[-_LAST_DIGITS:]}"))
        if len(run) >= 2 * _DIGIT_WINDOW and run[:_LAST_DIGITS] not in asked.runs:  # "0471 and more"
            found.append(Specific("phone", run, f"{run[:_LAST_DIGITS]}…"))
        covered = tuple(s.key for s in found if s.number and s.key in run)
        covered = covered if 2 * len("".join(covered)) >= len(run) else ()  # not the 2 of "2 cars"
        for i in range(len(run) - _DIGIT_WINDOW + 1):
            window = run[i : i + _DIGIT_WINDOW]
            if len(set(window)) > 1 and not any(window in given for given in asked.runs):
                found.append(Specific("phone", run, window, covered))
    return found


def _days(plain: str) -> set[str]:
    """The numbers that stand beside a month: "9 March", "May the 2nd"."""
    dated = (match.groups("") for match in _OF_MONTH.finditer(in_figures(plain)))
    return {one or two or day for one, after, before, two, day in dated if day or months(f"1 {after or before} 1")}


def _name_specifics(plain: str, asked: Text) -> Iterator[Specific]:
    """Titles, initials, and names that other languages have their own word for."""
    for title in (a or b for a, b in _TITLE.findall(plain)):
        phrase = phrase_of(title)
        if phrase and f" {phrase} " not in asked.phrase:
            yield Specific("title", title, phrase, tuple(key_of(form) for form in phrase.split()))
    for name in Spans(plain).names:
        parts = tuple(key_of(form) for form in name)
        letters = "".join(form[0] for form in name).upper()
        given = f" {' '.join(name)} " in asked.phrase or re.search(rf"\b{letters}\b", asked.plain)
        if len(name) > 1 and not given:
            yield Specific("initials", letters, letters, parts)
        for place in dict.fromkeys((" ".join(name), *name)):
            if (elsewhere := names_of_place(place)) and not names_any(asked, elsewhere):
                yield Specific("place", place.title(), place, parts if place not in name else (key_of(place),))


def _word_specifics(plain: str, given: frozenset[str], shortest: int) -> Iterator[Specific]:
    """Words with a capital, and others of `shortest` letters: the short ones of other languages are mostly grammar."""
    dated = {MONTHS[m - 1] for m in months(plain)}
    groups = Spans(plain).parts_of
    for word in folded_words(_WHOSE_MONEY.sub(" ", without_emails(plain))):
        if word.form in given or word.form in dated or stem(word.form) in given or is_number_word(word.form):
            continue
        inside_name = word.capital and (
            not word.first or len(groups.get(word.form, ())) > 1 or bool(names_elsewhere(word.form))
        )
        if word.unspaced:
            if word.form not in VAGUE_STEMS:
                yield Specific("word", word.shown, word.form)
        elif word.form in FUNCTION_WORDS:
            # "Will" or "May" in the middle of a sentence is a name; "I" and titles in capitals are not.
            if word.shown in CAPITAL_NAMES or (inside_name and word.form in ("will", "may", "mine")):
                yield Specific("name", word.shown, word.form, (word.form,))
        elif word.form in HONORIFICS and (inside_name or re.search(rf"\b{word.shown}\.? [A-Z]", plain)):
            continue
        elif inside_name or (_letters(word.form) >= shortest and stem(word.form) not in VAGUE_STEMS):
            parts = tuple(key_of(f) for f in groups.get(word.form, ()) if f not in given and f not in FUNCTION_WORDS)
            yield from _keyed("name" if inside_name else "word", word, parts)


def _letters(form: str) -> int:
    """How many letters a word has, which in Korean are written together."""
    return len(form if form.isascii() else unicodedata.normalize("NFD", form))


def _keyed(kind: str, word: Word, parts: tuple[str, ...]) -> Iterator[Specific]:
    """The specific of one word; a single letter counts only together with others, as initials."""
    if len(word.form) > 1 and not word.form.isdigit():
        yield Specific(kind, word.shown, key_of(word.form), parts)


def key_of(form: str) -> str:
    return root(form) if len(form) >= 4 else form


def phrase_of(plain: str) -> str:
    return " ".join(re.findall(r"\w+", plain.casefold()))


@lru_cache(maxsize=8192)
def names_of_place(name: str) -> frozenset[str]:
    """What a country, language, weekday or city is called anywhere; empty where `name` is none of these."""
    return names_elsewhere(name) | cities_elsewhere(name)


def names_any(text: Text, names: Collection[str], capital: bool = True) -> bool:
    """Whether a text has one of these folded names; with a `capital`: "Nice" and not "nice"."""
    plain = text.plain.casefold()
    for name in names:
        if not name.isascii():
            if (name if len(name) < 5 else name[:-1]) in plain:  # Москва, в Москве
                return True
        elif name in text.forms or name in text.stems or (" " in name and f" {name} " in text.phrase):
            written = text.plain[:1].isupper() and not is_common(name)  # Island, and not an island
            if not capital or name.split()[0] in text.capitals or written:
                return True
    return False
