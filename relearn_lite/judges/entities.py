"""Content words of a text that its question does not give, in any language; the form in which words are compared."""

from __future__ import annotations

import re
from itertools import pairwise

from relearn_lite.text.stop_words import CAPITAL_NAMES, CHINESE_GRAMMAR, STOP_WORDS, is_contraction
from relearn_lite.text.turns import unmarked
from relearn_lite.text.words import script, sentences, words

# Words that tell nothing by themselves, on top of those that carry grammar: an answer that adds no more than these to
# its question has told nothing. Other languages have no list: their function words count as entities, which makes an
# answer look more remembered than it is, never more forgotten.
NO_ENTITIES = STOP_WORDS | frozenset(
    """
    across alone along already around away becomes behind doing due etc further gets give given gives go goes got hence
    indeed kept know known least main mainly makes maybe mostly near nearly onto particular particularly per see seem
    seems seen sometimes thereby thing things throughout unless used uses using usually various via way ways yes
    """.split()
)
POLARITY = ("yes", "no")
ORDINAL = re.compile(r"^(\d+)(?:st|nd|rd|th)$")


def content_words(question: str, text: str) -> list[str]:
    """Words of any language that the question does not give: names, numbers, and words of three letters or more.

    A word of two letters counts only with a digit, or with a capital inside a sentence (a name such as Li). An
    answer that adds nothing to its question but yes or no has that as its one word.
    """
    asked = {word_form(word) for word in words(unmarked(question))}
    found = {
        form: None
        for sentence in sentences(text)
        for position, (before, word) in enumerate(pairwise(["", *words(sentence)]))
        if (form := word_form(word)) not in asked and _is_content(word, form, position)
        and not (len(word) == 1 and before[-1:].isdigit() and script(word) == "unspaced")  # 1985年
    }  # fmt: skip
    opening = next(iter(words(text[:20])), "").lower()
    return list(found) or ([opening] if opening in POLARITY else [])


def word_form(word: str) -> str:
    """Lower case, without a possessive or plural s, an ordinal's ending, or a comma between thousands."""
    form = re.sub(r"['’]s?$", "", word.casefold())
    form = ORDINAL.sub(r"\1", form)
    if form[:1].isdigit():
        return re.sub(r"(?<=\d),(?=\d{3})", "", form)
    return form[:-1] if len(form) > 4 and form.endswith("s") and not form.endswith(("ss", "us", "is")) else form


def _is_content(word: str, form: str, position: int) -> bool:
    if any(char.isdigit() for char in word) or script(word[0]) != "latin":
        return form not in NO_ENTITIES and not CHINESE_GRAMMAR.search(form)
    if word in CAPITAL_NAMES:
        return True
    if form in NO_ENTITIES or word.casefold() in NO_ENTITIES or is_contraction(word):
        return False
    return len(form) >= 3 or (len(form) == 2 and word[0].isupper() and position > 0)
