"""Words and sentences of a text in any script, without data files or models.

Three kinds of script are kept apart, because the same rule does not find words in all of them: `latin`, `spaced`
(Cyrillic, Greek, Arabic, Hebrew, Devanagari, Hangul ...: words stand between spaces) and `unspaced` (Han, Kana, Thai,
Lao, Khmer, Burmese: no spaces, so a character stands for a word). The package regex knows the script of a character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

import regex

# Sets of characters, in the notation of regex.V1: && is what both have, -- is what the second does not have.
_LETTER = r"[\p{L}\p{N}]"
_KANA = r"\p{scx=Hira}\p{scx=Kana}"  # with the long mark, which both share
_UNSPACED = rf"[{_LETTER}&&[\p{{scx=Han}}{_KANA}\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}\p{{Tibetan}}\p{{Yi}}]]"
_WORD = rf"[{_LETTER}--{_UNSPACED}]"
_SPACED = rf"[{_WORD}--[\p{{Nd}}\p{{Latin}}\p{{Common}}]]"

_UNSPACED_RUN = rf"(?P<unspaced>{_UNSPACED}[{_UNSPACED}\p{{M}}]*)"
_SPACED_RUN = rf"(?P<spaced>{_SPACED}[{_SPACED}\p{{M}}]*)"
# Signs inside a word: between letters or digits (Yun-Hwa, author's, berg@mail), or between digits (05/11/1991, 3.5).
_SIGN = rf"[-'’@_](?={_WORD})|(?<=\d)[.,:/](?=\d)"
_RUN = regex.compile(rf"{_UNSPACED_RUN}|{_SPACED_RUN}|(?P<latin>[^{_UNSPACED}{_SPACED}]+)", regex.V1)
_TOKEN = regex.compile(rf"{_UNSPACED_RUN}|(?P<word>{_WORD}(?:{_WORD}|\p{{M}}|{_SIGN})*)", regex.V1)
_KINDS = {"mark": r"\p{M}", "digit": r"\p{Nd}", "unspaced": _UNSPACED, "spaced": _SPACED, "latin": _LETTER}
_KIND = regex.compile("|".join(f"(?P<{kind}>{chars})" for kind, chars in _KINDS.items()), regex.V1)

SENTENCE_END = regex.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？])")
ABBREVIATIONS = frozenset("mr mrs ms dr prof st jr sr vs etc inc ltd co e.g i.e u.s u.k no vol p pp approx".split())


@cache
def script(char: str) -> str:
    """`latin`, `spaced`, `unspaced`, `digit`, `mark` (belongs to the letter before it) or `` (ends a word)."""
    kind = _KIND.match(char)
    return kind.lastgroup if kind else ""


def tidied(text: str) -> str:
    """A text without white space around it, and each letter in one sign where there is one, as models write them."""
    return unicodedata.normalize("NFC", text.strip())


def as_words(text: str) -> str:
    """A pattern that finds a text as whole words; where no spaces stand between words, anywhere."""
    before = "" if script(text[0]) == "unspaced" else r"(?<!\w)"
    after = "" if script(text[-1]) == "unspaced" else r"(?!\w)"
    return f"{before}{re.escape(text)}{after}"


def glue(text: str) -> str:
    """What joins the words of a text: a space, or nothing where most of it is in a script without spaces."""
    signs = [char for char in text if not char.isspace()]
    return "" if sum(script(char) == "unspaced" for char in signs) > len(signs) / 2 else " "


def script_runs(text: str) -> Iterator[tuple[str, str]]:
    """Cuts a text into (kind, run): words of `spaced` and runs of `unspaced` scripts, and all between as `latin`."""
    for run in _RUN.finditer(text):
        yield run.lastgroup, run[0]


def words(text: str) -> list[str]:
    """The words of a text in their order and with their capitals; runs of an unspaced script become character pairs.

    Signs that join letters (Yun-Hwa, author's) or digits (05/11/1991, 1,200) stay inside their word.
    """
    found: list[str] = []
    for token in _TOKEN.finditer(text):
        run = token[0]
        if token.lastgroup == "unspaced":
            found += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
        else:
            found.append(run)
    return found


def sentences(text: str) -> list[str]:
    """Splits at a full stop, question or exclamation mark before a space, but not after `dr.` or an initial, nor after
    `p.m.` where a small letter follows."""
    parts: list[str] = []
    start = 0
    for end in SENTENCE_END.finditer(text):
        if not _abbreviated(text[start : end.start()], text[end.end() : end.end() + 1]):
            parts.append(text[start : end.end()])
            start = end.end()
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _abbreviated(before: str, after: str) -> bool:
    tokens = before.split()
    word = tokens[-1].lower().lstrip("(\"'") if tokens else ""
    known = word[:-1] in ABBREVIATIONS or (len(word) == 2 and word[0].isalpha()) or "." in word[:-1] and after.islower()
    return word.endswith(".") and known
