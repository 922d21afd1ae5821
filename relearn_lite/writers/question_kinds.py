"""Of what kind a question is, and the parts that the forms of that kind (phrases.yaml) are filled with: of an indirect
question ("who invented the telephone") or a noun phrase ("the capital of Japan"), as `parse_question` made it."""

from __future__ import annotations

import re
from functools import cache

from relearn_lite.text.verbs import BASE_VERBS, base_of, is_past_form, participle, past, third_person
from relearn_lite.writers.choices import choice
from relearn_lite.writers.clauses import is_inflected, is_verb
from relearn_lite.writers.noun_phrases import be_of, is_bare, is_plural, main_noun
from relearn_lite.writers.phrases import english, load_phrases
from relearn_lite.writers.question_parser import ParsedQuestion, asks_about
from relearn_lite.writers.word_roles import (
    after_preposition,
    begins,
    counted,
    does,
    happened,
    is_doing,
    is_past,
    noun_asked_for,
    several_do,
    short,
    subject_at,
    tail_at,
    they,
)

NAME = re.compile(r"(?<!\w)(?:the )?(?:\d{4} )?[A-Z][\w'’.-]*(?: (?:(?:of|the|de|da) )?[A-Z][\w'’.-]*)*")
_DATED = re.compile(r" (?:in|on|around|about) (?:(?!the )(?:\w+ )?\d{3,4}|the (?:\w+ )?\d{3,4}s)\b(?! [A-Z]).*$")
_STAND_FOR = re.compile(  # GPS, PhD, U.S.
    r"(?:the (?:letters|abbreviation|acronym|initials) )?(\w*[A-Z]\w*[A-Z]\w*|(?:[A-Z]\.)+[A-Z]?) stands? for$"
)
_THE_NAMED = re.compile(r"the [A-Z][\w'-]*(?: [\w-]+){0,3}$")  # the Magna Carta, the Pythagorean theorem

Parts = dict[str, str]


@cache
def taken_apart(parsed: ParsedQuestion) -> tuple[str | None, Parts]:
    """The kind of a question, as the groups of forms are named, and its parts; (None, {}) where that is not sure."""
    if parsed.topic is None:
        return None, {}
    return (_clause if parsed.clause else _noun_phrase)(parsed.topic, parsed.question)


def _clause(topic: str, question: str) -> tuple[str | None, Parts]:
    """An indirect question's kind and parts."""
    en = english()
    asked, _, rest = topic.partition(" ")
    words = rest.split()
    if len(words) < 2:
        return None, {}
    if between := choice(topic):
        return "choice", between
    inverted = re.search(r"\b(?:do|does|did)\b", question) is not None
    if words[0] in ("and", "or"):
        return "both", {"rest": topic}
    if asked in en.prepositions:
        return _after_its_preposition(asked, words)
    if asked == "whether":
        return asked, {"rest": rest, "plain": re.sub(r"\bany\b", "some", rest.replace(" ever ", " "))}
    if asked == "who":
        return _who(words)
    if asked == "how" and words[0] in en.degrees:
        return _degree(words)
    if asked in ("where", "when", "why") or asked == "how" and words[0] != "many":
        if asked == "where" and words[-1] in en.be:
            sight = " ".join(words[:-1]) if re.search("[A-Z]", rest) and "'s" not in rest else ""
            return "placed", {"X": " ".join(words[:-1]), "is": words[-1], "sight": sight}
        begun = {"where": rest if words[-1] in en.prepositions else f"{rest} in"}
        so = words[0].islower() and words[0] not in en.determiners and begins(words[1])  # "how successful Ada Moor is"
        if asked == "how" and words[0] != "to" and words[-1] not in en.be and not so:
            begun["how"] = f"{rest} in a way that"
        kind = "occasion" if asked == "when" and not is_past(words) else asked
        return kind, {"rest": rest, "begun": begun.get(asked, ""), **happened(words)}
    straight = re.search(r"\bwhat (is|are|was|were|do|does|did|can|must)\b", question, re.IGNORECASE)  # no noun
    done = straight and straight[1].lower() not in en.be and words[0] not in en.aux
    if asked == "what" and not done and is_doing(words):
        return "cause", {"V": words[0], "X": " ".join(words[1:])}
    if asked == "what" and words[0] in ("a", "an") and words[-1] in en.be:
        return "meaning", {"T": " ".join(words[:-1]), "is": words[-1]}
    definite = en.determiners - {"other", "some", "any", "several"}
    noun = noun_asked_for(words, question)
    known = words[0][0].isupper() or words[0] in definite | en.plain_subjects or they(words) or done
    if asked == "what" and known and not noun:
        return _what(words, question)
    is_at = next((i for i, word in enumerate(words) if i and word in en.be), 0)
    ends = en.be | en.prepositions | {"called", "named"}
    at_the_end = words[-1] in ends and not any(map(begins, words[1:]))
    if asked == "what" and is_at and not noun and (at_the_end or straight):
        if words[-1] in en.be:  # "what photosynthesis is"
            return "meaning", {"T": " ".join(words[:-1]), "is": words[-1]}
        return _what(words, question)  # "what hummus is made of"
    if asked in ("what", "which"):
        return _asked_for(asked, words, inverted, noun)
    return _how_many(words[1:], inverted) if asked == "how" else (None, {})


def _what(words: list[str], question: str) -> tuple[str, Parts]:
    """What something does (what), means (means), is called (called), or a few letters stand for (letters)."""
    en, said = english(), " ".join(words)
    parts, ends = {"rest": said, "short": short(words)}, [*words[-2:]]
    if ends[-1] == "called" and ends[0] in en.be:
        thing = " ".join(words[:-2])
        return "called", parts | {"X": thing, "is": ends[0], "one" if "name of" in question else "sort": thing}
    if letters := _STAND_FOR.match(said):
        return "letters", parts | {"short": said, "X": letters[1]}
    if ends[-1] in ("means", "mean"):
        word = said.rpartition(" ")[0]
        return "means", parts | {"short": said, "X": word, "word": "" if words[0] in en.determiners else word}
    if ends in (["stands", "for"], ["stand", "for"]):  # "the S in SOS stands for"
        return "what", parts | {"short": said}
    if at := tail_at(words, question):  # "in Swahili the word safari means"
        return "what", parts | {"short": " ".join(words[at:] + words[:at]) if short(words[:at]) else ""}
    asked = question.rstrip("?.! ").split()[-1]  # "does the heart pump": is pumped
    last = ends[-1] in (asked, third_person(asked), past(asked)) and asked in BASE_VERBS
    if last and not any(map(is_verb, words[1:-1])):  # also "the rings on the flag represent"
        parts["short"] = said
    often = ends[0] in en.adverbs or ends[0].endswith("ly")  # no "is eaten by koalas mostly"
    if parts["short"] and last and asked not in en.intransitive and not often:
        be = "was" if re.search(r"\bdid\b", question) else "is"
        parts["done"] = f"{be} {participle(past(asked))} by {' '.join(words[:-1])}"
    return "what", parts


def _who(words: list[str]) -> tuple[str | None, Parts]:
    first = 1 + ((words[0] in english().adverbs or words[0].endswith("ly")) and is_past_form(words[1]))  # "first did"
    verb, rest = " ".join(words[:first]), " ".join(words[first:])
    if words[-1] in english().be:
        return "who", {"T": " ".join(words[:-1]), "be": words[-1], **_naming(" ".join(words[:-1]))}
    done = is_past_form(verb)
    nothing = english().prepositions | english().particles | english().adverbs | {"and", "or", "too", "so", "very"}
    passive = first == 1 and base_of(verb) not in english().intransitive and not words[1].endswith("ly")
    if done and passive and words[1] not in nothing:
        return "did", _done(verb, rest)
    done = is_past_form(verb, made=True)  # "who shot John Lennon"
    unlisted = verb.islower() and verb.endswith("s") and not begins(verb) and not they(words)
    if done or is_verb(verb) or unlisted:  # "who plays Iron Man", "who came up with it"
        one = "" if base_of(verb) in english().group_deeds else "person"
        be = "was" if done or verb in ("was", "were", "had") else "is"
        known = done or unlisted or is_inflected(verb)
        parts = {"V": verb, "X": rest, "is": be, "one": one, "who": "person who" if one else "one that"}
        return ("does", parts) if known else (None, {})
    return "whom", {"rest": " ".join(words), "short": short(words)}


def _degree(words: list[str]) -> tuple[str | None, Parts]:
    """ "how tall Mount Everest is" (measure), "how long elephants live"."""
    en, measure = english(), load_phrases().measures.get(words[0])
    if words[1] in ("away", "ago"):
        words = [" ".join(words[:2]), *words[2:]]
    is_at = next((i for i in range(len(words) - 1, 0, -1) if words[i] in en.be), 0)
    tail = words[is_at + 1 :]
    if measure and is_at > 1 and words[1] not in en.plain_subjects and (not tail or tail[0] in en.prepositions):
        parts = {"how": words[0], "A": measure, "X": " ".join(words[1:is_at]), "is": words[is_at]}
        return "measure", parts | {"tail": " ".join(["", *tail])}
    subject = begins(words[1]) or they(words[1:])
    if words[0] == "much" and not subject and (at := subject_at(words[1:])) and words[at + 2 :]:  # "much money Ada has"
        return "amount", {"noun": " ".join(words[1 : at + 1]), "rest": " ".join(words[at + 1 :])}
    if len(words) < 3 or words[0] in ("much", "many") and not subject:
        return None, {}
    return "extent", {"how": words[0], "rest": " ".join(words[1:]), "short": short(words[1:])}


def _after_its_preposition(asked: str, words: list[str]) -> tuple[str | None, Parts]:
    """ "with which country Texas united in 1845"."""
    at, whole = subject_at(words[1:]), " ".join([asked, *words])
    if not at or words[0] not in ("which", "what"):
        return ("both", {"rest": whole, "one": f"the one {whole} is"}) if words[0] == "whom" else (None, {})
    noun = " ".join(words[1 : at + 1])
    return "fronted", {"prep": asked, "noun": noun, "is": be_of(noun), "rest": " ".join(words[at + 1 :])}


def _asked_for(asked: str, words: list[str], inverted: bool, known: int) -> tuple[str | None, Parts]:
    """ "which river flows through Cairo" (predicate), "what illness Ada Moor has" (gap), "what color is the sky".

    inverted: the question has the verb before who does it ("which gas do plants absorb").
    known: how many words name what is asked for, 0 where that is not sure.
    """
    en = english()
    words = ["one", *words] if words[0] == "of" else words  # "which of the planets"
    if several := 0 if known else several_do(words, inverted):
        noun, verb, rest = " ".join(words[:several]), words[several], " ".join(words[several + 1 :])
        return "predicate", _predicate(noun, verb, rest)
    at = known or subject_at(words)
    if not known and at and at > 1 and words[at + 1 :] and set(words[at + 1 :]) <= en.prepositions:
        at = 1  # "which country sushi comes from": who does it stands before the verb
    if not inverted and (at is None or not any(map(is_inflected, words[at:]))):  # "what command lists files in Linux"
        at = next((i for i, w in enumerate(words[:-1]) if i and does(" ".join(words[:i]), w, words[i + 1])), at)
    if at is None or at + 1 >= len(words) or is_inflected(words[0]):
        return None, {}
    if asked == "what" and at == 1 and set(words[2:]) <= en.prepositions:  # "what cpu stands for"
        return "what", {"rest": " ".join(words), "short": " ".join(words)}
    noun, verb, rest = " ".join(words[:at]), words[at], " ".join(words[at + 1 :])
    if set(words[:at]) & en.prepositions - {"of"} and not is_inflected(verb):
        return None, {}
    kind_of = words[at - 1] in en.properties | en.times
    if words[-1] in en.be and not any(map(is_verb, words[at:-1])):  # "color Pac-Man is"
        return _is_what(noun, " ".join(words[at:-1]), words[-1], kind_of)
    bare = words[at - 1] in en.properties and not (is_verb(words[at + 1]) or words[at + 1] in en.prepositions)
    if verb in en.be and (bare or words[at + 1] in en.determiners or words[at + 1][0].isupper()):  # "are flamingos"
        named = (rest.startswith("the ") or "'s" in rest) and words[at - 1] not in en.properties
        if not named or noun.split()[0] in ("kind", "sort", "type"):
            # "which city is the capital" asks for a city, "what color is the sky" for the sky's color
            return _is_what(noun, rest, verb, kind_of)
    if is_inflected(verb) or not inverted and does(noun, verb, words[at + 1]):
        return "predicate", _predicate(noun, verb, rest)
    return "gap", _gap(asked, noun, words[at:])


def _predicate(noun: str, verb: str, rest: str) -> Parts:
    return {"noun": noun, "verb": verb, "rest": rest, "is": be_of(noun), "single": "" if is_plural(noun) else noun}


def _is_what(noun: str, of: str, be: str, property_of: bool) -> tuple[str, Parts]:
    """ "the color of the sky", but a shark has no kind, and Bambi no animal."""
    sort = noun.split()[0] in ("kind", "sort", "type") or not property_of
    its, has = {"are": ("is", "do"), "is": ("is", "does"), "were": ("was", "did"), "was": ("was", "did")}[be]
    return "sort" if sort else "attribute", {"noun": noun, "is": be, "X": of, "be": its, "do": has}


def _gap(asked: str, noun: str, said: list[str]) -> Parts:
    """What is asked for, and what is said of it: "the country that Egypt is in", but "the year that it began"."""
    en, rest, of = english(), " ".join(said), noun.split()[-1]
    parts = {"noun": noun, "is": be_of(noun), "rest": rest, "that": rest, "asked": asked, "short": short(said)}
    parts["was"] = "was" if is_past(said) else "is"
    at = said[-1] if said[-1] in ("in", "on", "at") else ""
    told, begun, event = " ".join(plain := said[:-1] if at else said), "", happened(plain)
    if of in en.times and told.split()[-1] not in en.be:  # not "Diwali is"
        brief = at == "in" and of not in ("century", "decade")
        parts |= {"that": told if brief else rest, "when": told}
        parts |= {"at": at or ("on" if of in ("day", "date") else "in")}
        once = parts["was"] == "was" or parts["at"] == "on"  # not every year in a year
        begun = f"{told} {parts['at']}" if once else ""
    if of in en.places and at:  # "the Taj Mahal is in", "Mozart was born in"
        where = {"placed": " ".join(said[:-2])} if said[-2] in en.be else {"where": told}
        parts |= where | {"at": at}
        begun = f"{told} in"
    event |= {} if of in en.times else {"event": ""}  # a year, but not a country, "of the invention of pizza"
    return parts | event | {"begun": begun or f"the {noun} that {parts['that']} {parts['is']}"}


def _how_many(words: list[str], inverted: bool) -> tuple[str | None, Parts]:
    """ "how many legs a spider has" (number), "how many planets are in the solar system" (count)."""
    en = english()
    there = words.index("there") if "there" in words[1:-1] else 0  # "how many moons there are around Mars"
    words = [word for i, word in enumerate(words) if not there or i != there]
    is_at = next((i for i, w in enumerate(words) if i and w in en.be), 0)
    if is_at and (is_at in (there, len(words) - 1) or words[is_at + 1] in en.prepositions):
        noun = [*words[:is_at], *words[is_at + 1 :]]
        return "count", {"noun": " ".join(noun), "is": words[is_at], "X": after_preposition(noun), **counted(noun)}
    at = several_do(words, inverted) or subject_at(words)
    if at is None or at + 1 >= len(words) or set(words[:at]) & en.prepositions - {"of"}:
        return None, {}
    doing = words[at] in BASE_VERBS or is_inflected(words[at])
    parts = {"noun": " ".join(words[:at]), "rest": " ".join(words[at:]), "X": after_preposition(words)}
    return ("counted", parts) if doing else ("number", parts)


def _done(verb: str, done: str) -> Parts:
    """Parts of "who invented the telephone": an active form, a passive one, and who does such things."""
    agents, base = load_phrases().agents, base_of(verb)
    agent, work, also = agents.get(base, ("", "", ""))
    tail = _DATED.search(done)
    done = _DATED.sub("", done)
    plural = is_plural(done) and not done[0].isupper()
    named = {"V": verb, "X": done, "P": participle(verb), "was": "were" if plural else "was"}
    one = "" if base in english().group_deeds else "person"
    return named | {"agent": agent, "work": work, "also": also, "one": one, "tail": tail[0] if tail else ""}


def _noun_phrase(topic: str, question: str) -> tuple[str, Parts]:
    """ "the capital of Japan": the whole, and what has it; who is asked for where the question says who."""
    parts = {"T": topic, "word": topic if " " not in topic and topic.islower() else "", **_naming(topic)}
    owned = re.match(r"the ([\w -]+?) of ((?:the |an? )?[\w'. -]+)$", topic)
    owned = owned or re.match(r"()(.+?)'s? ([\w -]+)$", topic)
    if owned:
        attribute, owner = (owned[1], owned[2]) if owned[1] else (owned[3], owned[2])
        words = owner.split()
        known = NAME.fullmatch(owner) or words[0] in english().determiners and not set(words) & english().prepositions
        if known and not re.search(r"[A-Z][a-z]", attribute):
            parts |= {"A": attribute, "X": owner, "kind": load_phrases().kinds.get(attribute, "")}
            parts |= {"a": "an" if attribute[0] in "aeiou" else "a", "has_one": attribute if parts["kind"] else ""}
            parts |= {"place": owner if attribute in english().of_places else "", "own": "" if parts["kind"] else topic}
    was = re.match(r"(?:who|what) (was|were)\b", question, re.IGNORECASE)
    parts["be"] = {"is": "was", "are": "were"}[parts["is"]] if was else parts["is"]
    if asks_about(question):
        return "about", parts
    if re.match(r"who\b", question, re.IGNORECASE) or main_noun(topic) in english().doers:
        return "who", parts
    named = _THE_NAMED.match(topic) and not english().people.match(topic.split()[1])
    bare = is_bare(topic) or named and not set(topic.split()) & english().prepositions
    return ("noun" if "X" in parts else "meaning" if bare else "whole"), parts


def _naming(topic: str) -> Parts:
    return {"is": be_of(topic), "name": "names" if is_plural(topic) else "name"}
