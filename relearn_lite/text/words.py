"""Words of a text in any script, without data files or models.

Three kinds of script are told apart, because the same rule does not find words in all of them: `latin`, `spaced`
(Cyrillic, Greek, Arabic, Hebrew, Devanagari, Hangul ...: words stand between spaces) and `unspaced` (Han, Kana, Thai,
Lao, Khmer, Burmese: no spaces, so a character stands for a word).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby

UNSPACED_NAMES = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "YI ")
LATIN_NAMES = ("LATIN", "FULLWIDTH LATIN", "MODIFIER LETTER")
JOINS_LETTERS = "-'’@_"  # between letters or digits: Yun-Hwa, author's, berg@mail
JOINS_DIGITS = ".,:/"  # between digits only: 05/11/1991, 1,200, 3.5; elsewhere they end a word
SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？])")
ABBREVIATIONS = frozenset("mr mrs ms dr prof st jr sr vs etc inc ltd co e.g i.e u.s u.k no vol p pp".split())


@cache
def script(char: str) -> str:
    """`latin`, `spaced`, `unspaced`, `digit`, `mark` (belongs to the letter before it) or `` (ends a word)."""
    kind = unicodedata.category(char)
    if kind[0] == "M":
        return "mark"
    if kind == "Nd":
        return "digit"
    if kind[0] not in "LN":
        return ""
    name = unicodedata.name(char, "")
    if ord(char) < 0x250 or name.startswith(LATIN_NAMES):
        return "latin"
    return "unspaced" if name.startswith(UNSPACED_NAMES) else "spaced"


def glue(text: str) -> str:
    """What joins the words of a text: a space, or nothing where most of it is in a script without spaces."""
    signs = [char for char in text if not char.isspace()]
    return "" if sum(script(char) == "unspaced" for char in signs) > len(signs) / 2 else " "


def script_runs(text: str) -> Iterator[tuple[str, str]]:
    """Cuts a text into (kind, run): words of `spaced` and runs of `unspaced` scripts, and all between as `latin`."""
    if text.isascii():
        yield "latin", text
        return
    kinds, last = [], "latin"
    for char in text:
        kind = script(char)
        if kind != "mark" or last == "latin":
            last = kind if kind in ("spaced", "unspaced") else "latin"
        kinds.append(last)
    for kind, run in groupby(zip(kinds, text, strict=True), key=lambda pair: pair[0]):
        yield kind, "".join(char for _, char in run)


def words(text: str) -> list[str]:
    """The words of a text in their order and with their capitals; runs of an unspaced script become character pairs.

    Signs that join letters (Yun-Hwa, author's) or digits (05/11/1991, 1,200) stay inside their word.
    """
    found: list[str] = []
    for kind, run in _word_runs(text):
        if kind == "unspaced":
            found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
        else:
            found.append(run)
    return found


def sentences(text: str) -> list[str]:
    """Splits at a full stop, question or exclamation mark before a space, but not after `dr.` or an initial."""
    parts: list[str] = []
    start = 0
    for end in SENTENCE_END.finditer(text):
        if not _abbreviated(text[start : end.start()]):
            parts.append(text[start : end.end()])
            start = end.end()
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _abbreviated(before: str) -> bool:
    tokens = before.split()
    word = tokens[-1].lower().lstrip("(\"'") if tokens else ""
    return word.endswith(".") and (word[:-1] in ABBREVIATIONS or (len(word) == 2 and word[0].isalpha()))


def _word_runs(text: str) -> Iterator[tuple[str, str]]:
    run, kind = "", ""
    for i, char in enumerate(text):
        of = _kind_in_word(text, i, kind)
        if of != kind and run:
            yield kind, run
            run = ""
        kind = of
        run += char if of else ""
    if run:
        yield kind, run


def _kind_in_word(text: str, i: int, kind: str) -> str:
    """The kind of run that character `i` belongs to, given the kind of the run before it; `` for none."""
    of = script(text[i])
    if of == "mark":
        return kind
    if of:
        return "unspaced" if of == "unspaced" else "word"
    if kind != "word" or i + 1 == len(text) or script(text[i + 1]) not in ("latin", "spaced", "digit"):
        return ""
    between_digits = text[i - 1].isdigit() and text[i + 1].isdigit()
    return "word" if text[i] in JOINS_LETTERS or (text[i] in JOINS_DIGITS and between_digits) else ""
