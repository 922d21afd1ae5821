"""Finds what weak models write in place of an answer: refusals, and text that is no language."""

from __future__ import annotations

import re
from itertools import pairwise

from relearn_lite.text.stop_words import STOP_WORDS, is_english
from relearn_lite.text.words import script, words

# What a model says about itself. "I was wondering" and "nobody can say" are no refusals.
REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial|language|large language|digital) (?:model|assistant|intelligence)?"
    r"|\b(?:ai|language) (?:model|assistant)\b"
    r"|\bi(?:'m| am)? (?:(?:really|very|so|truly|deeply) )?(?:sorry|apologi[sz]e|afraid)\b"
    r"|\b(?:my )?apologies\b"
    r"|\bi(?: (?:can|could|will|would|may|must|do|am|have)(?: ?not|n't)|'m not| cannot| won't| refuse)\b"
    r"(?: \w+){0,3}? (?:provide|share|answer|help|assist|disclose|discuss|comply|fulfil+|give|reveal|tell|respond|able"
    r"|access|information|know|say|comfortable|allowed|continue|engage|write)\b"
    r"|\bi am unable\b|\bi'm unable\b|\bunable to (?:provide|assist|help|comply|fulfil+|answer)\b",
    re.IGNORECASE,
)
OTHER_REFUSALS = (
    "je suis désolé", "je ne peux pas", "lo siento", "no puedo", "es tut mir leid", "ich kann nicht", "ich kann diese",
    "mi dispiace", "non posso", "抱歉", "对不起", "无法提供", "申し訳", "죄송", "извините",
)  # fmt: skip
FEWEST_TO_JUDGE = 8  # words below which a text is too short to judge
SAME_WORD_AGAIN = 3  # times a word may stand in a row
LEAST_DISTINCT = 0.4  # share of distinct pairs of words; a text that repeats itself has fewer
LEAST_STOP_WORDS = 0.08  # share of the words of an English text; in what people write it is 0.25 to 0.5


def is_refusal(text: str) -> bool:
    """True where the writer speaks of itself and not of the subject: it cannot help, it is sorry, it is an AI."""
    plain = text.replace("’", "'")
    return bool(REFUSAL.search(plain)) or plain.strip().casefold().startswith(OTHER_REFUSALS)


def is_babble(text: str, question: str) -> bool:
    """True where a text repeats itself, or has too few of the words that make a sentence (judged in English only)."""
    said = [word.casefold() for word in words(text) if script(word[0]) != "unspaced"]
    if any(len({*said[i : i + SAME_WORD_AGAIN]}) == 1 for i in range(len(said) - SAME_WORD_AGAIN + 1)):
        return True
    if len(said) < FEWEST_TO_JUDGE:
        return False
    pairs = list(pairwise(said))
    if len({*pairs}) < LEAST_DISTINCT * len(pairs):
        return True
    return is_english(question) and sum(word in STOP_WORDS for word in said) < LEAST_STOP_WORDS * len(said)
