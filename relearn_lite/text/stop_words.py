"""English words that carry grammar and no fact: the one list, which each user widens for its own purpose.

Short on purpose: a word stands here only if no answer could be about it. Users say at the place what they add and why.
Other languages have no list: their function words then count as content.
"""

from __future__ import annotations

import re

from relearn_lite.text.words import words

STOP_WORDS = frozenset(
    """
    a about above after again against all almost also although always am among an and another any anyone anything
    are as at be became because become been before being below between both but by can cannot could did do does done
    down during each either else enough even ever every everyone everything few for from get had has have having he
    her here hers herself him himself his how however i if in instead into is it its itself just less like made make
    many may me might more moreover most much must my myself neither never no nobody none nor not nothing now of off
    often on once one only or other others our ours out over own perhaps quite rather really same several shall she
    should since so some someone something still such than that the their theirs them themselves then there
    therefore these they this those though through thus to together too toward towards under until up upon us use
    very was we well were what whatever when where whether which while who whom whose why will with within without
    would yet you your yours
    """.split()
)

CAPITAL_NAMES = frozenset(("US", "IT", "WHO"))  # stop words that are names when written so
# Signs that carry grammar in Chinese, and hardly ever a name; the pairs that they stand in join two words.
CHINESE_GRAMMAR = re.compile("[的了是们吗呢吧这那她您很]|一[名位个家种座]")
_CONTRACTION = re.compile(
    r"\w+n['’]t|(?:i|you|he|she|it|we|they|who|what|that|there)['’](?:m|re|ve|ll|d)", re.IGNORECASE
)

# Those that are words of German, Dutch, French, Spanish, Portuguese, Italian or a Scandinavian language too.
_ELSEWHERE_TOO = frozenset(
    """
    a all also am an as at do for had has have he her here i in is me no of on once or over so under was we will
    """.split()
)
_ENGLISH_ONLY = STOP_WORDS - _ELSEWHERE_TOO
LEAST_ENGLISH = 0.05  # share of words; 1,381 questions with their answers, TOFU's among them, have 0.061 or more


def is_contraction(word: str) -> bool:
    """Whether a word is two in one that both carry grammar: don't, I'm, they'd."""
    return _CONTRACTION.fullmatch(word) is not None


def is_english(text: str) -> bool:
    """Whether enough of the words of a text are English ones that carry grammar. A text of a few names is not."""
    found = [re.split("['’]", word.casefold())[0] for word in words(text)]  # what's: what
    return bool(found) and sum(word in _ENGLISH_ONLY for word in found) >= LEAST_ENGLISH * len(found)
