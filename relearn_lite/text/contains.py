"""Whether a prepared text contains one specific of an answer: its number, date, name, code or word in any form."""

from __future__ import annotations

import re
from functools import lru_cache

from relearn_lite.text.contacts import compact
from relearn_lite.text.known_names import is_common, names_elsewhere, things_elsewhere
from relearn_lite.text.meaning import bases
from relearn_lite.text.number_words import in_words, is_number_word
from relearn_lite.text.polarity import chosen, yes_or_no
from relearn_lite.text.proper_names import nicknames
from relearn_lite.text.specifics import Specific, Text, given_words, names_any, names_of_place
from relearn_lite.text.spellings import latin, near
from relearn_lite.text.stems import stem
from relearn_lite.text.stop_words import CAPITAL_NAMES
from relearn_lite.text.vague import FUNCTION_WORDS
from relearn_lite.text.words import script, words

_LONG_NAME = 7  # letters from which on a name is also found when split: "Pendle Wick" for Pendlewick
_LAST = 4  # digits of a telephone number
_COGNATE = 6  # letters in which words of two languages begin alike: diabetes, diabétique


def contains(text: Text, specific: Specific, question: str) -> bool:
    """Whether a text tells a specific by itself, in whatever spelling, form or language.

    question: what it gives is not told; empty for none.
    """
    kind, key = specific.kind, specific.key
    if kind == "sum":
        return any(specific.number.same(number) for number in text.numbers)
    if kind in ("number", "year", "day"):
        if not text.english and any(f" {words} " in text.phrase for words in in_words(key)):
            return True
        same = any(specific.number.same(number) for number in text.numbers) or (len(key) > 3 and key in text.runs)
        return same or (kind == "year" and int(key) // 10 * 10 in text.decades)
    if kind == "time":
        return key in text.times
    if kind == "month":
        return int(key) in text.months
    if kind == "phone":
        whole = [run for run in text.runs if len(run) + 2 >= len(specific.value)]
        another = whole and not any(run.endswith(specific.value[-_LAST:]) for run in whole)  # it only begins alike
        if key[-1] == "…":
            return key[:-1] in text.runs
        return not another and any(run.endswith(key[1:]) if key[0] == "…" else key in run for run in text.runs)
    if kind in ("email", "code"):
        return key in text.compact
    if kind == "title":
        if all(word in FUNCTION_WORDS for word in key.split()):  # "It" is a title only with its capital
            return re.search(rf"[^.!?\s]\s+[\"']?{re.escape(specific.value)}\b", text.plain) is not None
        return f" {key} " in text.phrase
    if kind in ("initials", "letter"):
        return re.search(rf"\b{r'[. ]*'.join(key)}\b", text.plain) is not None
    if kind == "place":
        return names_any(text, names_of_place(key) - {key})
    if kind == "polarity":
        return key in (yes_or_no(text.plain, question), chosen(text.plain, question))
    return _says_word(text, specific, given_words(question))


def _says_word(text: Text, specific: Specific, given: frozenset[str]) -> bool:
    key, is_name = specific.key, specific.kind == "name"
    if key in FUNCTION_WORDS:
        return specific.value in words(text.plain) if specific.value in CAPITAL_NAMES else key in text.capitals
    found = [key] if len(key) < 4 and key in text.forms else text.roots.get(key, ())
    found = [form for form in found if form not in given and stem(form) not in given]
    if not found and script(key[0]) != "unspaced":
        alike = near(specific.value.casefold(), text.latin, is_name)
        found = [form for form in alike if form not in given and stem(form) not in given and not is_number_word(form)]
    if not found and is_name:
        found = [form for form in nicknames(specific.value.casefold()) & text.forms if form not in given]
    if found:
        return any(not text.spans.names_another(form, specific.parts, given) for form in found)
    if not text.english and _cognate(latin(specific.value.casefold()), text, given):
        return True
    if names_any(text, _elsewhere(specific.value.casefold(), text.english), capital=False):
        return True
    letters = compact(specific.value)
    written = len(letters) >= _LONG_NAME and letters in text.compact
    return is_name and (written or (len(letters) > 4 and letters in text.unspaced))


def _cognate(word: str, text: Text, given: frozenset[str]) -> bool:
    beginning = word[: max(_COGNATE, round(0.6 * len(word)))]
    return word.isalpha() and len(beginning) >= _COGNATE and any(
        form.startswith(beginning) and shown not in given for form, shown in text.latin.get(word[0], {}).items()
    )


@lru_cache(maxsize=8192)
def _elsewhere(word: str, english: bool) -> frozenset[str]:
    """What other languages call a currency or a common thing; the latter is looked for in other languages only."""
    names = frozenset(name for name in names_elsewhere(word) - {word} if not is_common(name))
    if english:
        return names
    return names | {other for base in bases(word) for thing in things_elsewhere(base) for other in (thing, stem(thing))}
