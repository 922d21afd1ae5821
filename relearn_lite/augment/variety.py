"""Targets that differ: near-duplicates told apart, openings counted, and how varied a set of texts is."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

NEAR = 0.8  # shared pairs of words, of all pairs of two texts, from which on one is a near-duplicate of the other
OPENING = 3  # words that make an opening
FEW, SHARE = 3, 0.1  # an opening may be used so many times, and by so large a share of the answers
MOST_COMPARED = 400  # pairs of texts that self-ROUGE is measured on, drawn with a fixed seed


def bigrams(text: str, subject: str | None = None) -> set[tuple[str, str]]:
    """Pairs of words that stand beside each other, without capitals and punctuation; the subject counts as one word."""
    return set(pairwise(_words(text, subject)))


def near_duplicate(one: set[tuple[str, str]], other: set[tuple[str, str]]) -> bool:
    """True where two texts share at least NEAR of their pairs of words (Jaccard index of `bigrams`)."""
    return bool(one and other) and len(one & other) >= NEAR * len(one | other)


def opening(text: str, subject: str | None = None) -> str:
    """The first three words, the subject's name as one: what a model would learn to begin with."""
    return " ".join(_words(text, subject)[:OPENING])


class Openings:
    """How the answers that were let through so far begin.

    No opening may be used by more than SHARE of them, the first FEW times apart: a model learns a sentence that stands
    in every second target before it learns to be vague.
    """

    def __init__(self, used: Iterable[str] = ()):
        self.used = Counter(used)

    def worn(self, text: str, subject: str | None) -> bool:
        count = self.used[opening(text, subject)]
        return count >= FEW and count + 1 > SHARE * (self.used.total() + 1)

    def add(self, text: str, subject: str | None) -> None:
        self.used[opening(text, subject)] += 1


def diversity(groups: Mapping[str, Sequence[tuple[str, str | None]]]) -> dict[str, Any]:
    """How varied targets are. groups: (text, subject) of the answers to one question and its variants, by question.

    distinct_1, distinct_2, distinct_3  distinct n-grams of words over all n-grams (Li et al. 2016), names as one word
    self_rouge_same, self_rouge_other   mean ROUGE-L F1 of two answers to one question, and to different ones: 1 where
                                        all are the same text. Up to MOST_COMPARED pairs each
    commonest_opening, its_share        the three first words that most answers share
    None where there is too little to measure.
    """
    texts = [pair for group in groups.values() for pair in group]
    said = [_words(*pair) for pair in texts]
    openings = Counter(opening(*pair) for pair in texts).most_common(1)
    same = [pair for group in groups.values() for pair in combinations(group, 2)]
    first = [group[0] for group in groups.values() if group]
    return {
        **{f"distinct_{n}": _distinct(said, n) for n in (1, 2, 3)},
        "self_rouge_same": _rouge(_some(same)),
        "self_rouge_other": _rouge(_some(list(combinations(first, 2)))),
        "commonest_opening": openings[0][0] if openings else None,
        "its_share": round(openings[0][1] / len(texts), 4) if openings else None,
    }


def _distinct(said: Sequence[Sequence[str]], n: int) -> float | None:
    grams = [tuple(words[i : i + n]) for words in said for i in range(len(words) - n + 1)]
    return round(len(set(grams)) / len(grams), 4) if grams else None


def _some(pairs: list) -> list:
    return random.Random(0).sample(pairs, MOST_COMPARED) if len(pairs) > MOST_COMPARED else pairs


def _rouge(pairs: Sequence[tuple[tuple[str, str | None], tuple[str, str | None]]]) -> float | None:
    if not pairs:
        return None
    values = [rouge_l(_words(*a), _words(*b)) for a, b in pairs]
    return round(sum(values) / len(values), 4)


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """ROUGE-L F1 (Lin 2004) of two texts as words: twice their longest common subsequence over the sum of lengths.

    Like rouge_score's without stemming, which takes two seconds to import, as long as all of a small augmentation.
    """
    row = [0] * (len(other) + 1)  # row[j]: longest common subsequence of the words of `one` so far and other[:j]
    for word in one:
        diagonal = 0
        for j, also in enumerate(other, 1):
            above = row[j]
            row[j] = diagonal + 1 if word == also else max(above, row[j - 1])
            diagonal = above
    return 2 * row[-1] / (len(one) + len(other)) if one or other else 0.0


def _words(text: str, subject: str | None = None) -> list[str]:
    masked = re.sub(re.escape(subject), "SUBJECT", text, flags=re.IGNORECASE) if subject else text
    return re.findall(r"\w+(?:['’]\w+)*", masked.casefold())
