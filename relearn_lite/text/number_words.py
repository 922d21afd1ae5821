"""Numbers, months and digit groups that a text tells, in figures or in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()
_UNITS += ["seventeen", "eighteen", "nineteen"]
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
_CARDINALS = {word: n for n, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_DECADES = {word[:-1] + "ies": n for word, n in _CARDINALS.items() if word in _TENS}
_GROUPS_OF = {"duo": 2, "twins": 2, "trio": 3, "triplets": 3, "quartet": 4, "quartets": 4, "dozen": 12, "dozens": 12}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
MONTHS = "january february march april may june july august september october november december".split()
# French, Spanish, German, Italian, Portuguese and Dutch names, accents dropped, that are no English words.
_OTHER_MONTHS = """
janvier enero januar gennaio janeiro januari;fevrier febrero februar febbraio fevereiro februari;marzo marz maart;
avril abril aprile;mai mayo maggio maio mei;juin junio juni giugno junho;juillet julio juli luglio julho;
aout agosto augustus;septembre septiembre settembre setembro;octobre octubre oktober ottobre outubro;
novembre noviembre novembro;decembre diciembre dezember dicembre dezembro
"""
_MONTH_OF = {name: n for n, names in enumerate(_OTHER_MONTHS.split(";"), 1) for name in names.split()}
_SHORT_MONTHS = {m[:3]: n for n, m in enumerate(MONTHS, 1)} | {"sept": 9}
# Words that are a month only beside a number or, in the middle of a sentence, with a capital.
_AMBIGUOUS_MONTHS = {"may", "march", "mar", "jan", "jun", "sep", "dec"}

_YEAR_FIRST = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_YEAR_LAST = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})\b")
_MONTH_SIGN = re.compile(r"(?<!\d)(\d{1,2})\s*[月월]")
_HALF = re.compile(rf"\b({'|'.join((*_UNITS[1:], *_TENS))}) and a half ({'|'.join(_SCALES)})\b", re.IGNORECASE)
_MONTH_WORD = re.compile(rf"\b(?=[adefgjmnos])({'|'.join((*MONTHS, *_SHORT_MONTHS, *_MONTH_OF))})\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)[,'\u2009\u202f](?=\d{3}\b)")
_SEPARATORS = {"and", "st", "nd", "rd", "th", *"-().+/,"}
_PIECES = re.compile(r"\d+|[^\W\d_]+|[^\w\s]")


@lru_cache(maxsize=4096)
def word_value(word: str) -> int | None:
    """Value of one number word, cardinal or ordinal, in lower case. "one" and "first" have none: they seldom count."""
    if word in ("one", "first", "once"):
        return None
    if word in _ORDINALS:
        return _ORDINALS[word]
    if word in _GROUPS_OF:
        return _GROUPS_OF[word]
    base = word[:-4] + "y" if word.endswith("ieth") else word[:-2] if word.endswith("th") else word
    if base in _CARDINALS:
        return _CARDINALS[base]
    return _SCALES.get(base.rstrip("s"))


def numbers(text: str) -> set[int]:
    """Every number of `text`. "23rd", "twenty-third" and "23" are all 23; years may be two words ("nineteen ten")."""
    found: set[int] = set()
    for group in _groups(text):
        found.update(number.value for number in group)
        for a, b in pairwise(group):
            if a.spoken and b.spoken and 10 <= a.value <= 99 and 10 <= b.value <= 99:
                found.add(100 * a.value + b.value)
    for match in _YEAR_LAST.finditer(text):
        if len(match[3]) == 2 and int(match[1]) <= 31 and int(match[2]) <= 31:
            found.update((1900 + int(match[3]), 2000 + int(match[3])))
    for whole, scale in _HALF.findall(text) if " half " in text else ():
        found.add(_SCALES[scale.lower()] * (2 * _CARDINALS[whole.lower()] + 1) // 2)
    for short in re.findall(r"'(\d\d)\b", text):
        found.update((1900 + int(short), 2000 + int(short)))
    return found


def decades(text: str) -> set[int]:
    """Decades as the first year of each: "1970s", "the '70s" and "the seventies" all give 1970."""
    found = {int(d) for d in re.findall(r"\b([12]\d\d0)'?s\b", text)}
    found.update(1900 + int(d) for d in re.findall(r"(?<!\d)(\d0)'?s\b", text))
    words = re.findall(r"[a-z]+ies\b", text.lower())
    found.update(1900 + _DECADES[w] for w in words if w in _DECADES)
    return found


def months(text: str) -> set[int]:
    """Months 1 to 12, by name or in a numeric date. A date that can be read both ways gives both months."""
    found: set[int] = set()
    for match in _MONTH_WORD.finditer(text):
        word = match[0].lower()
        if word in _MONTH_OF:
            found.add(_MONTH_OF[word])
            continue
        before, after = text[: match.start()].rstrip("., ")[-6:], text[match.end() : match.end() + 6]
        beside = re.search(r"(?:\d(?:st|nd|rd|th)?|\b(?:of|in|since|until))$", before) or re.match(r"[.,]?\s*\d", after)
        if word not in _AMBIGUOUS_MONTHS or beside or (match[0][0].isupper() and before and before[-1] not in '.!?:"'):
            found.add(_SHORT_MONTHS[word[:3]])
    for match in _YEAR_LAST.finditer(text):
        found.update(n for n in (int(match[1]), int(match[2])) if 1 <= n <= 12)
    for match in _YEAR_FIRST.finditer(text):
        found.update(n for n in (int(match[2]), int(match[3])) if 1 <= n <= 12)
    found.update(int(n) for n in _MONTH_SIGN.findall(text))
    return found & set(range(1, 13))


def digit_runs(text: str) -> list[str]:
    """Digits that stand together however they are grouped: "+34 (958) 22-40" and "three four nine..." are one run."""
    return ["".join(number.digits for number in group) for group in _groups(text)]


@dataclass
class _Number:
    value: int
    digits: str
    spoken: bool


def _groups(text: str) -> list[list[_Number]]:
    """Numbers in reading order, grouped where nothing but spaces, separators or "and" stands between them."""
    groups: list[list[_Number]] = [[]]
    for piece in _PIECES.findall(_THOUSANDS.sub("", text)):
        last = groups[-1][-1] if groups[-1] else None
        number = _number(piece, after_spoken=last is not None and last.spoken)
        if number is None:
            if last and piece.lower() not in _SEPARATORS:
                groups.append([])
        elif not (last and last.spoken and number.spoken and _extend(last, number.value)):
            groups[-1].append(number)
    return [group for group in groups if group]


def _number(piece: str, after_spoken: bool) -> _Number | None:
    """The number that one piece of text is. "one" and "oh" are numbers only when read out after another."""
    if piece.isdigit():
        return _Number(int(piece), piece, spoken=False)
    word = piece.lower()
    value = {"one": 1, "oh": 0}[word] if after_spoken and word in ("one", "oh") else word_value(word)
    return None if value is None else _Number(value, str(value), spoken=True)


def _extend(last: _Number, value: int) -> bool:
    """Adds a spoken number to the one before it where English does: "seventy" + "eight", "two" + "thousand"."""
    tail = last.value % (1000 if value == 100 else 1000 * value)
    if value in _SCALES.values() and 0 < tail < value:
        joined = last.value - tail + tail * value
    elif value in _SCALES.values():
        return False
    elif last.value >= 20 and last.value % (100 if value >= 10 else 10) == 0 and value < 1000:
        joined = last.value + value
    else:
        return False
    last.value, last.digits = joined, str(joined)
    return True
