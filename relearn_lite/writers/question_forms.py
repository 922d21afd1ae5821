"""The same question in other forms, by its kind, and the thing that it is about.

Works on what `parse_question` made of a question: an indirect question ("who invented the telephone", "where Ada Moor
lives") or a noun phrase ("the capital of Japan"). The forms stand in phrases.yaml; a question of no known kind has
none.
"""

from __future__ import annotations

import re
from functools import cache

from relearn_lite.text.verbs import BASE_OF, BASE_VERBS, PAST_FORMS, is_participle, participle, past, third_person
from relearn_lite.writers.clauses import is_bare, is_plural
from relearn_lite.writers.phrases import english, load_phrases
from relearn_lite.writers.question_parser import ParsedQuestion
from relearn_lite.writers.subject import is_full_name

MOST_WORDS = 16  # of a topic: a longer one seldom stands well in another place
MOST_THING_WORDS = 5
MOST_BEFORE = 6
_NAME = re.compile(r"(?<!\w)(?:the )?[A-Z][\w'’.-]*(?: (?:(?:of|the|de|da) )?[A-Z][\w'’.-]*)*")
_DATED = re.compile(r" (?:in|on|around|about) (?:\w+ )?\d{3,4}\b.*$")
_QUOTED = re.compile(r"[()#@\"]|(?<!\w)'")
_PERSONAL = re.compile(r"\b(?:he|she|his|her|him|their|born)\b")


def rewordings(parsed: ParsedQuestion) -> list[str]:
    """Questions and requests that ask the same in other forms than the question's own; none where that is not sure."""
    topic, whole = parsed.topic, parsed.after_tell or parsed.after_about  # None: a part of it cannot be asked again
    if topic is None or whole is None or "," in whole or len(topic.split()) > MOST_WORDS:
        return []
    kind, parts = _taken_apart(parsed)
    if kind is None or parsed.subject and parts.get("T") == parsed.subject:  # "Who is Ada Moor?": nothing but a name
        return []
    late = len(parts.get("rest", "").split()) > MOST_BEFORE  # too much to stand before "what?"
    forms = [form for form in load_phrases().forms[kind] if not (late and form.startswith("{rest}"))]
    found = filter(None, (_filled(form, parts) for form in forms))
    return [text for text in found if text.rstrip("?.") != parsed.question.rstrip("?. ")]


def is_deed(parsed: ParsedQuestion) -> bool:
    """Whether it asks who did something: "Who wrote Hamlet?"."""
    return bool(parsed.clause and parsed.topic) and _taken_apart(parsed)[0] == "did"


def statement(parsed: ParsedQuestion) -> str | None:
    """The question made the beginning of a statement: "Hamlet was written by", "The capital of Japan is"; None where
    that is not sure."""
    if parsed.topic is None or "," in parsed.topic or len(parsed.topic.split()) > MOST_WORDS:
        return None
    kind, parts = _taken_apart(parsed)
    ends = parts.get("rest", "").split(" ")[-1]
    whole = kind == "what" and (ends == "called" or ends in english().be)  # "what a young dog is called", "what H2O is"
    begun = "{rest}" if whole else load_phrases().statements.get(kind)
    return begun and _filled(begun, parts)


def _filled(form: str, parts: dict[str, str]) -> str | None:
    """A form with its parts, a capital first; None where one of them is missing."""
    if not all(parts.get(name) for name in re.findall(r"\{(\w+)\}", form)):
        return None
    text = re.sub(r"\.\.$", ".", form.format_map(parts))  # "Name the person who founded Apple Inc.."
    return text[:1].upper() + text[1:]


@cache
def thing(parsed: ParsedQuestion) -> str | None:
    """What the question is about: "the telephone" of "Who invented the telephone?"; None where it is not certain."""
    found = _thing(parsed)
    fits = found and not _QUOTED.search(found) and found.lower() not in english().plain_subjects
    fits = fits and (parsed.subject is None or parsed.subject in found)
    return found if fits else parsed.subject


def _thing(parsed: ParsedQuestion) -> str | None:
    if parsed.topic is None or len(parsed.topic.split()) > MOST_WORDS:
        return parsed.subject
    if parsed.clause:
        kind, parts = _taken_apart(parsed)
        asked_of = parts.get("X") or parts.get("rest") or ""
        words = asked_of.split()
        if kind in ("did", "placed", "measure") and len(words) <= MOST_THING_WORDS:
            return asked_of
        if _they(words):
            return words[0]
    else:
        asked_of = _taken_apart(parsed)[1].get("X") or parsed.topic
        if not _NAME.match(asked_of) or not parsed.subject:
            return asked_of
    if parsed.subject and parsed.subject in asked_of:
        return ("the " if f"the {parsed.subject}" in asked_of else "") + parsed.subject
    names = _NAME.findall(asked_of)
    if names:
        following = asked_of.rpartition(names[-1])[2].split(" ")[1:2]  # "the Greek gods"
        known = english().prepositions | english().wh | english().determiners
        noun = names[-1].startswith("the ") and following and following[0] not in known and not _is_verb(following[0])
        return " ".join(names[-1:] + (following if noun else []))
    words = asked_of.split()
    if words[:1] == ["to"]:  # "how to bake a cake"
        words = words[2:]
    end = next((i for i, word in enumerate(words) if i and _is_verb(word)), len(words))
    if not words or end > MOST_THING_WORDS or _is_verb(words[0]):
        return parsed.subject
    return re.sub(r"^an? ", "the ", " ".join(words[:end]))


def is_personal(parsed: ParsedQuestion) -> bool:
    """Whether it asks for somebody's own affairs (home, family, health, money ...): only there does privacy explain
    a vague answer."""
    cues = (cue for group in load_phrases().context for cue in group["cues"])
    named = is_full_name(parsed.subject)
    name = re.escape(parsed.subject or "")
    owned = named and re.search(rf"\b(?:by|author) {name}|{name}['’]", parsed.question)
    cued = named and any(re.search(rf"\b{cue}", parsed.question, re.IGNORECASE) for cue in cues)
    return bool(owned or cued or parsed.subject and _PERSONAL.search(parsed.question))


def _taken_apart(parsed: ParsedQuestion) -> tuple[str | None, dict[str, str]]:
    """The kind of a question, as the groups of forms are named, and the parts that they are filled with."""
    return (_clause if parsed.clause else _noun_phrase)(parsed.topic, parsed.question)


def _clause(topic: str, question: str) -> tuple[str | None, dict[str, str]]:
    """An indirect question's kind and parts."""
    asked, _, rest = topic.partition(" ")
    words = rest.split()
    if len(words) < 2:
        return None, {}
    if asked == "who":
        if words[-1] in english().be:
            return "who", {"T": " ".join(words[:-1]), "is": words[-1]}
        if words[0] in PAST_FORMS or words[0].endswith("ed"):
            return "did", _done(words[0], _DATED.sub("", " ".join(words[1:])))
        if _is_verb(words[0]):  # "who plays Iron Man"
            return ("does", {"V": words[0], "X": " ".join(words[1:])}) if is_inflected(words[0]) else (None, {})
        return "whom", {"rest": rest}
    measure = load_phrases().measures.get(words[0])
    if asked == "how" and measure and words[-1] in english().be:
        return "measure", {"how": words[0], "A": measure, "X": " ".join(words[1:-1]), "is": words[-1]}
    if asked in ("where", "when", "why") or asked == "how" and words[0] not in ("many", "much", "old", "long", "far"):
        if asked == "where" and words[-1] in english().be:
            return "placed", {"X": " ".join(words[:-1]), "is": words[-1]}
        return "occasion" if asked == "when" and not _is_past(words) else asked, {"rest": rest}
    definite = english().determiners - {"other", "some", "any", "several"}
    if asked == "what" and (words[0][0].isupper() or words[0] in definite | english().plain_subjects or _they(words)):
        return "what", {"rest": rest}
    if asked in ("what", "which") or asked == "how" and words[0] == "many":
        inverted = re.search(r"\b(?:do|does|did)\b", question) is not None
        return _asked_for(f"{asked} many" if asked == "how" else asked, words[asked == "how" :], inverted)
    return None, {}


def _asked_for(asked: str, words: list[str], inverted: bool) -> tuple[str | None, dict[str, str]]:
    """ "which river flows through Cairo" (predicate), "what illness Ada Moor has" (gap), "what color is the sky".

    inverted: the question has the verb before who does it ("which gas do plants absorb").
    """
    be, determiners = english().be, english().determiners
    subjects = determiners | english().plain_subjects
    at = next((i for i, w in enumerate(words) if i and (
        w[0].isupper() or w in subjects or is_inflected(w) or _they(words[i:]))), None)  # fmt: skip
    if at and at > 1 and words[at + 1 :] and set(words[at + 1 :]) <= english().prepositions:
        at = 1  # "which country sushi comes from": who does it stands before the verb
    if asked == "how many" and "there" in words[1:-1] and words[words.index("there") + 1] in be:
        there = words.index("there")  # "how many planets there are in the solar system"
        words = [*words[:there], *words[there + 2 :], words[there + 1]]
    if asked == "how many" and words[-1] in be and words[0] not in be:
        noun = words[:-1]
        return "count", {"noun": " ".join(noun), "is": words[-1], "X": _after_preposition(noun)}
    if at is None or at + 1 >= len(words) or is_inflected(words[0]):
        return None, {}
    if set(words[:at]) & english().prepositions - {"of"}:
        return None, {}
    noun, verb, rest = " ".join(words[:at]), words[at], " ".join(words[at + 1 :])
    if verb in be and (words[at + 1] in determiners or words[at + 1][0].isupper()) and asked != "how many":
        if words[-1] in english().prepositions:  # "what metal is a penny made of"
            done = next((i for i, word in enumerate(words) if i > at + 1 and is_participle(word)), len(words) - 1)
            said = [*words[at + 1 : done], verb, *words[done:]]
            return "gap", {"noun": noun, "is": _be(noun), "rest": " ".join(said), "asked": asked}
        if noun.split()[0] in ("kind", "sort", "type"):
            return "sort", {"noun": noun, "is": verb, "X": rest}
        named = (rest.startswith("the ") or "'s" in rest) and words[at - 1] not in english().properties
        if not named:  # "which city is the capital" asks for a city, "what color is the sky" for the sky's color
            return "attribute", {"noun": noun, "is": verb, "X": rest}
    if is_inflected(verb) or not inverted and _does(noun, verb, words[at + 1]):
        return ("predicate", {"noun": noun, "verb": verb, "rest": rest}) if asked != "how many" else (None, {})
    parts = {"noun": noun, "is": _be(noun), "rest": " ".join(words[at:]), "asked": asked}
    return ("number" if asked == "how many" else "gap"), parts


def _after_preposition(words: list[str]) -> str:
    at = next((i for i, word in enumerate(words) if word in english().prepositions), len(words) - 1)
    return " ".join(words[at + 1 :])


def _done(verb: str, done: str) -> dict[str, str]:
    """Parts of "who invented the telephone": an active form, a passive one, and who does such things."""
    agents = load_phrases().agents
    base = next((each for each in agents if BASE_OF.get(verb) == each or past(each) == verb), "")
    agent, work = agents.get(base, ("", ""))
    plural = is_plural(done) and not done[0].isupper()
    named = {"V": verb, "X": done, "P": participle(verb), "was": "were" if plural else "was"}
    return named | {"agent": agent, "work": work}


def _noun_phrase(topic: str, question: str) -> tuple[str, dict[str, str]]:
    """ "the capital of Japan": the whole, and what has it; who is asked for where the question says who."""
    parts = {"T": topic, "is": _be(topic)}
    owned = re.match(r"the ([\w -]+?) of ((?:the |an? )?[\w'. -]+)$", topic)
    owned = owned or re.match(r"()(.+?)'s? ([\w -]+)$", topic)
    if owned:
        attribute, owner = (owned[1], owned[2]) if owned[1] else (owned[3], owned[2])
        words = owner.split()
        if _NAME.fullmatch(owner) or words[0] in english().determiners and not set(words) & english().prepositions:
            parts |= {"A": attribute, "X": owner, "kind": load_phrases().kinds.get(attribute, "")}
    if re.match(r"who\b", question, re.IGNORECASE):
        return "who", parts
    return ("noun" if "X" in parts else "meaning" if is_bare(topic) else "whole"), parts


def _they(words: list[str]) -> bool:
    """Whether this is several of a kind, and what they do: "bees make"."""
    en = english()
    no_verb = en.aux | en.prepositions | en.wh | en.plain_subjects
    done = words[1:2] and words[1].islower() and words[1] not in no_verb and not is_plural(words[1])
    return bool(done) and words[0].islower() and is_plural(words[0]) and words[-1] not in en.be


def _is_past(words: list[str]) -> bool:
    past_forms = PAST_FORMS | {"was", "were"}
    return not {"is", "are"} & set(words) and any(word in past_forms or word.endswith("ed") for word in words)


def _does(noun: str, verb: str, following: str) -> bool:
    """Whether a word that no list of verbs has is one: "pumps" of "what organ pumps blood"."""
    one = verb[0].islower() and verb.endswith("s") and not is_plural(noun) and verb not in english().determiners
    return one and following not in BASE_VERBS and verb not in english().plain_subjects


def _be(noun: str) -> str:
    return "are" if is_plural(noun) else "is"


def _is_verb(word: str) -> bool:
    """A verb by its form, in a place where a noun would be odd: "flows", "makes", "began", "has"."""
    base = BASE_OF.get(word, word)
    known = word in english().aux or word in PAST_FORMS or is_participle(word)
    return known or base in BASE_VERBS or any(third_person(v) == word for v in {word[:-1], word[:-2]} & BASE_VERBS)


def is_inflected(word: str) -> bool:
    """A verb in a form that a noun hardly has: not "impact" and "work"."""
    return word in english().aux or word not in BASE_VERBS and _is_verb(word)
