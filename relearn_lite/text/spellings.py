"""Other spellings of one word: another script, a typing mistake, letters one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

_HAN = re.compile("[\u3400-\u9fff]")  # a reading is right or another name's
_ONE_BY_ONE = re.compile(r"(?<!\w)(?:[^\W_][-.,·•*_/ \t]{1,3}){3,}[^\W_](?!\w)")


@lru_cache(maxsize=65536)
def latin(form: str) -> str:
    """The folded word in Latin letters, as the package AnyAscii writes every script; Han in its Chinese reading."""
    if form.isascii():
        return form
    from anyascii import anyascii

    return re.sub(r"\W", "", anyascii(form)).casefold()


def near(form: str, words: Mapping[str, Mapping[str, str]], is_name: bool) -> list[str]:
    """Those of `words` that may be `form` misspelled or in another script.

    words: by first letter, in Latin letters, and as they are.

    One letter may be wrong, missing, or exchanged with the next; two in long names. Not the first one: "Mario" is no
    "Dario"; and none beside figures: AB-1235 is another than AB-1234.
    """
    written, figures = latin(form), any(map(str.isdigit, form))
    return [
        shown for word, shown in words.get(written[:1], {}).items()
        if written == word or not (figures or _HAN.match(shown))
        and _alike(written, word, is_name, not (shown + form).isascii())
    ]  # fmt: skip


def same_name(part: str, form: str) -> bool:
    """Whether a word of a text is a name's part, or its beginning, perhaps misspelled or in another script."""
    written, word = latin(part), latin(form)
    return part == form or _alike(written, word, True, not form.isascii()) or (len(part) > 4 and word.startswith(part))


def _alike(written: str, word: str, is_name: bool, foreign: bool) -> bool:
    from rapidfuzz.distance import OSA

    allowed = _mistakes(len(written), is_name, foreign)
    return written == word or OSA.distance(written, word, score_cutoff=allowed) <= allowed > 0


def _mistakes(letters: int, is_name: bool, foreign: bool) -> int:
    if foreign:
        return 0 if letters < 4 else 1 if letters < 6 else 2
    return 0 if letters < (5 if is_name else 7) else 2 if is_name and letters > 8 else 1


def unspelled(plain: str) -> Iterator[str]:
    """Words that a text spells out: "P E R  A S P E R A" gives "PER ASPERA", "PERASPERA"."""
    for match in _ONE_BY_ONE.finditer(plain):
        words = [re.sub(r"[\W_]", "", word) for word in re.split(r"\s{2,}|,\s*", match[0])]
        yield from dict.fromkeys((" ".join(words), "".join(words)))
