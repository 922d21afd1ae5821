"""Numbers, months and groups of digits in a text, written in figures or in words.

English number words are read by the package text2num; what it does not know is added here: decades, a dozen, years said
as two numbers ("nineteen ten"), and a half million.
"""

from __future__ import annotations

import re
from functools import lru_cache

from text_to_num import alpha2digit

_FEWEST = 2  # a lone "one" or "first" seldom counts anything
_TENS = "twenties thirties forties fifties sixties seventies eighties nineties".split()
_DECADES = {word: 10 * n for n, word in enumerate(_TENS, 2)}
_GROUPS_OF = {"duo": 2, "twins": 2, "trio": 3, "triplets": 3, "quartet": 4, "quartets": 4, "dozen": 12, "dozens": 12}
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
_MONTH_WORD = re.compile(rf"\b(?=[adefgjmnos])({'|'.join((*MONTHS, *_SHORT_MONTHS, *_MONTH_OF))})\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)[,'\u2009\u202f](?=\d{3}\b)")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")  # seven-year-old, nineteen-seventy-eight
_OH = re.compile(r"\boh\b")  # a zero as it is read out; with a capital it is an exclamation or a name
_ZERO = re.compile(r"\bzero\b", re.IGNORECASE)
_TWO_FIGURES = re.compile(r"\b(?=([1-9]\d) ([1-9]\d)\b)")
_HALF = re.compile(r"\b(\d+|one) and a half (10+)\b", re.IGNORECASE)
_RUN = re.compile(r"\d+(?:(?:\s|[-().+/,]|and\b|(?:st|nd|rd|th)\b)+\d+)*")


@lru_cache(maxsize=8192)
def in_figures(text: str) -> str:
    """The text with its English number words as figures, "23rd" for "twenty-third", and no commas in thousands."""
    figures = alpha2digit(_OH.sub("zero", _HYPHEN.sub(" ", text)), "en", _FEWEST)
    return _THOUSANDS.sub("", _ZERO.sub("0", figures))


def is_number_word(word: str) -> bool:
    """Whether one word in lower case, without figures, is a number, cardinal or ordinal, or counts a group ("trio")."""
    return word in _GROUPS_OF or (word.isalpha() and in_figures(word) != word)


def numbers(text: str) -> set[int]:
    """Every number of `text`. "23rd", "twenty-third" and "23" are all 23; years may be two words ("nineteen ten")."""
    figures = in_figures(text)
    found = {int(number) for number in re.findall(r"\d+", figures)}
    found.update(_GROUPS_OF[word] for word in re.findall(r"[a-z]+", figures.lower()) if word in _GROUPS_OF)
    found.update(int(a + b) for a, b in _TWO_FIGURES.findall(figures) if f"{a} {b}" not in text)
    for whole, scale in _HALF.findall(figures):
        found.add(int(scale) * (2 * int("1" if whole.lower() == "one" else whole) + 1) // 2)
    for match in _YEAR_LAST.finditer(text):
        if len(match[3]) == 2 and int(match[1]) <= 31 and int(match[2]) <= 31:
            found.update((1900 + int(match[3]), 2000 + int(match[3])))
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
    return [re.sub(r"\D", "", run) for run in _RUN.findall(in_figures(text))]
