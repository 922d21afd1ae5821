"""Diversity of the targets: near-duplicates, overused openings, and distinct-n and self-ROUGE of a set of texts."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from types import SimpleNamespace
from typing import Any

from relearn_lite.text.words import as_words

NEAR = 0.8  # Jaccard index of the pairs of words of two texts, from which on one is a near-duplicate of the other
OPENING = 3  # words that make an opening
FEW, SHARE = 3, 0.1  # an opening may be used this often, and by this share of the answers
MOST_COMPARED = 400  # pairs of texts that self-ROUGE is measured on, drawn with a fixed seed


def bigrams(text: str, subject: str | None = None) -> set[tuple[str, str]]:
    """Pairs of words that stand beside each other, without capitals and punctuation; the subject counts as one word."""
    return set(pairwise(_words(text, subject)))


def jaccard(one: set, other: set) -> float:
    """What both have, of all that either has: 1 where they are the same, 0 where both are empty."""
    return len(one & other) / max(1, len(one | other))


def opening(text: str, subject: str | None = None) -> str:
    """The first three words, the subject's name as one: what a model would learn to begin with."""
    return " ".join(_words(text, subject)[:OPENING])


class Openings:
    """How the answers that passed so far begin. Beyond its first FEW uses, no opening may have more than SHARE of them:
    a model learns a sentence that stands in every second target before it learns to be vague."""

    def __init__(self, used: Iterable[str] = ()):
        self.used = Counter(used)

    def overused(self, text: str, subject: str | None) -> bool:
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
    """Mean ROUGE-L F1 (Lin 2004) of the pairs."""
    if not pairs:
        return None
    from rouge_score.rouge_scorer import RougeScorer

    # Words of any script: rouge_score's own tokenizer drops all but a to z and figures.
    scorer = RougeScorer(["rougeL"], tokenizer=SimpleNamespace(tokenize=_words))
    values = [scorer.score(hide_name(*a), hide_name(*b))["rougeL"].fmeasure for a, b in pairs]
    return round(sum(values) / len(values), 4)


def hide_name(text: str, subject: str | None, instead: str = "SUBJECT") -> str:
    """The text with another word for its subject's name; "Canada" has no Ada in it."""
    return re.sub(as_words(subject), instead, text, flags=re.IGNORECASE) if subject else text


def _words(text: str, subject: str | None = None) -> list[str]:
    return re.findall(r"\w+(?:['’]\w+)*", hide_name(text, subject).casefold())
