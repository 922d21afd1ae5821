"""What a question is about, in words that fit into another sentence.

"Where does Ada Moor live?" gives the clause "where Ada Moor lives", "Who are Ada Moor's parents?" the noun phrase
"Ada Moor's parents". English only; what is not certain is None, and the caller then names the subject alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from relearn_lite.text.turns import is_passage, last_turn
from relearn_lite.text.verbs import past, third_person
from relearn_lite.text.words import ABBREVIATIONS, sentences
from relearn_lite.writers.choices import choice
from relearn_lite.writers.clauses import MASKED, question_topic, stranded
from relearn_lite.writers.noun_phrases import SUBJECT, is_bare, is_plural, noun_phrase, tidy
from relearn_lite.writers.phrases import english, load_phrases
from relearn_lite.writers.subject import find_subject, is_latin, mask_quotes
from relearn_lite.writers.word_order import GAP, in_order, whole_question

_DOT = "\ua78f"  # a letter that no question has: it stands for the dot of "Jr.", which ends no sentence and no name
_ABBREVIATED = re.compile(
    rf"\b(?:(?i:{'|'.join(map(re.escape, sorted(ABBREVIATIONS)))})\.|[A-Z]\.(?:(?:[A-Z]\.)+|(?= ?\w)))"
)
_THE_NAME = re.compile(
    rf"^([Ww]hat) (is|was) the name of "
    rf"((?:{SUBJECT}'s |[^{SUBJECT},]*{SUBJECT} (?=[a-z]))?[^{SUBJECT},\d]+(?: (?:which|who|that|where) [^,]+)?)$"
)


@dataclass(frozen=True)
class ParsedQuestion:
    """A question taken apart. `topic` is a noun phrase or, if `clause`, an indirect question; None: not understood.

    `vague_topic` is the topic without titles, addresses and numbers, for answers that should not repeat them.
    `after_tell` asks the whole question after "tell me ...", `after_about` after "tell me about ..."; None where that
    would leave something out. `influence` is (A, B) of "how A influenced B".
    """

    question: str
    subject: str | None
    topic: str | None = None
    vague_topic: str | None = None
    clause: bool = False
    plural: bool = False
    after_tell: str | None = None
    after_about: str | None = None
    influence: tuple[str, str] | None = None
    latin: bool = True


def parse_question(question: str) -> ParsedQuestion:
    """Takes a question (or a request in other words) apart; never fails; `topic` says whether it was understood.

    Of a conversation, its last turn. A passage asks nothing.
    """
    text = " ".join(last_turn(question)[1].translate({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"'}).split())
    if is_passage(question) or not is_latin(text):
        return ParsedQuestion(text, None, latin=is_latin(text))
    masked, quotes = mask_quotes(_ABBREVIATED.sub(lambda short: short[0].replace(".", _DOT), text))
    masked = whole_question(masked)
    subject = find_subject(masked)
    if subject:
        masked = re.sub(rf"{re.escape(subject)}(?!\w)", SUBJECT, masked)
        masked = re.sub(rf"{SUBJECT}'(?!s\b)(?= )", f"{SUBJECT}'s", masked)
        subject = subject.replace(_DOT, ".")
    core, tail = _core(masked)
    phrase, clause = _topic(core)
    if phrase is None or (subject and SUBJECT not in phrase) or len(phrase.split()) > 30:
        return ParsedQuestion(text, subject)

    owner = f"{subject}'" if f"{subject}' " in text else f"{subject}'s"  # the Beatles'

    def shown(part: str | None) -> str | None:
        if part is None:
            return None
        part = MASKED.sub(lambda m: quotes[m[0]], part).replace(_DOT, ".")
        return part.replace(f"{SUBJECT}'s", owner).replace(SUBJECT, subject or "")

    vague = _vague(phrase)
    influence = _influence(phrase) if clause and vague == phrase else None
    after_tell, after_about = _asked_again(core, phrase, clause, tail) if _covers(phrase, core) else (None, None)
    return ParsedQuestion(
        question=text,
        subject=subject,
        topic=shown(phrase),
        vague_topic=shown(vague),
        clause=clause,
        plural=not clause and is_plural(phrase),
        after_tell=shown(after_tell),
        after_about=shown(after_about),
        influence=(shown(influence[0]), shown(influence[1])) if influence else None,
    )


def asks_about(question: str) -> bool:
    """Whether it is a request to tell of something, not to name it: "Can you tell me about", "describe"."""
    en = english()
    asked = en.request.match(question[:1].lower() + question[1:])
    told = asked and asked[0].split()[-1] in ("describe", "discuss", "elaborate")
    return bool(told or asked and en.request_for.match(question[asked.end() :]))


def _asked_again(core: str, phrase: str, clause: bool, tail: str | None) -> tuple[str | None, str | None]:
    """What follows "tell me" and "tell me about", with a second question at the end if there is one."""
    if tail is None:
        return None, None
    if clause:
        return phrase + tail, None
    be = re.match(r"(what|who|how) (is|are|was|were) ", core, re.IGNORECASE)
    if not be:
        return None, None if tail else phrase
    asked, verb = be[1].lower(), be[2].lower()
    if len(phrase.split()) <= 8 and (asked != "what" or tail or is_bare(phrase)):
        return f"{asked} {phrase} {verb}{tail}", None
    return (None, None) if tail else (phrase if asked == "what" else None, phrase)


def _core(masked: str) -> tuple[str, str | None]:
    """The question itself, without what leads up to it, politeness and the final mark; and its second question.

    The second question is "" if there is none, and None if it cannot be put into a clause.
    """
    en = english()
    core = _whole_asks().sub("", masked)
    parts = sentences(core)
    if len(parts) > 1:
        core = next((p for p in reversed(parts) if p.endswith("?")), parts[-1])
    core = en.contracted.sub(r"\1 is", en.announced.sub("", core).rstrip(" ?.!_…:"))
    core = en.misspelt_what.sub("what", core)
    core = re.sub(r"^([Ww]hat) do (?:you|we|people|they) call (?=.*\w$)(.+)$", r"\1 is \2 called", core)
    core = _THE_NAME.sub(r"\1 \2 \3 called", core)
    core = re.sub(r"^([Ww]hat happens (?:when|if)) (?:you|we)\b", r"\1 people", core)
    core = re.sub(r"\s+(?:pls|plz|thx|thanks)$", "", core).rstrip(" ?.!")
    core = re.sub(rf"\bthe (?:[\w-]+ ){{1,3}}?[\w-]+, {SUBJECT},", SUBJECT, core)  # "the local author, Ada Moor,"
    core = re.sub(rf"{SUBJECT}, (?:the|an?) [^,]+,", SUBJECT, core)
    core = en.aside.sub("", core)
    need = re.match(r"I (?:need|want|would like) to ([^;]+); ", core)
    if need:
        return f"how to {need[1]}", ""
    framed = _unframed(core)
    if framed:
        return in_order(framed, False), ""
    lead = re.match(r"([^,]+), (?=(\w+) )", core)
    openers = en.wh | en.aux
    if "?" in masked and lead and lead[2].lower() in openers and lead[1].split()[0].lower() not in openers | {"tell"}:
        core = core[lead.end() :]
    core = in_order(core, "?" in masked or GAP.search(masked) is not None or core.split()[-1:] in (["is"], ["by"]))
    second = en.second_question.search(core)
    if not second or re.match(r"(?:when|how|where) and ", core, re.IGNORECASE):
        return core, ""
    return core[: second.start()], _second(second[0])


def _second(tail: str) -> str | None:
    """ ", and with whom" as it stands, ", and who are the children" as ", and who the children are"."""
    en = english()
    words = re.sub(r"^,? and ", "", tail).split()
    if len(words) <= 2:
        return f", and {' '.join(words)}"
    if words[0] in en.wh and words[1] in en.be and not set(words) & {SUBJECT, "and"}:
        return f", and {words[0]} {' '.join(words[2:])} {words[1]}"
    return None


@cache
def _whole_asks() -> re.Pattern[str]:
    """What our own variants put before a whole question."""
    return re.compile("|".join("^" + re.escape(frame.removesuffix("{Q}")) for frame in load_phrases().simple_whole))


@cache
def _frames() -> tuple[re.Pattern[str], ...]:
    """Patterns of our own question variants, in which the topic is found again."""
    phrases = load_phrases()
    framed = (*phrases.simple_tell, *phrases.simple_about, *phrases.logical_clause, *phrases.logical_noun)
    patterns = [re.escape(frame.rstrip("?.")).replace(r"\{T\}", "(.+)") for frame in framed]
    return tuple(re.compile(pattern + "$", re.IGNORECASE) for pattern in sorted(patterns, key=len, reverse=True))


def _unframed(core: str) -> str | None:
    """ "tell about" and the topic, if the question is one of our own variants, so that its answer keeps the topic."""
    en = english()
    found = next(filter(None, (pattern.match(core) for pattern in _frames())), None)
    if not found:
        return None
    topic = en.second_question.sub("", found[1])
    about = "" if topic.split()[0] in en.wh | {"whether", *en.prepositions} else "about "
    return f"tell me {about}{topic}"


def _topic(core: str) -> tuple[str | None, bool]:
    """The topic with placeholders, and whether it is a clause."""
    en = english()
    core = core[:1].lower() + core[1:] if not core.startswith(("I ", "¤", SUBJECT)) else core
    asked = en.request.match(core)
    rest = core[asked.end() :] if asked else core
    if asked:
        rest = en.request_for.sub("", rest)
        if en.indirect.match(rest):
            return (stranded(tidy(rest)), True) if not _inverted(rest) else question_topic(rest)
        return noun_phrase(rest), False
    if core.startswith("how to ") or choice(core):
        return tidy(core), True
    return question_topic(core)


def _inverted(text: str) -> bool:
    """Is this a direct question (verb before subject)? "where does § live" is, "where § lives" is not."""
    en = english()
    words = text.split()
    return len(words) > 2 and words[1] in en.aux and words[0] in en.wh and words[0] not in ("who", "what")


def _vague(phrase: str) -> str | None:
    """The topic without titles, addresses, mail addresses and numbers; None if it does not stand without them."""
    vague = re.sub(r"\bat ¤\d+", "at that address", phrase)
    vague = re.sub(r"(?<=address) ¤\d+", "", vague)
    vague = re.sub(r"\b(residence|home) at that address", r"\1", vague)
    vague = re.sub(r"\b(book|award|novel|series) ¤\d+", r"\1", vague)
    return None if MASKED.search(vague) or re.search(r"\d|@", vague) else vague


def _influence(phrase: str) -> tuple[str, str] | None:
    """(A, B) of "how A (has) influenced B", where B belongs to the subject named in A or names it."""
    match = english().influence.match(phrase)
    if not match or " and " in match[2]:
        return None
    cause, effect = match[1], match[2]
    owner = re.match(r"(his|her|their) ", effect)
    if not owner or f"{SUBJECT}'s" not in cause:
        return None
    return cause.rstrip(",").replace(f"{SUBJECT}'s", owner[1], 1), f"{SUBJECT}'s " + effect[owner.end() :]


def _covers(phrase: str, core: str) -> bool:
    """Does the phrase have the question's last word? What is left out ("..., given her age") stands at the end."""
    last = re.findall(rf"[\w{SUBJECT}¤]+", core)[-1]
    words = set(re.findall(rf"[\w{SUBJECT}¤]+", phrase))
    return bool(words & {last, third_person(last), past(last)}) or last in english().be
