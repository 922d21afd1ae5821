"""A question in the order of words that the parser knows: the question word first, and no request before it.

"Paris is the capital of which country?" becomes "tell me which country Paris is the capital of"; "The capital of Japan
is ___" and "Tell me what the capital of Japan is." become "what is the capital of Japan".
"""

from __future__ import annotations

import re

from relearn_lite.text.verbs import base_of, is_participle, past
from relearn_lite.writers.noun_phrases import SUBJECT, be_of, main_noun
from relearn_lite.writers.phrases import english

GAP = re.compile(r"(?:_{2,}|\.{3}|…)[\s?.!]*$")
_SHORT = re.compile(r"\w+(?: [a-z]\w*){0,2} of [^,.?]+\?$")
_GAP_FIRST = re.compile(r"_{2,} (\w+) (.+?)[.?!]*$")
_ASKED_LAST = re.compile(
    r"(.+?) ((?:which|what)(?: [\w-]+){1,2}|how (?:many|much)(?: [\w-]+){0,2}|where|when|what|whom?)$", re.IGNORECASE
)
_NAME_IT = re.compile(rf"(?:please )?(?:name|give(?: me)?|tell me|state) ((?:the|{SUBJECT}'s) .+)$", re.IGNORECASE)
_WHAT_IT_IS = re.compile(rf"(what|who) ((?:(?:the|an?|{SUBJECT}'s) |[A-Z{SUBJECT}]).*|[\w-]+) (is|are|was|were)$")
_THE_NAME = re.compile(r"(?:about )?the name of ([^,]+)$")
_MADE_BY = re.compile(r"(.+) (?:was|were) (\w+) by$")
_BY_WHOM = re.compile(r"by whom? (?:was|were) (.+) (\w+)$", re.IGNORECASE)


def whole_question(text: str) -> str:
    """ "Capital of Spain?" as "What is the capital of Spain?", "___ wrote Emma." as "Who wrote Emma?"."""
    short, gap = _SHORT.match(text), _GAP_FIRST.match(text)
    words = re.findall(r"\w+", text.lower())
    if short and not set(words) & (english().aux | english().wh) and words[0] not in english().openers:
        text = f"{what_is(f'the {text[0].lower()}{text[1:]}')}"
    if gap and (gap[1] in english().be or base_of(gap[1])):
        text = what_is(gap[2], gap[1]) + "?" if gap[1] in english().be else f"who {gap[1]} {gap[2]}?"
    return text[:1].upper() + text[1:] if short or gap else text


def in_order(core: str, asked_last: bool) -> str:
    """The question with its question word first; `asked_last`: that word, or a gap for it, may stand at the end."""
    en = english()
    core = re.sub(r"^[Ww]hich (?=(?:is|are|was|were) )", "what ", core)
    words = core.lower().split()
    made, named = _BY_WHOM.match(core), _NAME_IT.match(core)
    if made and is_participle(made[2]):
        return f"who {_past_of(made[2])} {made[1]}"
    if named and not en.request_for.match(named[1]) and not _THE_NAME.match(named[1]):
        return what_is(named[1])
    if asked := en.request.match(core[:1].lower() + core[1:]):
        rest = core[asked.end() :]
        if known := _WHAT_IT_IS.match(rest):
            return f"{known[1]} {known[3]} {known[2]}"
        return f"tell me what {name[1]} is called" if (name := _THE_NAME.match(rest)) else core
    if words and asked_last and words[0] not in en.wh | en.aux and (first := _asked_first(core)):
        return first
    return anybody(core)


def _asked_first(core: str) -> str | None:
    en = english()
    last = _ASKED_LAST.match(core)
    told, asked = (last[1], last[2].lower()) if last else (core, "what")
    ends = told.split()[-1].lower()
    if ends in ("and", "or") or not last and ends not in en.be | en.prepositions:
        return None
    if told.split()[0].lower() in en.determiners:
        told = told[0].lower() + told[1:]
    made = _MADE_BY.match(told)
    if made and is_participle(made[2]) and (asked.startswith("who") or not last):
        return f"who {_past_of(made[2])} {made[1]}"
    asked = "who" if asked == "whom" else asked
    if ends in en.be and asked in ("what", "who"):
        return what_is(told.rpartition(" ")[0], ends)
    return f"tell me {asked} {told}"


def what_is(thing: str, be: str | None = None) -> str:
    """ "what is the capital of Japan", "who is the author of Emma"."""
    asked = "who" if main_noun(thing) in english().doers else "what"
    return f"{asked} {be or be_of(thing)} {thing}"


def anybody(core: str) -> str:
    """ "what vitamin do we get" as "what vitamin do people get", where no one's own mind is asked for."""
    en = english()
    found = en.anybody.match(core)
    if not found or found[3].lower() in en.minds:
        return core
    rest = re.sub(r"\b(?:you|we|I)\b", "they", core[found.end(2) :])
    return f"{found[1]} people" + re.sub(r"\b(?:your|our|my)\b", "their", rest)


def _past_of(participle: str) -> str:
    """written, wrote; painted, painted."""
    base = base_of(participle)
    return past(base) if base else participle
