"""Who a question is about, and what in it is only quoted: titles and street addresses."""

from __future__ import annotations

import re

from relearn_lite.text.words import script
from relearn_lite.writers.clauses import AUX, DETERMINERS, PREPOSITIONS, WH

_PLACE = r"[A-Z][\w.]*(?: [A-Z][\w.]*)*(?!['\w]| [A-Z])"
_ADDRESS = re.compile(
    r"\b\d[\w'-]*(?: (?:[A-Z][\w'.-]*|(?:de|der|den|of)\b(?= (?:[A-Z]|l'))|l'\w+))+(?<!')"
    rf"(?:,? in {_PLACE}|, {_PLACE})*"
)
_QUOTED = re.compile(r"\"[^\"]+\"|(?<!\w)'[^']+(?:'\w[^']*)*'(?!\w)")
_NAME_WORD = r"[A-Z][^\W\d_]*(?:(?:-|'(?!s\b))[^\W\d_]+)*"
_NAME = re.compile(
    rf"(?:{_NAME_WORD}|[A-Z]\.)(?: (?:(?:de|da|del|van|von|der|bin|al|el|la|of|the) )*(?:{_NAME_WORD}|[A-Z]\.))*",
    re.UNICODE,
)
_OPENERS = (
    WH
    | AUX
    | PREPOSITIONS
    | DETERMINERS
    | frozenset(
        "if suppose once starting looking tell describe share name list explain provide discuss please author "
        "regarding given besides since because while whether based according".split()
    )
)
_COMING = r"(?:author|writer|person|man|woman|hailing|hails|comes?|coming|born|is|was|originally)"
_NAMED_THING = re.compile(
    r" (?:Award|Prize|Medal|Series|literature|literary scene|genre|novels|heritage|characters|identity|author)\b|\+"
)
# Capitals that begin no name of a person. Peoples and languages that English marks by an ending need not be listed.
_NO_NAME = frozenset(
    "I LGBTQ English Spanish French German Dutch Irish Scottish Turkish Polish Greek Arab Star Wars Historical Fiction "
    "Middle Eastern Love Inspired March April May June July August September October November December January "
    "February Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
)
_PEOPLE = re.compile(r"\w{2,}(?:ian|ean|rican|ese|ish|aqi|aeli|aini|ani)$")  # Italian, African, Japanese, Iraqi


def find_subject(text: str) -> str | None:
    """The name that a question is about: the best of its runs of capitals, by what stands before and after each."""
    best, best_score = None, 0.0
    for match in _NAME.finditer(text):
        name, start, end = match[0], match.start(), match.end()
        before, after = text[:start].rstrip(), text[end:]
        first = not before or before[-1] in ".?!:"
        if first:
            words = name.split()
            while words and (words[0].lower() in _OPENERS or len(words) == 1):
                words = words[1:]
            if not words:
                continue
            end = start + len(name)
            name = " ".join(words)
        words = name.split()
        if all(w.split("-")[0] in _NO_NAME for w in words) or name.isupper():
            continue
        score = -0.5 if all(_PEOPLE.match(w) for w in words) else 1.0
        score += 1.5 * (len(words) > 1) + 2 * after.startswith("'") + 0.5 * (text.count(name) > 1)
        score += bool(re.search(r"\b(?:author|does|did|has|by)$", before))
        # Places and things that carry a name: "in Tel Aviv", "Beirut, Lebanon", "Star Wars literature".
        score -= 2.5 * bool(re.search(rf"\b(?:in|at|city|city of|city,)$|\b{_NAME_WORD},$|{_COMING} from$", before))
        score -= 2.5 * bool(_NAMED_THING.match(after) or _NAMED_THING.fullmatch(f" {words[-1]}"))
        if score > best_score:
            best, best_score = name, score
    return best


def is_latin(text: str) -> bool:
    letters = [script(c) for c in text if c.isalpha()]
    return sum(kind == "latin" for kind in letters) > 0.7 * max(1, len(letters))


def mask_quotes(text: str) -> tuple[str, dict[str, str]]:
    """Replaces each quoted title and each street address by a token; the tokens' texts are returned too."""
    quotes: dict[str, str] = {}

    def mask(match: re.Match[str]) -> str:
        token = f"¤{len(quotes)}"
        quotes[token] = match[0]
        return token

    return _ADDRESS.sub(mask, _QUOTED.sub(mask, text)), quotes
