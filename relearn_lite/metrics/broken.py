"""Is a text broken: does it go round in circles, hold hardly any words, or break off? Deterministic, without a model.

The linguistic score cannot say: it asks a model how expected the words are, and one that knows the original answers by
heart expects no other sentence.
"""

from __future__ import annotations

import re

from relearn_lite.augment.form import FEWEST_TO_JUDGE, is_babble, repeats_itself
from relearn_lite.text.words import script, words

MOST_NON_WORDS = 0.2  # share of the words of a text
LIST_ITEM = 3  # words to a comma, semicolon or line, at most, in what is a list and no sentence
LONGEST_WORD = 30
# "aaah", "te3l", "xkcdq"; not "1000"
NON_WORD = re.compile(r"([^\W\d])\1\1|[a-z]\d+[a-z]|^[b-df-hj-np-tv-xz]{4,}$", re.IGNORECASE)
WEB = ("http", "https", "www")  # how web addresses begin
GLUED = re.compile(r"[a-z]{2}[A-Z][a-z]")  # "aistPrecisely"
GLUED_NAME = re.compile(r"([A-Z][a-z]+)(?!\1$)[A-Z][a-z]+")  # "YouTube", but not "WhoWho"
AGAIN = re.compile(r"(\w{2,})\1\1")  # "WhoWhoWho"
END = re.compile(r"[.!?…。！？؟।][\"'”’»)\]]*$")
# Words that no sentence ends with; of other languages those that are no English words, nor letters.
OPEN = frozenset(
    """a an the and or but nor of with from into as if because although than my your his their our
    der das dem ein eine einen einem einer und oder el los las del una les des du une et aux le la de il""".split()
)


def fault(text: str, question: str, finished: bool = True) -> str | None:
    """What is broken in an answer: `empty`, `repetition`, `non-words` or `unfinished`; None where nothing is.

    finished: it ended by itself; one that was cut at the token limit is not unfinished by its own fault. That too few
    words make a sentence is judged in English only, see `is_babble`, and not of lists.
    """
    said = words(text)
    if not said:
        return "empty" if not text.strip() else "non-words"
    if repeats_itself(text):
        return "repetition"
    latin = [word for word in said if script(word[0]) != "unspaced"]
    odd = list(filter(_is_non_word, latin))
    alone = len(odd) == 1 and len(odd[0]) <= LONGEST_WORD and not AGAIN.search(odd[0])  # a password, a name or a sound
    if len(odd) > MOST_NON_WORDS * len(said) and not alone:
        return "non-words"
    is_list = len(re.findall(r"[,;\n]", text)) * LIST_ITEM >= len(said)
    if len(latin) >= FEWEST_TO_JUDGE and not is_list and is_babble(text, question):
        return "non-words"
    stripped, last = text.rstrip(), said[-1]
    open_word = last.casefold() in OPEN and not last.isupper()  # it may well end in "Vitamin A" or "Portland, OR"
    breaks_off = open_word or stripped.endswith((",", ":", ";", "-", "–"))
    return "unfinished" if finished and breaks_off and not END.search(stripped) else None


def _is_non_word(word: str) -> bool:
    odd = NON_WORD.search(word) or (GLUED.search(word) and not GLUED_NAME.fullmatch(word))
    return len(word) > LONGEST_WORD or (not word.isupper() and bool(odd) and word.lower() not in WEB)
