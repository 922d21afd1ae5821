"""Whether an answer speaks of the one who was asked for, or of another one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from relearn_lite.text.proper_names import Spans
from relearn_lite.text.stems import fold, folded_words, stem
from relearn_lite.text.stop_words import STOP_WORDS, is_english

SENTENCE = 4  # words from which on a text counts as one
SINGLE_PRONOUNS = frozenset("he she him his her hers".split())
PRONOUNS = SINGLE_PRONOUNS | {"they", "them"}  # not "its", "their": these mostly mean something nearer
_RELATIVES = re.compile(
    r"\b(?:parents?|mother|father|brothers?|sisters?|child(?:ren)?|sons?|daughters?|husband|wife|married|family"
    r"|brought up|raised)\b"
)


def another_name(text: str, subject: str, question: str) -> str | None:
    """A name in the text that shares the first name or the surname with the subject's: the model confuses two."""
    plain, own = fold(text), [word.form for word in folded_words(fold(subject))]
    spans = Spans(plain)
    for name in spans.names if len(own) > 1 else ():
        if own[0] in name[:-1] and not set(name) & set(own[1:]):
            return " ".join(name[name.index(own[0]) :]).title()
        called = " ".join(name).title()
        if len(name) > 1 and own[-1] == name[-1] and spans.names_another(own[-1], own, ()):
            if not _may_be_relative(called, plain, own[:-1], question):
                return called
    return None


def _may_be_relative(name: str, plain: str, first_names: Sequence[str], question: str) -> bool:
    """Whether one of the same surname is part of what is told: beside the subject, or in answer to who that is."""
    if {word.form for word in folded_words(plain)} & ({*first_names} | SINGLE_PRONOUNS):
        return True
    told_of = re.search(rf"\bof {re.escape(name)}\b|\b{re.escape(name)}['’]s\b", plain, re.IGNORECASE)
    return bool(_RELATIVES.search(question)) and not told_of


def names_subject(text: str, subject: str, question: str) -> bool:
    """Whether an answer has a word of the subject's name or a pronoun in it.

    True where no name is given, and of what is no English sentence.
    """
    said, called = list(folded_words(fold(text))), {word.form for word in folded_words(fold(subject))}
    if not called or len(said) < SENTENCE or not is_english(f"{question} {text}"):
        return True
    own = {stem(form) for form in called - STOP_WORDS}
    if any(word.form in PRONOUNS or stem(word.form) in own for word in said):
        return True
    return not own and any(word.capital and word.form in called for word in said)  # Will
