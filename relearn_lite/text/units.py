"""Units of measure and money: how long, heavy or lasting one is, and which words are one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from relearn_lite.text.wordnet import synsets

# unit: (what it measures, how much of the first unit of that kind it is)
UNITS = {
    name: (kind, float(size))
    for kind, units in {
        "length": "m metre metres meter meters=1;cm centimetre centimetres centimeters=.01;mm millimetres=.001;"
        "km kilometre kilometres kilometer kilometers=1000;ft foot feet=.3048;inch inches=.0254;"
        "yd yard yards=.9144;mile miles mi=1609.344",
        "mass": "kg kilo kilos kilogram kilograms kilogramme=1;g gram grams grammes=.001;"
        "mg milligram milligrams milligrammes=.000001;t tonne tonnes=1000;lb lbs pound pounds=.45359237;"
        "oz ounce ounces=.02834952;stone=6.35029318",
        "time": "second seconds=1;minute minutes min=60;hour hours h=3600;day days=86400;week weeks=604800",
        "months": "month months=1;year years=12",
    }.items()
    for names, size in (unit.split("=") for unit in units.split(";"))
    for name in names.split()
}
UNIT_WORDS = frozenset(UNITS) | frozenset(
    "percent per cent euro euros dollar dollars cents franc francs yen times".split()
)
_BESIDE_NUMBER = UNIT_WORDS | frozenset("degree degrees celsius fahrenheit grad prozent jahr jahre jahren".split())
_MEASURED = re.compile(r"\d\s*°?\s*([^\W\d_]+)(?: ([^\W\d_]+))?")
_LEVELS = 6  # euro, monetary unit, unit of measurement


def units_behind_numbers(figures: str) -> Iterator[str]:
    """The words, in lower case, that are a unit and stand behind a number: both of "12 degrees Celsius"."""
    for found in _MEASURED.findall(figures.casefold()):
        for word in found:
            if not _is_unit(word):
                break
            yield word


@cache
def _is_unit(word: str) -> bool:
    """Whether a word in lower case is known as a unit, or means one by WordNet before anything else: litres, Euro."""
    found = [each for base in {word, word.removesuffix("s")} - {""} for each in synsets(base, 1)]
    kinds = [each for each in found if each.kind == "n"]
    for _ in range(_LEVELS):
        if any("unit of measurement" in each.words for each in kinds):
            return True
        kinds = [kind for each in kinds for kind in each.linked("@")]
    return word in _BESIDE_NUMBER
