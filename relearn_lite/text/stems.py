"""Words brought to a form in which near matches are equal: accents, plural, possessive, and a common root.

Not Snowball's stemmer (nltk): it keeps "poetry" apart from "poet" and "physics" from "physicist", so that leaks go
unseen, and takes "university" for "universe" and "informal" for "inform", so that a question seems to give what it does
not. Here `stem` undoes inflection only, for what a question gives, and `root` goes further, for what a text gives away.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from relearn_lite.text.stop_words import CHINESE_GRAMMAR, is_contraction
from relearn_lite.text.turns import unmarked
from relearn_lite.text.verbs import BASE_OF
from relearn_lite.text.words import script_runs

_SAME = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "“": '"', "”": '"', "«": '"', "»": '"', "„": '"'}
    | dict.fromkeys("‐‑‒–—−", "-")
    | {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "æ": "ae", "Æ": "Ae", "œ": "oe"}
    | dict.fromkeys("\u00ad\u200b\u200c\u200d\ufeff", None)
)
# Accents, vowel points and tone marks that writers leave out; the vowel signs of Indic scripts are letters and stay.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_TOKEN = re.compile(r"[\w\u0900-\u0963\u0966-\u0dff]+(?:['-][\w\u0900-\u0963\u0966-\u0dff]+)*")
_HIRAGANA = re.compile("[\u3040-\u309f]")

_DOUBLED = re.compile(r"([bdfgmnprt])\1$")
_SHORT = re.compile(r"[^aeiou][aeiouy][^aeiouwxy]")  # nam(ing), vot(ed): what is left of a word in -e
_ESES = ("bus", "gas")  # buses, unlike noses
# Endings that only inflect: words that differ by these mean the same.
_INFLECTIONS = ("ings", "ing", "edly", "ied", "ies", "ed", "es", "s")
# Endings that make a new word of the same root: poet and poetry, science and scientific, activist and activism.
_DERIVATIONS = """
ization ational ically ations itions tific aries istic ation ition ional ments ances ences ables ibles ative itive
fully ially ously ists isms ries ians ions ings ness ment ance ence able ible tist ical ship hood less ious eous ist
ism ity ive ian ion ing ful ous ial ate ary ory ery ies ers ors ish ize ise al an ic er or ry ly ed es ty c y e s o a
""".split()


@dataclass(frozen=True)
class Word:
    """One word: `shown` as written, `form` folded, whether it has a `capital` and is `first` in its sentence."""

    shown: str
    form: str
    capital: bool
    first: bool
    unspaced: bool = False


def fold(text: str) -> str:
    """The text without accents, with quotes, dashes, widths and digits in one form, and without the signs of turns;
    capitals stay."""
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKD", unmarked(text).translate(_SAME)).translate(_SAME)
    plain = unicodedata.normalize("NFC", _MARKS.sub("", plain))
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in plain)


def folded_words(folded: str) -> Iterator[Word]:
    """Words of a folded text. "Al-Farsi" gives "alfarsi" and its parts too, so that either spelling is found;
    "don't" gives none.

    Scripts without spaces between words give pairs of characters; pairs with hiragana or with Chinese signs
    of grammar are left out.
    """
    end = 0
    for match in _TOKEN.finditer(folded):
        token = match[0]
        first = end == 0 or any(c in ".!?\n" for c in folded[end : match.start()])
        end = match.end()
        if is_contraction(token):
            continue
        if token.isascii() and token.isalpha():  # most of them
            yield Word(token, token.lower(), token[0].isupper(), first)
            continue
        if not token.isascii() and any(kind == "unspaced" for kind, _ in script_runs(token)):
            yield from _pairs(token)
            continue
        base = token[:-2] if token.endswith(("'s", "'S")) else token
        parts = {p for p in re.split(r"['\-_]", base) if p} | {base.replace("-", "").replace("'", "").replace("_", "")}
        parts |= {p.replace("'", "") for p in base.split("-")}
        for part in sorted(parts):
            if not part.isdigit():
                yield Word(part, part.casefold(), part[:1].isupper(), first)


def _pairs(token: str) -> Iterator[Word]:
    for kind, run in script_runs(token):
        if kind != "unspaced":
            yield Word(run, run.casefold(), run[:1].isupper(), False)
        for i in range(len(run) - 1) if kind == "unspaced" else ():
            pair = run[i : i + 2]
            if not (_HIRAGANA.search(pair) or CHINESE_GRAMMAR.search(pair)):
                yield Word(pair, pair, False, False, unspaced=True)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The folded word without its inflection: parents, parent; living, live, lives; wrote, write."""
    word = BASE_OF.get(word, word)
    for ending in _INFLECTIONS:
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and not word.endswith(("ss", "eed")):
            if ending in ("ied", "ies"):
                return base + "y"
            if ending == "es" and not base.endswith(("s", "x", "z", "ch", "sh")):
                continue  # the e belongs to the word: notes, note
            if len(base) == 3:
                short = ending != "s" and base not in _ESES and _SHORT.fullmatch(base)
                return base + "e" if short else base  # rises: rise
            whole = len(base) <= 4 and ending in ("s", "es")
            return base if whole else _DOUBLED.sub(r"\1", base).rstrip("e") or base  # eeees
    return word.rstrip("e") or word if len(word) > 4 else word


@lru_cache(maxsize=65536)
def root(word: str) -> str:
    """What the folded word shares with others of its family, four letters at least; crude on purpose."""
    if not word.isascii():
        # After folding this is a script other than Latin; case endings seldom have more than two letters.
        return word.removeprefix("ال")[: max(4, len(word) - 2)]
    base = stem(word)
    for _ in range(2):
        for ending in _DERIVATIONS:
            if base.endswith(ending) and len(base) - len(ending) >= 4:
                base = base[: -len(ending)]
                break
        else:
            break
    return _DOUBLED.sub(r"\1", base).removesuffix("y") if len(base) > 4 else base
