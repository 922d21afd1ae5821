"""Names that every language has its own word for: months, weekdays, countries, capitals and other large cities.

The names are Unicode's (CLDR), by the package Babel, which comes with them. Cities are those that a time zone is named
after: capitals and the largest ones.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from relearn_lite.text.stems import fold

LANGUAGES = "en de fr es it pt nl sv da pl cs hu ro ru uk el tr ar he hi zh ja ko".split()
MONTHS = "january february march april may june july august september october november december".split()
_SHORT_MONTHS = {m[:3]: n for n, m in enumerate(MONTHS, 1)} | {"sept": 9}
# Words that are a month only beside a number or, in the middle of a sentence, with a capital.
_AMBIGUOUS = {"may", "march", "mar", "jan", "jun", "sep", "dec"}
_ONLY_BESIDE_NUMBER = {"mars", "mart", "listopad"}
_YEAR_FIRST = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_YEAR_LAST = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})\b")
_MONTH_AND_YEAR = re.compile(r"(?<![\d/.-])(0?[1-9]|1[0-2])[/.-](\d{4}|\d{2})\b(?![/.-]?\d)")
_MONTH_SIGN = re.compile(r"(?<!\d)(\d{1,2})\s*[月월]")
_WORD = re.compile(r"[^\W\d_]{3,}")


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
        found.update(int(n) for n, year in _MONTH_AND_YEAR.findall(text) if len(year) == 4 or int(n) <= 12)
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


def names_elsewhere(name: str) -> frozenset[str]:
    """All names, folded and in lower case, of the country, city or weekday that `name` is; empty where it is none."""
    known = _known()
    return frozenset(other for code in known[0].get(fold(name).casefold(), ()) for other in known[1][code])


@cache
def _known() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Codes by name, and names by code."""
    codes, names = defaultdict(set), defaultdict(set)
    for code, name in _all_names():
        for each in {name, name.removeprefix("Le ").removeprefix("ال")}:
            word = fold(each).casefold()
            if len(word) >= (3 if word.isascii() else 2):
                codes[word].add(code)
                names[code].add(word)
    return dict(codes), dict(names)


def _all_names() -> Iterator[tuple[str, str]]:
    from babel import Locale

    for language in LANGUAGES:
        locale = Locale.parse(language)
        yield from ((code, name) for code, name in locale.territories.items() if len(code) == 2 and code.isalpha())
        yield from ((f"day {n}", name) for n, name in locale.days["format"]["wide"].items())
        for zone, told in locale.time_zones.items():
            if told.get("city"):
                yield zone, told["city"]
                yield zone, zone.rpartition("/")[2].replace("_", " ")  # the English name, which CLDR leaves out
