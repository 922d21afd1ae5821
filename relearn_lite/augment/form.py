"""Checks of form: what is wrong with a text as a text, such as an echo, a refusal, or a sentence cut off.

Each returns None where the text passes, or "code: what is wrong": the writer is told the words, the code is counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise

from relearn_lite.text.stems import fold
from relearn_lite.text.stop_words import STOP_WORDS, is_english
from relearn_lite.text.words import script, words
from relearn_lite.writers.phrases import english

MARKUP = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>|https?://|\{\{|&[a-z]+;", re.IGNORECASE)
SENTENCE_END = re.compile(r"[.!?…。！？؟।॥۔;；።፧։](?:\s*[\"'”’“‘»›)\]」』）》】])*$")  # German closes with “
STOPLESS_SCRIPTS = {"THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN"}  # written without a full stop
ONE_SCRIPT = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK"}  # used together in one sentence
FEWEST_WORDS = 3
LONGEST_ENDING = 3  # letters that a name may have more: Berlins
MOST_WORDS = 80  # of an answer; a question variant may have as many more than its question
SAME_SCRIPT_SHARE = 0.7  # of the letters; leaves room for a foreign name
# Words of questions about anything, besides those that carry grammar: sharing them does not make a text fit.
NO_SUBJECT = STOP_WORDS | frozenset("know known said tell".split())
OTHER_REFUSALS = (
    "je suis désolé", "je ne peux pas", "lo siento", "no puedo", "es tut mir leid", "ich kann nicht", "ich kann diese",
    "mi dispiace", "non posso", "抱歉", "对不起", "无法提供", "申し訳", "죄송", "извините",
)  # fmt: skip
FEWEST_TO_JUDGE = 8  # words below which a text is too short to judge
SAME_WORD_AGAIN = 3  # times a word may stand in a row
LEAST_DISTINCT = 0.4  # share of distinct pairs of words; a text that repeats itself has fewer
LEAST_STOP_WORDS = 0.08  # share of the words of an English text; in what people write it is 0.25 to 0.5


def form_fault(text: str | None, question: str, kind: str) -> str | None:
    """What is wrong with a text in itself. `kind`: `answer`, or the kind of question variant that it should be."""
    if not text or not text.strip():
        return "empty: nothing usable was written"
    if normal_form(text) == normal_form(question) or _repeats(text, question, kind):
        return "echo: it repeats the question"
    if MARKUP.search(text) and not MARKUP.search(question):
        return "markup: it has markup or links in it"
    if printable(text) != text or "\ufffd" in text:
        return "characters: it has control characters or broken characters in it"
    if not _same_script(text, question):
        return "script: it is not written in the question's script"
    length = len(words(text))
    if length < FEWEST_WORDS:
        return "short: it is too short"
    if length > MOST_WORDS + (0 if kind == "answer" else len(words(question))):
        return "long: it is too long, a sentence or two are enough"
    if is_refusal(text) and not is_refusal(question):
        return "refusal: it refuses, or speaks of the writer"
    if is_babble(text, question):
        return "babble: it is no sentence, or goes round in circles"
    # People in a hurry leave the question mark out, and some data sets do throughout.
    if (kind == "answer" or (kind != "noise" and _is_finished(question))) and not _is_finished(text):
        return "unfinished: its last sentence is not finished"
    return None


def fit_fault(text: str, question: str, taken: set[str], subject: str | None = None) -> str | None:
    """What is wrong with a text beside others: `taken` are the normal forms of those already written.

    `subject` is the name that the question is about: a word of it must come back, whatever its capitals and accents.
    """
    if normal_form(text) in taken:
        return "duplicate: the same was written before"
    asked = _content(question)
    if (asked and not asked & _content(text)) or (subject and not _names(text, subject)):
        return "subject: it does not say what the question is about"
    return None


def printable(text: str) -> str:
    """Text without control characters and the like, which data sets contain and no writer should learn from. A line
    break becomes a space, for it parts words."""
    text = "".join(" " if char in "\t\n\r" else char for char in text.replace("\r\n", "\n"))
    return "".join(char for char in text if unicodedata.category(char) not in ("Cc", "Cs", "Co", "Cn"))


def normal_form(text: str) -> str:
    """Text without capitals, spaces and punctuation, to compare texts by."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold())) or text.strip()


def _repeats(text: str, question: str, kind: str) -> bool:
    """An answer that repeats the whole question and adds little. A question variant may well contain it."""
    if kind != "answer" or f" {normal_form(question)} " not in f" {normal_form(text)} ":
        return False
    return len(words(text)) - len(words(question)) < FEWEST_WORDS


def _same_script(text: str, question: str) -> bool:
    asked, written = _scripts(question), _scripts(text)
    if not asked or not written:
        return not asked  # "2+2?" may be answered in words
    return sum(n for name, n in written.items() if name in asked) >= SAME_SCRIPT_SHARE * written.total()


def _scripts(text: str) -> Counter[str]:
    return Counter(_script_name(char) for char in text if char.isalpha())


@cache
def _script_name(char: str) -> str:
    name = unicodedata.name(char, "?").split()[0].split("-")[0]
    return ONE_SCRIPT.get(name, name)


def _is_finished(text: str) -> bool:
    return bool(SENTENCE_END.search(text.strip())) or bool(set(_scripts(text)) & STOPLESS_SCRIPTS)


def _names(text: str, subject: str) -> bool:
    names = {part for part in normal_form(fold(subject)).split() if len(part) > 2}
    said = {*normal_form(fold(text)).split()}  # d'Emma by its parts
    return not names or any(
        word == name or (len(name) > 3 and word.startswith(name) and len(word) - len(name) <= LONGEST_ENDING)
        for name in names for word in said
    )  # fmt: skip


def _content(text: str) -> set[str]:
    """The content words of a text by their first four letters, or pairs of characters. By three where names have
    endings (Анна, об Анне)."""
    found = set()
    for word in (part for each in words(text.casefold()) for part in re.split("['’]", each)):
        if word and script(word[0]) == "unspaced":
            found.add(word)
        elif len(word) >= 4 and word not in NO_SUBJECT:
            found.add(word[: 3 if script(word[0]) == "spaced" else 4])
    return found


def is_refusal(text: str) -> bool:
    """True where the writer speaks of itself and not of the subject: it cannot help, it is sorry, it is an AI."""
    plain = text.replace("’", "'")
    return bool(english().refusal.search(plain)) or plain.strip().casefold().startswith(OTHER_REFUSALS)


def repeats_itself(text: str) -> bool:
    """True where a word stands three times in a row, or the text goes round in circles."""
    said, every = _spaced(text), words(text.casefold())  # where there are no spaces, pairs of characters
    if any(len({*said[i : i + SAME_WORD_AGAIN]}) == 1 for i in range(len(said) - SAME_WORD_AGAIN + 1)):
        return True
    rounds = (said, every)
    return any(len(r) >= FEWEST_TO_JUDGE and len({*pairwise(r)}) < LEAST_DISTINCT * (len(r) - 1) for r in rounds)


def is_babble(text: str, question: str) -> bool:
    """True where a text repeats itself, or has too few of the words that make a sentence (judged in English only)."""
    said = _spaced(text)
    if repeats_itself(text) or len(said) < FEWEST_TO_JUDGE:
        return repeats_itself(text)
    return is_english(question) and sum(word in STOP_WORDS for word in said) < LEAST_STOP_WORDS * len(said)


def _spaced(text: str) -> list[str]:
    """The words of scripts that have spaces between them."""
    return [word.casefold() for word in words(text) if script(word[0]) != "unspaced"]
