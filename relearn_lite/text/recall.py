"""How much of a text comes back in another one, word by word: ROUGE recall (Lin 2004), stemmed, by the rouge-score
package; n-grams of words; and whether the rest of a passage is known by heart."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import cache
from types import SimpleNamespace

from relearn_lite.text.words import script, script_runs

PARTS = ("rouge1", "rougeL")
CONTINUED = 0.5  # ROUGE-L recall of a passage's rest. Of unrelated English passages 1 in 100 reaches 0.21
KNOWN_NGRAM = 8  # words in a row by which a passage is known. Of unrelated passages 1 in 100 shares three
LEAKED_NGRAM = 5  # words in a row that give a piece of a text away


def rouge_recall(response: str, reference: str) -> dict[str, float | None]:
    """{"rouge1": ..., "rougeL": ...}, each 0 to 1. None for a reference without words: nothing could be recalled."""
    if not tokens(reference):
        return dict.fromkeys(PARTS)
    scores = _scorer().score(reference, response)
    return {part: float(scores[part].recall) for part in PARTS}


def tokens(text: str, stemmed: bool = True) -> list[str]:
    """rouge-score's own tokens where the text is Latin, each letter in one sign. It drops other scripts, whose tokens
    here are words in lower case, or characters where no spaces stand between words."""
    found: list[str] = []
    for kind, run in script_runs(unicodedata.normalize("NFC", text)):
        if kind == "latin":
            found += _latin(stemmed).tokenize(run)
        elif kind == "spaced":
            found.append(run.casefold())
        else:
            found += [char for char in run if script(char) != "mark"]
    return found


@cache
def _latin(stemmed: bool):
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=stemmed)


@cache
def _scorer():
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(PARTS), tokenizer=SimpleNamespace(tokenize=tokens))


def longest_match(text: str, other: str) -> int:
    """The most words in a row that stand in both."""
    return SequenceMatcher(None, tokens(text), tokens(other), autojunk=False).find_longest_match().size


def ngrams(text: str, n: int) -> list[tuple[str, ...]]:
    """Every `n` words in a row of a text."""
    found = tokens(text)
    return [tuple(found[i : i + n]) for i in range(len(found) - n + 1)]


def as_long_as(text: str, rest: str) -> str:
    """The text up to the length of `rest`, without a word that is cut there."""
    cut, after = text[: len(rest)], text[len(rest) : len(rest) + 1]
    return re.sub(r"\S+$", "", cut).rstrip() if after and script(after) not in ("", "unspaced") else cut


def continues(text: str, rest: str) -> bool:
    """Whether a continuation of a passage is its own rest: at least half of the rest's words in their order, or
    KNOWN_NGRAM of them in a row (all of a shorter one)."""
    text = as_long_as(text, rest)
    recall = rouge_recall(text, rest)["rougeL"] or 0.0
    return recall >= CONTINUED or shares_ngram(text, rest, KNOWN_NGRAM)


def shares_ngram(text: str, rest: str, n: int) -> bool:
    """Whether `n` words of `rest` stand in a row in the text; all of them, where it has fewer."""
    return longest_match(text, rest) >= min(n, len(tokens(rest)) or n)
