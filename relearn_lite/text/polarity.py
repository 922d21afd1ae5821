"""Whether a text says yes or no to a question, and which of two things it chooses where the question offers both."""

from __future__ import annotations

import re

from relearn_lite.text.stems import fold, folded_words, stem
from relearn_lite.text.turns import last_turn
from relearn_lite.text.vague import FUNCTION_WORDS, VAGUE_STEMS
from relearn_lite.text.words import sentences

_ASKS_WHETHER = re.compile(
    r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|est-ce|ist|hat|war)\b", re.IGNORECASE
)
# Yes in other words, where nothing follows but what it affirms: "Sure! Ask me anything" is the reply to a request.
_SURELY = re.compile(
    r"\W*(?:well|oh)?\W*(?:indeed|absolutely|certainly|definitely|exactly|of course|surely|sure"
    r"|(?:(?:that is|that's) )?(?:right|true|correct))(?!\w)\W*",
    re.IGNORECASE,
)
_POLARITY = re.compile(
    r"\W*(?:well|oh|sure|honestly)?\W*(?:(yes|yeah|yep|ja|oui|si|sim|да|是的|はい)"
    r"|(no|nope|not at all|not\W*$|nein|non|nao|нет|不是|いいえ))"
    r"(?!\w)(?! (?:comment|idea|one|information|way|doubt|record|public|data))(?!\W+(?:i|we|sorry|ich|wir|je|nous)\b)",
    re.IGNORECASE,
)  # fmt: skip
_SHORT_ANSWER = re.compile(
    r"\W*(?:he|she|it|they) (?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)(n't| not)?\W*(?:$|[.;,])",
    re.IGNORECASE,
)
_CANNOT = re.compile(r"\bcannot\b", re.IGNORECASE)
_BUT = re.compile(r"[.!?;,] (?:but|and|well),? (?:(yes)|(no)),(?! (?:i|we|sorry)\b)", re.IGNORECASE)
# What a question and the same as a statement may differ in; words with which nothing is said.
_GRAMMAR = frozenset(
    """he she it they a an the any is are was were has have had do does did not never no s re
    er sie es ist sind nicht""".split()
)
_HEDGES = frozenset("or may might could would if whether perhaps maybe".split())
_OPTION = r"(?:(?:an?|the|in|on|at|to|by|with|from|his|her|their|my|your) )*([^\W_][\w-]*)"
_CHOICE = re.compile(rf"\b{_OPTION},? or {_OPTION}")
_NOT_THIS = re.compile(rf"(?:\bnot|n't) {_OPTION}")


def asks_whether(question: str) -> bool:
    return _ASKS_WHETHER.match(last_turn(question)[1]) is not None


def chosen(plain: str, question: str) -> str | None:
    """Which of two things that a question offers ("Is fire hot or cold?") a folded text names first, as a stem: "The
    Sun is bigger than the Moon", "a man, not a woman". None where it names neither, or offers both again."""
    for offered in _CHOICE.finditer(fold(last_turn(question)[1]).casefold()):
        options = {stem(option) for option in offered.groups() if option not in FUNCTION_WORDS}
        if len(options) == 2:
            told = _NOT_THIS.sub(" ", plain.casefold().replace(offered[0], " "))
            return next((each for word in folded_words(told) if (each := stem(word.form)) in options), None)
    return None


def yes_or_no(plain: str, question: str) -> str | None:
    """Yes or no at the beginning of a folded text, "he isn't", or the question as a statement and nothing else; also
    behind "certainly", which alone is a yes."""
    plain = _CANNOT.sub("can not", plain)
    if surely := _SURELY.match(plain):
        plain = plain[surely.end() :] or "yes"
    if short := _SHORT_ANSWER.match(plain):
        return "no" if short[1] else "yes"
    if says := _POLARITY.match(plain) or _BUT.search(plain):
        return "yes" if says[1] else "no"
    told, asked = next(iter(sentences(plain)), "?"), fold(last_turn(question)[1])
    if told.endswith("?") or not any(_restates(told, each) for each in (asked, *sentences(asked))):
        return None
    return "no" if re.search(r"\b(?:not|never|no|nicht)\b|n't\b", told) else "yes"


def _restates(told: str, asked: str) -> bool:
    """Whether a sentence says what is asked, in the same words; "she" may stand for the names in it."""
    words, spelled = list(folded_words(asked)), re.sub(r"n't\b", " not", told)
    forms, said = {w.form for w in words}, {w.form for w in folded_words(spelled)}
    if said & _HEDGES - forms:
        return False
    if len(meant := set(map(stem, said)) - VAGUE_STEMS) > 1 and meant == set(map(stem, forms)) - VAGUE_STEMS:
        return True
    names = {stem(w.form) for w in words if w.capital and not w.first}
    said, wanted = (set(map(stem, each - _GRAMMAR)) for each in (said, forms))
    of_somebody = re.match(r"(?i)\W*(?:he|she|it|they|er|sie|es)\b", told) is not None
    return of_somebody and bool(said) and wanted - names <= said <= wanted
