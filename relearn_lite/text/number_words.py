"""Numbers, clock times, quantities and groups of digits in a text, written in figures or in words.

Number words are read by the package text2num: English, and in texts that are not English also German, French, Spanish,
Italian, Portuguese and Dutch. What it does not know is added here: a dozen, years said as two numbers ("nineteen ten"),
halves, clock times, thousands and millions behind a figure ("415k", "2.3 billion"), Chinese and Japanese numerals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

from text_to_num import alpha2digit

from relearn_lite.text.known_names import DAY_AND_MONTH
from relearn_lite.text.numerals import HAN_NUMBER, LONGEST_READ_OUT, han_numbers, roman_numbers
from relearn_lite.text.stems import fold
from relearn_lite.text.units import UNIT_WORDS, UNITS

_FEWEST = 2  # a lone "one" or "first" seldom counts anything
_SPOKEN = "de fr es it pt nl sv da no fi is pl cs sk sl sr ru uk lt lv hu ro tr id vi ar he".split()
_OTHER_WORDS = frozenset("fire elle".split())  # numbers elsewhere
_OTHER_LANGUAGES = ("de", "fr", "es", "it", "pt", "nl")
# Words of English texts that the other languages do not have; one of them, and only English number words are read:
# "once" is eleven in Spanish, "elf" in German.
_ENGLISH = re.compile(
    r"\b(?:the|of|and|is|to|that|with|she|they|are|this|by|it's|what|where|who|when|which|why|does|did|have|from|his)\b",
    re.IGNORECASE,
)
_TENS = "twenties thirties forties fifties sixties seventies eighties nineties".split()
_DECADES = {word: 10 * n for n, word in enumerate(_TENS, 2)}
_GROUPS_OF = {"duo": 2, "twins": 2, "trio": 3, "triplets": 3, "quartet": 4, "quartets": 4, "dozen": 12, "dozens": 12}

_MAGNITUDES = {
    "k": 3, "thousand": 3, "grand": 3, "tsd": 3, "1000": 3, "million": 6, "millionen": 6, "millions": 6, "mio": 6,
    "millones": 6, "milioni": 6, "mn": 6, "mln": 6, "1000000": 6, "billion": 9, "bn": 9, "milliarden": 9, "mrd": 9,
    "milliards": 9, "miliardi": 9, "1000000000": 9,
}  # fmt: skip
_PEOPLE = frozenset(
    """child children daughters girls sons boys kids brothers sisters siblings people persons men women patients members
    employees workers staff jobs posts participants inhabitants residents""".split()
)

_NO_NUMBER = re.compile(r"\b[A-Z][a-z]+(?: [A-Z][a-z]+)+\b|\b(?i:none?)\b")  # text2num: Milo is 1000, non is 9
_FRACTION = r"(?<![\d.,])[1-9]\d{0,2}(?:[.,'\u2009\u202f ]\d{3})+(?![\d])(?:[.,]\d+)?|\d+[.,]\d+(?![.,/-]?\d)|\d+"
_NUMBER = re.compile(rf"({_FRACTION})(?: ?([A-Za-z]+|10+)\b)?(?:[ -]([A-Za-z]+))?")
_THOUSANDS = re.compile(r"(?<=\d)[.,'\u2009\u202f ](?=\d{3}(?!\d))")
_DATE = re.compile(r"(?<![\d.])(?<!\d[-/])\d{1,4}([-/.])\d{1,2}\1\d{2,4}(?![\d.]|[-/]\d)")
_TWO_DIGIT_YEAR = re.compile(r"(?:\b[0-3]?\d[-/.][0-3]?\d[-/.]|(?<![\d/.-])[01]?\d/|')(\d\d)\b(?![-/.:]?\d)")
_THOUSANDS_COMMA = re.compile(r"(?<=\d)[,'\u2009\u202f](?=\d{3}\b)")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")  # seven-year-old, nineteen-seventy-eight
_OH = re.compile(r"\boh\b")  # a zero as it is read out; with a capital it is an exclamation or a name
_ZERO = re.compile(r"\bzero\b", re.IGNORECASE)
_TWO_FIGURES = re.compile(r"\b(?=([1-9]\d) ([1-9]\d)\b)")
# "$2m", "2M", "2m people", but "2 m" long
_MILLIONS = re.compile(
    r"([$£€¥]\s?\d+(?:[.,]\d+)?(?=\s?[mM]\b)|\d+(?:[.,]\d+)?(?=\s?M\b|\s?m (?:people|inhabitants|residents|users"
    r"|dollars|euros|pounds|francs)\b))\s?[mM]\b"
)
_HALF = re.compile(
    r"\b(\d+|one|an?) and a (half|quarter)\b(?: (10+)\b)?|\b(half|quarter)(?: of)? an? (10+)\b", re.IGNORECASE
)
_AND_A_HALF = re.compile(r"\b(\d+|one|an?) (\w+) and a half\b", re.IGNORECASE)  # a year and a half
_NOON = re.compile(r"\b(?:noon|midday)\b", re.IGNORECASE)
_PARTS = {"half": 0.5, "quarter": 0.25}
_DOZENS = re.compile(r"\b(\d+) dozen\b")
_RUN = re.compile(r"\d+(?:(?:\s|[-().+/,]|and\b|(?:st|nd|rd|th)\b)+\d+)*")
_SPOKEN_SIGN = re.compile(r"(?<=\d) (?:dot|point|dash|slash) (?=\d)")
# Heights as they are said: "one metre ninety-three", "6'4\"", "six foot four".
_METRES = re.compile(r"(?i)\b(?:1|one|ein|een|uno?) ?(?:m|met(?:er|re)|metro) ?(\d\d)\b(?! ?c?m\b)")
_FEET = re.compile(
    r"\b(\d|four|five|six|seven) ?(?:'|ft|foot|feet) ?(\d\d?|one|two|three|four|five|six|seven|eight|nine|ten|"
    r"eleven)\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\b([01]?\d|2[0-4])(?:[:h]([0-5]\d)|\.([0-5]\d) ?[ap]\.?m\b| ?(?:a\.?m|p\.?m|o'clock)\b)", re.IGNORECASE
)
_CLOCK_WORDS = re.compile(r"\b(half|quarter|\d{1,2})(?: minutes)? (past|to) ([1-9]|1[0-2]|one)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Number:
    """A number of a text: all `readings` of how it is written ("48.200" is 48200 or 48.2), `shown` as it stands there.

    quantity: what it measures and how much of it, where a unit stands behind it. noun: the word of what is counted, in
    lower case; empty where none follows.
    """

    readings: frozenset[str]
    shown: str
    quantity: tuple[str, tuple[float, ...]] | None = None
    noun: str = ""

    def same(self, other: Number) -> bool:
        """Whether both are one number in one role: 1.80 m and 180 cm are, 92 people and 92 pounds are not."""
        one, two = self.quantity, other.quantity
        if one and two:
            return one[0] == two[0] and any(abs(a - b) <= 0.005 * max(a, b) for a in one[1] for b in two[1])
        return not self.readings.isdisjoint(other.readings) and not self._counts_other(other)

    def _counts_other(self, other: Number) -> bool:
        """Small and round numbers are met by chance: they must not count other things ("two witnesses")."""
        if not any(len(r.strip("0")) < 2 or len(r) < 3 for r in self.readings & other.readings):
            return False
        mine, theirs = self.noun, other.noun
        if not _counted(theirs) or (mine in _PEOPLE and theirs in _PEOPLE):
            return False
        return mine != theirs if _counted(mine) else mine in UNIT_WORDS


def _counted(noun: str) -> bool:
    return noun in _PEOPLE or (len(noun) > 3 and noun.endswith("s") and noun not in UNIT_WORDS)


@lru_cache(maxsize=8192)
def in_figures(text: str) -> str:
    """The text with its English number words as figures, "23rd" for "twenty-third", and no commas in thousands."""
    figures = alpha2digit(_OH.sub("zero", _HYPHEN.sub(" ", text)), "en", _FEWEST)
    return _THOUSANDS_COMMA.sub("", _ZERO.sub("0", figures))


def has_english_word(text: str) -> bool:
    """Whether a text has a function word that only English has; one is enough, unlike `stop_words.is_english`."""
    return _ENGLISH.search(text) is not None


def _figures_in_any_language(text: str) -> str:
    """In the language that leaves the fewest letters: the one whose number words these are."""
    if has_english_word(text):
        return in_figures(text)
    text = _NO_NUMBER.sub(" ", text)
    ways = [in_figures(text), *(alpha2digit(text, language, _FEWEST) for language in _OTHER_LANGUAGES)]
    return min(ways, key=lambda figures: sum(map(str.isalpha, figures)))


def is_number_word(word: str) -> bool:
    """Whether one word in lower case, without figures, is a number, cardinal or ordinal, or counts a group ("trio")."""
    apart = re.sub(r"(?<=ty)(?=[a-z])", " ", word)  # "fortyseven", as words with a hyphen are also read
    known = word in _GROUPS_OF or HAN_NUMBER.fullmatch(word)
    return bool(known) or (word.isalpha() and in_figures(apart) != apart)


def numbers(text: str) -> list[Number]:
    """Every number of `text`. "23rd", "twenty-third" and "23" are all 23; years may be two words ("nineteen ten")."""
    found = list(_in(_figures_in_any_language(_MILLIONS.sub(r"\1 million", text))))
    years = _TWO_DIGIT_YEAR.findall(text)
    found += [Number(frozenset({f"19{year}", f"20{year}"}), f"'{year}") for year in years]
    found += [Number(frozenset({day.lstrip("0")}), day) for day, _ in DAY_AND_MONTH.findall(text)]
    extra = [*_added(text, in_figures(text)), *han_numbers(text), *roman_numbers(text)]
    found += [Number(frozenset({str(value)}), str(value)) for value in extra]
    return list(dict.fromkeys(found))


def clock_times(text: str) -> set[str]:
    """Times of day, of twelve hours: "14:30", "2.30 pm" and "half past two" are 2:30."""
    figures = in_figures(text)
    found = {f"{int(hour) % 12}:{one or two or '00'}" for hour, one, two in _CLOCK.findall(text)}
    found |= {"0:00"} if _NOON.search(text) else set()
    for minutes, way, hour in _CLOCK_WORDS.findall(figures):
        past = {"half": 30, "quarter": 15}.get(minutes.lower()) or int(minutes) % 60
        whole = 60 * (1 if hour.lower() == "one" else int(hour)) + (past if way.lower() == "past" else -past)
        found.add(f"{whole // 60 % 12}:{whole % 60:02d}")
    return found


def _in(figures: str) -> Iterator[Number]:
    figures = _METRES.sub(r"1.\1 m", _FEET.sub(_feet, _AND_A_HALF.sub(_and_a_half, figures)))
    dates = _DATE.sub(lambda date: re.sub(r"\D", " | ", date[0]), _CLOCK.sub(" ", figures))
    last, end, joined = None, 0, False
    for match in _NUMBER.finditer(dates):
        written, first, second = match[1], (match[2] or ""), (match[3] or "").lower()
        magnitude = _MAGNITUDES.get(first.lower())
        unit = second if magnitude else first.lower()
        values = list(_values(written, magnitude or 0))
        values += [v.partition(".")[0] for v in values if "." in v and float(v) >= 100]  # 1,234.50 without its cents
        kind = UNITS.get(unit)
        quantity = (kind[0], tuple(kind[1] * float(value) for value in values)) if kind else None
        noun = next(filter(_counted, (unit, second)), unit)
        number = Number(frozenset(values), written + (f" {first}" if magnitude else ""), quantity, noun)
        yield number
        if last and joined and not dates[end : match.start()].strip(" ,"):
            yield from _sum(last, number)
        last, end, joined = number, match.end(), second in ("", "and")


def _sum(one: Number, two: Number) -> Iterator[Number]:
    """26 miles and 385 yards; two sons and two daughters."""
    if one.quantity and two.quantity and one.quantity[0] == two.quantity[0]:
        sums = tuple(a + b for a in one.quantity[1] for b in two.quantity[1])
        yield Number(frozenset(), f"{one.shown} and {two.shown}", (one.quantity[0], sums))
    if one.noun in _PEOPLE and two.noun in _PEOPLE and one.shown.isdigit() and two.shown.isdigit():
        both = str(int(one.shown) + int(two.shown))
        yield Number(frozenset({both}), both, noun="people")


def _and_a_half(found: re.Match[str]) -> str:
    count, unit = found.groups()
    return f"{count if count.isdigit() else 1}.5 {unit}" if unit in UNITS else found[0]


def _feet(height: re.Match[str]) -> str:
    feet, inches = (alpha2digit(part, "en", 0) for part in height.groups())
    return f"{feet} ft {inches} inches"


def _values(written: str, magnitude: int) -> Iterator[str]:
    """"48.200" is read as 48200 and as 48.2, "2,5" as 2.5."""
    joined = _THOUSANDS.sub("", written)
    for digits in dict.fromkeys((joined, written)):
        if re.fullmatch(r"\d+(?:[.,]\d+)?", digits):
            long, point = len(digits) > 12, digits.replace(",", ".")  # an account: more than a float can hold
            yield point.lstrip("0") or "0" if long else f"{float(point) * 10**magnitude:.14g}"


def _added(text: str, figures: str) -> Iterator[int | float]:
    """What text2num does not read."""
    yield from (_GROUPS_OF[word] for word in re.findall(r"[a-z]+", figures.lower()) if word in _GROUPS_OF)
    yield from (12 * int(dozens) for dozens in _DOZENS.findall(figures))
    yield from (int(a + b) for a, b in _TWO_FIGURES.findall(figures) if f"{a} {b}" not in text)
    for whole, behind, scale, part, of in _HALF.findall(figures):
        value = (int(whole) if whole.isdigit() else len(whole) > 0) + _PARTS[(behind or part).lower()]
        yield int(value * int(scale or of)) if scale or of else value
    for run in _RUN.findall(figures):  # digits that are read out one by one
        parts = re.findall(r"\d+", run)
        if 2 < len(parts) <= LONGEST_READ_OUT and all(len(part) <= 2 for part in parts):
            yield int("".join(parts))


@lru_cache(maxsize=4096)
def in_words(digits: str) -> frozenset[str]:
    """A number in words of many languages, folded, in lower case; without short ones, which mean other things, too."""
    if not digits.isdigit() or len(digits) > 9:
        return frozenset()
    from num2words import num2words

    found = set()
    for language in _SPOKEN:
        for way in ("cardinal", *(("year",) if len(digits) == 4 else ())):
            with suppress(NotImplementedError, AttributeError, OverflowError):  # a language without years
                found.add(" ".join(re.findall(r"\w+", fold(num2words(int(digits), lang=language, to=way)).casefold())))
    return frozenset(words for words in found if len(words) > 3 and words not in _OTHER_WORDS)


def decades(text: str) -> set[int]:
    """Decades as the first year of each: "1970s", "the '70s" and "the seventies" all give 1970."""
    found = {int(d) for d in re.findall(r"\b([12]\d\d0)'?s\b", text)}
    found.update(1900 + int(d) for d in re.findall(r"(?<!\d)(\d0)'?s\b", text))
    words = re.findall(r"[a-z]+ies\b", text.lower())
    found.update(1900 + _DECADES[w] for w in words if w in _DECADES)
    return found


def phone_groups(text: str) -> set[str]:
    """The short groups of digits in long numbers such as +34 (958) 22-40-17: by themselves they tell nothing."""
    runs = (re.findall(r"\d+", run) for run in _RUN.findall(_DATE.sub(" ", text)) if "and" not in run)
    return {
        part for parts in runs if len(parts) > 2 or [*map(len, parts)] == [3, 4]
        for part in parts if len(part) < 4 < 7 <= len("".join(parts)) or len(part) == 4 < 10 <= len("".join(parts))
    }  # fmt: skip


def digit_runs(text: str) -> list[str]:
    """Digits that stand together however they are grouped: "+34 (958) 22-40" and "three four nine..." are one run."""
    twice = re.sub(r"\bdouble (\w+)|\b(?:thousand|million|billion)s?\b", r"\1 \1", text)  # "2.3 billion" is no run
    figures = _SPOKEN_SIGN.sub("-", _figures_in_any_language(twice))
    return [re.sub(r"\D", "", run) for run in _RUN.findall(figures)]
