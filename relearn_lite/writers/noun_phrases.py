"""Noun phrases: what a question asks for as one, and what is known of one by its head noun.

SUBJECT stands for the name that the question is about.
"""

from __future__ import annotations

import re

from relearn_lite.text.verbs import is_participle, third_person
from relearn_lite.writers.phrases import english

SUBJECT = "§"  # stands for the subject's name while a question is taken apart


def noun_phrase(text: str) -> str | None:
    """A noun phrase as the object of a sentence: quantities off, "another book by" to "other books by"."""
    en = english()
    text = text.split(", ")[0] if SUBJECT in text.split(", ")[0] else text
    text = en.nameless.sub(r"\1", text)
    text = re.sub(r"^which ", "", text)
    quantity = en.quantity.match(text)
    if quantity:
        text = text[quantity.end() :]
        text = en.pluralised.sub("", text) if quantity[0].lower().startswith("one of") else text
    single = en.single.match(text)
    if single:
        words = single[1].split()
        if not text.startswith(("a ", "an ", "one ")):
            words = en.pluralised.sub("", single[1]).split()
            end = _head(words)
            words[end - 1] = third_person(words[end - 1]) if not words[end - 1].endswith("s") else words[end - 1]
            words.insert(0, "other")
        text = " ".join(["the", *words])
    elif quantity and not text.startswith(("the ", SUBJECT, "his ", "her ", "their ")):
        text = f"the {text}"
    if en.you.search(text) or not text:
        return None
    return tidy(text)


def _head(words: list[str]) -> int:
    """Length of a noun phrase up to its head noun: after it comes "of ...", "that ...", "written by ..." or a name."""
    en = english()
    for i, word in enumerate(words):
        following = words[i + 1] if i + 1 < len(words) else ""
        participle = is_participle(word) and following in en.noun_ends | {"down", "treating"}
        if i and (word in en.noun_ends or word == SUBJECT or participle):
            return i
    return len(words)


def main_noun(phrase: str) -> str:
    """ "author" of "the author of Emma"; empty if there is none."""
    words = phrase.split()
    return words[_head(words) - 1] if words else ""


def is_plural(phrase: str) -> bool:
    """Does the head of a noun phrase look plural?"""
    words = phrase.split()
    words = words[: _head(words)]
    head = words[-1].lower() if words else ""
    if len(words) == 1 and words[0][0].isupper():  # Texas, but Vikings and Egyptians
        return head.endswith("s") and (head[:-1] in english().peoples or bool(english().people.match(head[:-1])))
    if "and" in words and words[0] != SUBJECT:
        return True
    plural = head.endswith("s") and not head.endswith(("ss", "us", "is", "'s", "series"))
    if head in english().one_name and (words[-1][0].isupper() or head != "states" and head != "nations"):
        return False
    return plural or head in ("people", "children")


def be_of(phrase: str) -> str:
    return "are" if is_plural(phrase) else "is"


def is_bare(phrase: str) -> bool:
    """A word or two without an article or an owner, as in "What is photosynthesis?": its meaning is asked for."""
    words = phrase.split()
    return len(words) <= 3 and words[0] not in english().determiners and not re.search(r"'s\b|\bof\b|\d", phrase)


def tidy(text: str) -> str:
    return re.sub(r"\s+([,;])", r"\1", " ".join(text.split())).strip(" ,;")
