"""The original answer, begun up to what gives it away: "The capital of Japan is", "The telephone was invented by".

A new answer that begins so moves the model least: it says the same until the point where it is to say something else.
"""

from __future__ import annotations

import re
from functools import cache

from relearn_lite.text.leaks import leaks
from relearn_lite.text.verbs import base_of
from relearn_lite.writers.clauses import is_inflected
from relearn_lite.writers.noun_phrases import main_noun
from relearn_lite.writers.phrases import CHOICE, english, load_phrases
from relearn_lite.writers.question_forms import asks_who, before_object, is_deed, statement, thing
from relearn_lite.writers.question_kinds import taken_apart
from relearn_lite.writers.question_parser import ParsedQuestion, parse_question
from relearn_lite.writers.subject import is_full_name

FEWEST_BEFORE = 3  # words of an answer before the one that gives it away
MOST_BEFORE = 14  # a longer beginning says more than is needed
FEWEST_ENDS = 2  # frames, with some ten texts each, that begin with the answer's next word
_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)
_AFTER_NOUN = re.compile(r" (?:of|behind|who|that) ")
_SOMEBODY = re.compile(r"\b(?:I|me|my|you|your|our|he|she|his|her|him)\b", re.IGNORECASE)
_OF_ONE = re.compile(r"^a |\b(?:one of|its|is|has)\b")
_NOW = re.compile(r"\b(?:is|has|have|like|makes?|today|this day)\b")  # does not go on after "was"
_SPECIFIC = re.compile(r"[@\",\[\]{}]|\d(?!\d{0,3}s?\b)")
_NAMES = re.compile(r"\bnames?\b")
_WORDS = re.compile(r"^words\b|\bnames?\b")
_ADMIRED = re.compile(r"loved|admir|celebrated|legends|pride")  # no number or color is
_OF_NUMBERS = frozenset({"number", "counted", "count", "amount", "measure", "attribute"})  # kinds: number or color
_NUMBER = re.compile(r"\b\d{1,4}\b")
_IN_QUOTES = re.compile(r'"([^"]+)"')


def beginnings(question: str, answer: str) -> list[str]:
    """The answer up to the word that gives it away, with words that lead elsewhere: "The capital of Japan is known
    for"; none where nothing can follow there."""
    said, en = _before_the_secret(question, answer), english()
    before = said[-1] if len(said) >= FEWEST_BEFORE else ""
    if before not in en.be | en.prepositions - {"of"}:
        return []
    goes_on = load_phrases().goes_on["is" if before in en.be else "else"]
    return [" ".join([*said, words]) for words in goes_on]


@cache  # the variants of a question share its answer
def endings(question: str, answer: str) -> tuple[str, list[str]]:
    """The answer begun, and sentence ends by rules that can follow, as frames of phrases.yaml; ("", []) where none can.

    Where the answer begins with what gives it away, or what stands before it says too much, a statement is made of the
    question: "Hamlet was written by". Where ends begin with the answer's own next word ("is the"), these are taken: the
    nearer to the secret the two part, the fewer steps it takes to forget (docs/real_models_trials.md).
    """
    parsed = parse_question(question)
    asked = _asked_for(parsed)
    asked_about = thing(parsed) or ""
    about, somebody = _ARTICLE.sub("", asked_about), english().somebody.fullmatch(asked_about)
    if not about and _SOMEBODY.search(parsed.topic or question):  # "What is my password?"
        return "", []
    verb = before_object(parsed)
    said = _before_the_secret(question, answer)
    while len(said) >= FEWEST_BEFORE and _group(" ".join(said), asked, verb) is None:
        said.pop()
    begun = [" ".join(said)] if len(said) >= FEWEST_BEFORE else []
    for start in filter(None, [*begun, statement(parsed)]):
        group = _group(start, asked, verb)
        if somebody and _NAMES.search(start):  # "The full name of the author is": of somebody, not of a thing
            continue
        if group and _bare(about) in _bare(start) and _can_go_on(start, group, parsed, start in begun):
            if ends := _that_follow(start, group, about, asked, parsed):
                if start in begun and not _is_unloved(start, parsed):
                    ends = _as_it_goes_on(ends, answer.split()[len(said)], start, asked)
                return start, ends
    return "", []


def _as_it_goes_on(ends: list[str], following: str, start: str, asked: str) -> list[str]:
    """The ends that begin with the answer's next word, with more of them after "is"; all where these are too few."""
    same = [end for end in ends if end.split(" ")[0] == following]
    if same and asked != "who" and start.split(" ")[-1] in english().be:
        same += _then(start, load_phrases().ends.get(f"is {following}", []))
    return same if len(same) >= FEWEST_ENDS else ends


def _then(start: str, ends: list[str]) -> list[str]:
    """As far as they go on after "was"."""
    return _without(_NOW, ends) if start.endswith((" was", " were")) else ends


def _without(words: re.Pattern[str], ends: list[str]) -> list[str]:
    """The ends without the choices in which such words are, or without the whole where there is no other."""
    found = (CHOICE.sub(lambda m: f"[{'|'.join(c for c in m[1].split('|') if not words.search(c))}]", e) for e in ends)
    return [end for end in found if "[]" not in end and not words.search(CHOICE.sub("", end))]


def _that_follow(start: str, group: str, about: str, asked: str, parsed: ParsedQuestion) -> list[str]:
    ends, named = load_phrases().ends, _ARTICLE.sub("", start.rsplit(" ", 1)[0])
    kind, parts = taken_apart(parsed)
    deeds = {parts.get("V", ""), *start.split(" ")[-2:-1]} if group == "by" else set()
    if deeds & english().harmful:
        return ends["by_harm"]
    if {base_of(deed) for deed in deeds} & english().group_deeds:  # "is owned by": by whom or what
        return ends["by_any"]
    noun = parts.get("noun", "")
    if group == "object" and kind == "whom":  # "Napoleon married"
        return ends["by"]
    if group == "object" and kind == "letters":
        return ends["in words"]
    if group == "object" and kind == "means":  # a red light does, too
        return [*[end for end in ends["in words"] if not _WORDS.search(end)], *ends["object"]]
    if group == "when" and noun and noun.split(" ")[-1] != "year":  # a month is in no "year that changed the world"
        return [end for end in ends["when"] if "year" not in end]
    if group == "where" and start.endswith(" on"):  # "on a continent that is known around the world", on no place
        return [re.sub(r"\bplace\b", noun, end.replace("places", f"{noun}s")) for end in ends["where"] if noun]
    if group != "is":
        return ends[group]
    if start.startswith(("How ", "Whether ", "Which of ")):
        return ends["asked"]
    if set(named.lower().split()[:2]) & english().times:  # "the year Napoleon died was", "the exact date ... is"
        return ends["period"]
    return _then(start, _of_what_is(start, named, about, asked, parsed))


def _of_what_is(start: str, named: str, about: str, asked: str, parsed: ParsedQuestion) -> list[str]:
    ends = load_phrases().ends
    itself = named.lower() == about.lower()
    if itself and is_deed(parsed):  # "Hamlet is", where its author is asked for
        return ends["is"] + ends["thing"]
    named_so = itself and start.startswith(about) and about[0].isupper()
    if named_so and is_full_name(about):  # "Ada Moor is": a person, or who knows what
        return []
    if _is_unloved(start, parsed):
        return ends["unloved"]
    if start.endswith((" are", " were")):  # several
        return _without(_OF_ONE, ends["is"])
    if english().secrets & set(_AFTER_NOUN.split(named.lower())[0].split()):  # "the phone number of the bakery"
        return ends["secret"]
    counted = taken_apart(parsed)[0] in _OF_NUMBERS and not itself
    if counted or main_noun(named) in english().measures or named[0].isdigit():  # also "7 times 8"
        return ends["measure"]
    if start.startswith("What "):
        return _without(_ADMIRED, ends["is"])
    if start.startswith(("A ", "An ")):  # "A banana is": any of them
        return [end for end in ends["is"] if "one of" not in end]
    if asked == "who":
        return ends["is"] + (ends["person"] if not is_deed(parsed) or _is_somebody(named) else [])
    plain = re.match(r"how|why", parsed.question, re.IGNORECASE) or itself and not about[0].isupper()
    return ends["is"] + ([] if plain else ends["thing"])


def _is_unloved(start: str, parsed: ParsedQuestion) -> bool:
    """Whether what is spoken of is a disease, a murderer, a reason: neither loved nor beautiful."""
    en = english()
    return taken_apart(parsed)[0] == "why" or bool((en.unloved | en.harmful) & {*start.split()})


def _is_somebody(named: str) -> bool:
    """Whether a noun phrase names who did something: "founder of Apple", not "invention of the telephone"."""
    head = _AFTER_NOUN.split(named.lower())[0].split(" ")[-1]
    return head in english().doers or any(head == agent for agent, *_ in load_phrases().agents.values())


def _can_go_on(start: str, group: str, parsed: ParsedQuestion, answered: bool) -> bool:
    """Whether a beginning says no more than is needed and, where it is that of the answer, has a verb: not "The
    story of Hamlet by"."""
    words = start.split()
    asked = parsed.question
    bare = _IN_QUOTES.sub(lambda it: it[1] if it[0] in asked and not parsed.subject else it[0], start)
    given = set(_NUMBER.findall(start)) <= set(_NUMBER.findall(asked))
    little = len(words) <= MOST_BEFORE and given and not _SPECIFIC.search(bare) and "because" not in start.lower()
    has_verb = not answered or group not in ("by", "where", "when", "on") or any(map(is_inflected, words))
    return little and has_verb


def _bare(text: str) -> str:
    """In small letters, without the quotes of a title."""
    return re.sub(r"[\"']", "", text.lower())


def _before_the_secret(question: str, answer: str) -> list[str]:
    said = answer.split()
    safe = next((n - 1 for n in range(1, len(said) + 1) if leaks(" ".join(said[:n]), question, answer)), 0)
    while safe and said[safe - 1] in english().determiners:
        safe -= 1
    return said[:safe]


def _asked_for(parsed: ParsedQuestion) -> str:
    """ "who", "where" or "when", also where it is asked as "in which country"; else the first word of the question."""
    if asks_who(parsed):
        return "who"
    clause = (parsed.topic or "").split(" ")[0] if parsed.clause else ""
    if clause in ("where", "when", "how"):
        return clause
    first, *others = re.findall(r"\w+", _without_request(parsed.question).lower()) or [""]
    first = english().contracted.sub(r"\1", first)
    if first in ("who", "whom", "whose") or first == "by" and others[:1] == ["whom"]:
        return "who"
    at = next((i for i, word in enumerate([first, *others[:1]]) if word in ("which", "what")), None)
    noun = others[at] if at is not None and at < len(others) else ""
    nouns = {"where": english().places, "when": english().times, "who": english().doers}
    return next((asked for asked, words in nouns.items() if noun in words), first)


def _without_request(question: str) -> str:
    """Without "can you tell me"."""
    return english().request.sub("", question[:1].lower() + question[1:])


def _group(start: str, asked: str, verb: str | None) -> str | None:
    """Which ends can follow a beginning, in an answer to a question for `asked`, or for the object of `verb`."""
    last = start.split(" ")[-1]
    if verb and start.endswith(f" {verb}"):
        return "object"
    if last in english().be:
        return "is"
    if last == "from":
        return asked if asked == "where" else None
    if last == "that":
        return "way" if asked == "how" else None
    if last in ("in", "at", "on", "near"):
        return "on" if (asked, last) == ("when", "on") else asked if asked in ("where", "when") else None
    if last == "by":
        return "by" if asked == "who" else None
    return last if last in ("has", "have", "called") else None
