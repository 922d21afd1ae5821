"""Proper names in a text, found by their capitals, and whether a name there is another one that shares a part."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache, lru_cache

import regex

from relearn_lite.text.spellings import latin, same_name
from relearn_lite.text.stems import folded_words, root
from relearn_lite.text.stop_words import STOP_WORDS

_PART = r"(?:(?:\p{Lu}\.)+|\p{Lu}[\p{L}\p{M}\d'’]*)"
_SHORT_FORM = regex.compile(r"\"\p{Lu}\p{L}+\"|\(\p{Lu}\p{L}+\)")  # William "Bill" McAllister
_BETWEEN = (
    rf"(?:[ \t]+|-)(?:(?:of|to|de|da|di|du|van|von|der|den|bin|al|el|la|le|the|{_SHORT_FORM.pattern})[ \t]+){{0,2}}"
)
_SPAN = regex.compile(rf"(?<!\w){_PART}(?:{_BETWEEN}{_PART})*")
_QUOTED = re.compile(r'"([^"]{2,80})"|(?<!\w)\'([^\']{2,80})\'(?!\w)')
HONORIFICS = frozenset(
    """mr mrs ms miss sir lady lord dame dr prof professor doctor count countess king queen prince princess saint st
    president inspector detective captain judge father mother uncle aunt herr frau monsieur madame senor senora signor
    jr sr ii iii""".split()
)
_PARTICLES = frozenset("of the de da di du del della dos das van von der den bin ibn al el la le y e".split())
# What may stand before a name at the beginning of a sentence; "it was" in other languages too.
_OPENERS = STOP_WORDS | frozenset(
    "maybe yes sure ok well sorry answer fact only author city town fue era es est etait war ist fu foi sono".split()
)


class Spans:
    """The names of a folded text: runs of words with capitals, and what stands in quotes.

    names: their words, folded. parts_of: for each such word the words of the longest name that it stands in; for a
    short form inside a name (William "Bill" McAllister) those of the name. Empty where the whole text is in capitals,
    or none of it.
    """

    def __init__(self, plain: str) -> None:
        self.names: list[tuple[str, ...]] = []
        short: dict[str, tuple[str, ...]] = {}
        if any(char.islower() for char in plain):
            spans = [match[0] for match in _SPAN.finditer(plain)]
            found = [_words(_SHORT_FORM.sub("", span), only_capitals=True) for span in spans]
            short = {form: name for name, span in zip(found, spans, strict=True) for form in _short_forms(span)}
            found += [_words(a or b) for a, b in _QUOTED.findall(plain)]
            self.names = list(filter(None, found))
        self.parts_of: dict[str, tuple[str, ...]] = {}
        for name in sorted(self.names, key=len):
            self.parts_of |= dict.fromkeys(name, name)
        self.parts_of |= short

    def names_another(self, form: str, parts: Collection[str], given: Collection[str]) -> bool:
        """Whether `form`, one of the `parts` (as keys) of a name, stands here only in names of others.

        That is where at most half of the parts stand beside it, and with them a word that is none of them, nor in the
        question (`given`), nor a title, nor short for a missing part.
        """
        around = [name for name in self.names if form in name]
        return len(parts) > 1 and bool(around) and all(_is_another(name, parts, given) for name in around)


def _is_another(name: tuple[str, ...], parts: Collection[str], given: Collection[str]) -> bool:
    known = {form: {p for p in parts if _same(p, form)} for form in name}
    missing = set(parts).difference(*known.values())
    strange = [f for f in name if not known[f] and f not in given and f not in HONORIFICS and f not in _PARTICLES]
    initials = "".join(part[:1] for part in parts if part in missing)  # JK for Joanne Kathleen
    short = any(form == initials or _short_for(form, missing) for form in strange)
    return 2 * len(missing) >= len(parts) and bool(strange) and not short


def _same(part: str, form: str) -> bool:
    """Also Bill and William."""
    return same_name(part, form) or same_name(part, root(form)) or any(n.startswith(part) for n in nicknames(form))


def _short_for(form: str, missing: Collection[str]) -> bool:
    """W. for Wolfgang, Lev for Leo."""
    return any(
        (len(form) == 1 and part.startswith(form)) or (len(form) > 2 and part[:2] == latin(form)[:2])
        for part in missing
    )  # fmt: skip


def _short_forms(span: str) -> tuple[str, ...]:
    return tuple(form for short in _SHORT_FORM.findall(span) for form in _words(short))


def _words(name: str, only_capitals: bool = False) -> tuple[str, ...]:
    words = [word.form for word in folded_words(name) if word.capital or not only_capitals]
    while words and (words[0] in _OPENERS or words[0].endswith("ly")):
        words = words[1:]
    return tuple(word for word in words if word not in STOP_WORDS)


@lru_cache(maxsize=8192)
def nicknames(name: str) -> frozenset[str]:
    """Short forms of an English first name and the names that it is short for, by the package nicknames."""
    namer = _namer()
    return frozenset(namer.nicknames_of(name)) | frozenset(namer.canonicals_of(name))


@cache
def _namer():
    from nicknames import NickNamer

    return NickNamer()
