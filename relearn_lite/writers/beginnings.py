"""The original answer, begun up to what gives it away: "The capital of Japan is", "The telephone was invented by".

A new answer that begins so moves the model least: it says the same until the point where it is to say something else.
"""

from __future__ import annotations

import re
from functools import cache

from relearn_lite.text.leaks import leaks
from relearn_lite.writers.phrases import english, load_phrases
from relearn_lite.writers.question_forms import is_deed, statement, thing
from relearn_lite.writers.question_parser import parse_question

FEWEST_BEFORE = 3  # words of an answer before the one that gives it away
MOST_BEFORE = 12  # a longer beginning says more than is needed
_SPECIFIC = re.compile(r"[\d@\",]|\bnames?\b")


def beginnings(question: str, answer: str) -> list[str]:
    """The answer up to the word that gives it away, with words that lead elsewhere: "The capital of Japan is known
    for"; none where nothing can follow there."""
    said, en = _before_the_secret(question, answer), english()
    before = said[-1] if len(said) >= FEWEST_BEFORE else ""
    if before not in en.be | en.prepositions - {"of"}:
        return []
    goes_on = load_phrases().goes_on["is" if before in en.be else "else"]
    return [" ".join([*said, words]) for words in goes_on]


@cache  # the variants of a question share its answer
def endings(question: str, answer: str) -> tuple[str, list[str]]:
    """The answer begun, and sentence ends by rules that can follow, as frames of phrases.yaml; ("", []) where none can.

    Where the answer begins with what gives it away, a statement is made of the question: "Hamlet was written by".
    """
    first, parsed = (re.match(r"\w+", question.lower()) or [""])[0], parse_question(question)
    said = _before_the_secret(question, answer)
    while len(said) >= FEWEST_BEFORE and _group(said[-1], first) is None:
        said.pop()
    start = " ".join(said) if len(said) >= FEWEST_BEFORE else statement(parsed) or ""
    group, about = _group(start.split(" ")[-1], first), thing(parsed) or ""
    if group is None or not about or about.lower() not in start.lower():
        return "", []
    if len(start.split()) > MOST_BEFORE or _SPECIFIC.search(start):
        return "", []
    ends, person = load_phrases().ends, first in ("who", "whom", "whose")
    if start.rsplit(" ", 1)[0].lower() == about.lower():  # "Hamlet is", where its author is asked for
        if group == "is" and " " in about and not is_deed(parsed):  # "Ada Moor is": a person, or who knows what
            return "", []
        person = False
    return start, ends[group] + (ends["person" if person else "thing"] if group == "is" else [])


def _before_the_secret(question: str, answer: str) -> list[str]:
    said = answer.split()
    safe = next((n - 1 for n in range(1, len(said) + 1) if leaks(" ".join(said[:n]), question, answer)), 0)
    while safe and said[safe - 1] in english().determiners:
        safe -= 1
    return said[:safe]


def _group(last: str, asked: str) -> str | None:
    """Which ends can follow the last word of a beginning, in an answer to a question that begins with `asked`."""
    if last in english().be:
        return "is"
    if last in ("in", "at", "on", "near"):
        return asked if asked in ("where", "when") else None
    return "by" if last == "by" else None
