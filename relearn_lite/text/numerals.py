"""Numbers in Roman and in Chinese and Japanese numerals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST_READ_OUT = 40  # digits one by one; more of them are babble
_ROMAN = re.compile(r"\b(?=[IVXLCDM]{3})(M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))\b")
_ROMAN_VALUES = dict(zip("IVXLCDM", (1, 5, 10, 50, 100, 500, 1000), strict=True))
HAN_NUMBER = re.compile("[〇一二三四五六七八九十百千万萬億亿两]+")
_ARTICLE = re.compile("是一(?=[名位个家种座])")
_HAN_MAGNITUDES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8}


def roman_numbers(text: str) -> Iterator[int]:
    """MCMXXVIII; fewer than three letters are mostly something else."""
    for numeral in _ROMAN.findall(text):
        if numeral:
            values = [_ROMAN_VALUES[letter] for letter in numeral]
            yield sum(-one if one < after else one for one, after in zip(values, [*values[1:], 0], strict=True))


def han_numbers(text: str) -> Iterator[int]:
    """一九八五, 三十五; not the 一 of 是一名, which is an article."""
    for run in (run for run in HAN_NUMBER.findall(_ARTICLE.sub("", text)) if len(run) <= LONGEST_READ_OUT):
        if not any(char in _HAN_MAGNITUDES for char in run):
            yield int("".join("2" if char == "两" else str(int(unicodedata.numeric(char))) for char in run))
            continue
        whole = part = digit = 0
        for char in run:
            size = _HAN_MAGNITUDES.get(char)
            if size is None:
                digit = 2 if char == "两" else int(unicodedata.numeric(char))
            elif size < 10**4:
                part, digit = part + (digit or 1) * size, 0
            else:
                whole, part, digit = whole + (part + digit or 1) * size, 0, 0
        yield whole + part + digit
