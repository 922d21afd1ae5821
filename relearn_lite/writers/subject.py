"""Who a question is about, and what in it is only quoted: titles and street addresses."""

from __future__ import annotations

import re

from relearn_lite.text.meaning import is_thing
from relearn_lite.text.words import script
from relearn_lite.writers.phrases import english

_PLACE = r"[A-Z][\w.]*(?: [A-Z][\w.]*)*(?!['\w]| [A-Z])"
_ADDRESS = re.compile(
    r"\b\d[\w'-]*(?: (?:[A-Z][\w'.-]*|(?:de|der|den|of)\b(?= (?:[A-Z]|l'))|l'\w+))+(?<!')"
    rf"(?:,? in {_PLACE}|, {_PLACE})*"
)
_QUOTED = re.compile(r"\"[^\"]+\"|(?<!\w)'[^']+(?:'\w[^']*)*'(?!\w)")
_NAME_WORD = r"[A-Z][^\W_]*(?:(?:-|'(?!s\b))[^\W_]+)*"  # also X2
_RUN = (
    rf"(?:{_NAME_WORD}|[A-Z]\.)(?: (?:(?:de|da|del|van|von|der|bin|al|el|la|of|the) )*(?:{_NAME_WORD}|[A-Z]\.))*"
    r"(?: \d+\b(?!['’.,]\d))?"  # Apollo 11
)
_NAME = re.compile(rf"(?<!\w){_RUN}")
_COMING = r"(?:author|writer|person|man|woman|hailing|hails|comes?|coming|born|is|was|originally)"


def find_subject(text: str) -> str | None:
    """The name that a question is about: the best of its runs of capitals, by what stands before and after each."""
    en = english()
    openers = en.openers | en.wh | en.aux | en.prepositions | en.determiners
    best, best_score = None, 0.0
    for match in _NAME.finditer(text):
        name, start, end = match[0], match.start(), match.end()
        before, after = text[:start].rstrip(), text[end:]
        first = not before or before[-1] in ".?!:"
        if first:
            words = name.split()
            while words and (words[0].lower() in openers or len(words) == 1):
                words = words[1:]
            if not words:
                continue
            end = start + len(name)
            name = " ".join(words)
        words = name.split()
        titled = len(words) == 1 and re.match(rf"'s {_RUN}", after)  # Valentine's Day, Schindler's List
        titled = titled or name.endswith("s") and re.match(rf"' {_RUN}", after)  # the Hundred Years' War
        if titled:
            name, after = name + titled[0], after[titled.end() :]
        if all(w.split("-")[0] in en.no_names or w.isdigit() for w in words) or name.isupper():
            continue
        score = -0.5 if all(en.people.match(w) for w in words) else 1.0
        score += 1.5 * (len(words) > 1) + 2 * after.startswith("'") + 0.5 * (text.count(name) > 1)
        score += bool(re.search(r"\b(?:author|does|did|has|by)$", before))
        # Places and things that carry a name: "in Tel Aviv", "Beirut, Lebanon", "Star Wars literature".
        score -= 2.5 * bool(re.search(rf"\b(?:in|at|city|city of|city,)$|\b{_NAME_WORD},$|{_COMING} from$", before))
        score -= 2.5 * bool(en.named_thing.match(after) or en.named_thing.fullmatch(f" {words[-1]}"))
        if score > best_score:
            best, best_score = name, score
    pair = best and re.search(rf"(?<!\w)(?:{_RUN} and {re.escape(best)}|{re.escape(best)} and {_RUN})(?!\w)", text)
    if pair and pair[0].split()[0].lower() not in openers:  # Romeo and Juliet
        return pair[0]
    return best


def is_full_name(name: str | None) -> bool:
    """Whether a name may be somebody's: it has several words and no figure, not "Paris", "The Hobbit" or "Romeo and
    Juliet", and is none that WordNet knows as a thing's ("Machu Picchu")."""
    several = any(" " in each.removeprefix("The ") for each in (name or "").split(" and "))
    return several and not re.search(r"\d", name) and not is_thing(name)


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
