"""English verb forms that turning a question into a clause needs. Word lists in verbs.yaml, no model.

A package would not shorten this: what is listed is which words are read as verbs ("work", "value", "name" are nouns
too) and the irregular ones among them, and inflect, the one that is well kept, forms no past tense.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

_LISTS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
BASE_VERBS = frozenset(_LISTS["verbs"].split())
_FORMS = [line.split() for line in _LISTS["irregular"]]
_PAIRS = iter(_LISTS["made_only"].split())
_MADE_ONLY = dict(zip(_PAIRS, _PAIRS, strict=True))
_PAST = {base: past for base, past, _ in _FORMS}
_DOUBLED = frozenset(_LISTS["doubled"].split())
_SHORT_VOWEL = re.compile(r"[^aeiou]*[aeiou][^aeiouwxy]")  # stop, plan
PARTICIPLES = frozenset(participle for _, _, participle in _FORMS) | {"got", "born", "lead", "used"}
# written, wrote: write
BASE_OF = {form: forms[0] for forms in _FORMS for form in forms[1:]}

PAST_FORMS = frozenset(_PAST.values()) - {"read", "set", "was"}  # those that are nothing else

_PAST |= _MADE_ONLY


def participle(past_form: str) -> str:
    """wrote, written; invented, invented."""
    base = BASE_OF.get(past_form)
    return next((third for first, _, third in _FORMS if first == base), past_form)


def is_participle(word: str) -> bool:
    return word in PARTICIPLES or (word.endswith("ed") and len(word) > 4)


def is_past_form(word: str, made: bool = False) -> bool:
    """wrote, invented; with `made` also those that are other words too: shot."""
    return word in PAST_FORMS or word.endswith("ed") or made and word in _MADE_ONLY.values()


def past(base: str) -> str:
    """play, played; study, studied; stop, stopped; write, wrote."""
    if base in _PAST:
        return _PAST[base]
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    doubled = base[-1] if base in _DOUBLED or _SHORT_VOWEL.fullmatch(base) else ""
    return f"{base}{doubled}ed"


def third_person(base: str) -> str:
    """play, plays; study, studies; have, has."""
    if base in ("have", "be", "do", "go"):
        return {"have": "has", "be": "is", "do": "does", "go": "goes"}[base]
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + ("es" if base.endswith(("s", "sh", "ch", "x", "z")) else "s")


def base_of(form: str) -> str | None:
    """won, win; owns, own; signed, sign; None for what is no form of a verb that is known."""
    if form in BASE_OF or form in BASE_VERBS:
        return BASE_OF.get(form, form)
    stems = (form[:-1], form[:-2], form[:-3], form[:-3] + "y")  # in this order: "used" is of "use"
    return next((base for base in stems if base in BASE_VERBS and form in (third_person(base), past(base))), None)
