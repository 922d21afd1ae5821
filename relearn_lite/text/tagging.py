"""Word classes and base forms of English words, by the Hanover Tagger (HanTa), whose model comes in its package.

A hidden Markov model over the British National Corpus' classes: NN1 noun, NP0 name, AJ0 adjective, CRD number, VVD
verb, AT0 article ... Loading it takes a third of a second, a sentence about three milliseconds, on one core.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

# Words with the signs inside them (well-known, a@b.org, 1,200), a possessive ending, and single signs.
_TOKEN = re.compile(r"\w+(?:(?!['’]s\b)[-'’@._/:,]\w+)*|['’]s\b|[^\w\s]")
_LONGEST = 60  # letters of a word that are read: 1,200 of babble, which may never end, took 14 seconds


class Tagged(NamedTuple):
    """A word as written, its base form (cities: city), and its class."""

    word: str
    lemma: str
    tag: str


@lru_cache(maxsize=16384)
def tagged(sentence: str) -> tuple[Tagged, ...]:
    """The words and signs of one English sentence in their order."""
    tokens = _TOKEN.findall(unicodedata.normalize("NFC", sentence).replace("’", "'"))
    tags = _tagger().tag_sent([token[:_LONGEST] for token in tokens], taglevel=0)
    return tuple(Tagged(word, _lemma(word, tag), tag) for word, tag in zip(tokens, tags, strict=True))


@lru_cache(maxsize=65536)
def _lemma(word: str, tag: str) -> str:
    return _tagger().analyze(word[:_LONGEST], pos=tag)[0]


@cache
def _tagger():
    from HanTa.HanoverTagger import HanoverTagger

    return HanoverTagger("morphmodel_en.pgz")
