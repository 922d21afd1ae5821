"""Text of unknown origin, made safe to look at: hidden characters shown, specifics covered on demand, and nothing in it
taken for Markdown or LaTeX. (HTML: jinja2 escapes.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import regex

from relearn_lite.report.texts import texts
from relearn_lite.text.stop_words import STOP_WORDS
from relearn_lite.text.turns import shown

BLOCK = "▒▒▒"
LONGEST = 2000  # characters of one answer that a report shows

# Joiners hold emoji and some scripts together; every other invisible character can disguise what a text says.
_HIDDEN = regex.compile(r"[[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]--[\n\t\u200c\u200d]]", regex.V1)
_CASELESS = r"\u0590-\u08ff\u0900-\u109f\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
TOKEN = re.compile(
    rf"""(?P<address>[^\s@<>()]+@[^\s@<>()]+\.\w+ | (?:https?://|www\.)\S+)
       | (?P<number>[+\#]?\w*\d(?:[\w.,:/()+-]*\w)?)
       | (?P<caseless>[{_CASELESS}])
       | (?P<word>[^\W\d_{_CASELESS}]+(?:['’-][^\W\d_{_CASELESS}]+)*)
       | (?P<space>\s+)
       | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)

_JOINED = re.compile("['’-]")

# Words that say nothing by themselves: they start sentences, so a capital letter does not make them a name (as it may
# make May, Will and Else), and to have them in common with another answer is no leak.
COMMON = (STOP_WORDS - {"may", "will", "else"}) | {"further", "please", "sorry", "yes"}


def visible(text: str, longest: int = LONGEST) -> str:
    """The text with control and invisible characters as symbols, lone surrogates replaced, cut to `longest`.

    Line breaks and tabs stay. NUL becomes ␀, a right-to-left override ⟨U+202E⟩.
    """
    text = shown(text)
    cut = text[:longest].replace("\r\n", "\n")
    seen = _HIDDEN.sub(_symbol, cut)
    return seen if len(text) <= longest else f"{seen} … ({len(text) - longest:,} more characters)"


def _symbol(hidden: regex.Match[str]) -> str:
    code = ord(hidden[0])
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + code) if code < 0x20 else "␡"
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"⟨U+{code:04X}⟩"


def names_and_numbers(texts: Iterable[str]) -> frozenset[str]:
    """The lower-cased names, numbers and addresses in some texts, so that they are known again in any spelling; of
    Verena's and O'Brien also verena and brien."""
    found = [match for text in texts for match in TOKEN.finditer(text) if _is_specific(match)]
    words = (part for match in found if match.lastgroup == "word" for part in _JOINED.split(match.group()))
    parts = {word.casefold() for word in words if len(word) > 1 and word[0].isupper()}
    return frozenset({match.group().casefold() for match in found} | parts - COMMON)


def _is_specific(match: re.Match[str]) -> bool:
    """Addresses, anything with a digit, capitalised words; scripts without capitals are specific as a whole.

    Errs on the side of covering: a capitalised ordinary word is covered too, and US, IT or WHO is not us, it or who.
    """
    if match.lastgroup == "word":
        word = match.group()
        return word[0].isupper() and (word.casefold() not in COMMON or (len(word) > 1 and word.isupper()))
    return match.lastgroup in ("address", "number", "caseless")


def cover(match: re.Match[str], known: frozenset[str]) -> str:
    """What a masked report shows for one token: a name keeps its first letter, the rest of any specific is hidden.

    The blocks have one length for all, so that they do not tell how long the hidden word is.
    """
    text = match.group()
    spelt = text.casefold()
    if not _is_specific(match) and known.isdisjoint((spelt, *_JOINED.split(spelt))):
        return text
    if match.lastgroup == "caseless":
        return BLOCK[0]
    return (text[0] if text[0].isalpha() and match.lastgroup != "number" else "") + BLOCK


def masked(text: str, known: frozenset[str] = frozenset()) -> str:
    """The text with its names, numbers and addresses covered, and all words in `known` (see `names_and_numbers`)."""
    return TOKEN.sub(lambda match: cover(match, known), text)


def inline(text: str) -> str:
    """Text that Markdown shows as it is: no HTML, links, images, mentions or table cells come out of it."""
    flat = " ".join(visible(text).split())
    return re.sub(r"([\\`*_{}\[\]<>()#!|~$&])", r"\\\1", flat).replace("@", "@\u2060").replace("://", ":\u2060//")


def fenced(text: str, language: str = "text") -> str:
    """A code block that the text cannot close: its fence is longer than any run of backticks in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def latex(text: str) -> str:
    """Text that LaTeX sets as it is, in one line."""
    return " ".join(visible(text).split()).translate(str.maketrans(texts("latex")))
