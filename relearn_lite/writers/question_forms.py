"""The same question in other forms, by its kind, and the thing that it is about.

Works on what `parse_question` made of a question: an indirect question ("who invented the telephone", "where Ada Moor
lives") or a noun phrase ("the capital of Japan"). The forms stand in phrases.yaml; a question of no known kind has
none.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache

from relearn_lite.text.meaning import is_noun, may_be_verb
from relearn_lite.text.turns import bare
from relearn_lite.text.verbs import participle, past
from relearn_lite.writers.clauses import is_verb
from relearn_lite.writers.noun_phrases import is_plural
from relearn_lite.writers.phrases import english, load_phrases
from relearn_lite.writers.question_kinds import NAME, taken_apart
from relearn_lite.writers.question_parser import ParsedQuestion, parse_question
from relearn_lite.writers.subject import is_full_name
from relearn_lite.writers.word_roles import they

MOST_WORDS = 16  # of a topic: a longer one seldom stands well in another place
MOST_THING_WORDS = 5
MOST_BEFORE = 6
_QUOTED = re.compile(r"[()#@\"]|(?<!\w)'")
_TITLE = re.compile(r"\"[^\"()#@]+\"|(?<!\w)'[^'()#@]+'(?!\w)")
MOST_TITLED_WORDS = 8
_OPTIONAL = frozenset({"tail"})  # a part that need not be there
_NO_PRIVATE_PERSON = re.compile(r"^(?:Mount|Lake|Cape|Fort|New|San|Santa|Los|Las) | [IVX]+$")  # Henry VIII
_HIS = re.compile(r"\b(?:he|she|his|her|him|their)\b")


def rewordings(parsed: ParsedQuestion) -> list[str]:
    """Questions and requests that ask the same in other forms than the question's own; none where that is not sure."""
    topic, whole = parsed.topic, parsed.after_tell or parsed.after_about  # None: a part of it cannot be asked again
    kind, parts = taken_apart(parsed)
    several = kind != "choice" and "," in (whole or "")
    if topic is None or whole is None or several or len(topic.split()) > MOST_WORDS:
        return []
    if kind is None or parsed.subject and parts.get("T") == parsed.subject:  # "Who is Ada Moor?": nothing but a name
        return []
    late = len(parts.get("rest", "").split()) > MOST_BEFORE  # too much to stand before "what?"
    forms = [form for form in load_phrases().forms[kind] if not (late and form.startswith("{rest}"))]
    found = dict.fromkeys(filter(None, (_filled(form, parts) for form in forms)))
    asked = parsed.question.rstrip("?. ")
    return [text for text in found if text.rstrip("?.") != asked and "Name the name" not in text]


def other_wordings(question: str, taken: Collection[str]) -> list[str]:
    """Rewordings of a question, but for those in `taken`, which are as `bare` leaves them."""
    return [text for text in rewordings(parse_question(question)) if bare(text) not in taken]


def is_deed(parsed: ParsedQuestion) -> bool:
    """Whether it asks who did something: "Who wrote Hamlet?"."""
    return taken_apart(parsed)[0] == "did"


def asks_who(parsed: ParsedQuestion) -> bool:
    """Whether it asks for somebody, also as "Name the author of Emma."."""
    return taken_apart(parsed)[0] in ("did", "does", "who", "whom")


def statement(parsed: ParsedQuestion) -> str | None:
    """The question made the beginning of a statement: "Hamlet was written by", "The capital of Japan is"; None where
    that is not sure."""
    kind, parts = taken_apart(parsed)
    text = parsed.question if kind == "whom" else parsed.topic  # "Who is Ada Moor, the author?"
    if parsed.topic is None or kind != "choice" and "," in text or len(parsed.topic.split()) > MOST_WORDS:
        return None
    named = kind == "what" and parts["rest"].split(" ")[-1] in english().be  # "what H2O is"
    named = named or kind == "whom" and parts["rest"].endswith(" by")
    begun = "{rest}" if named else "{short}" if before_object(parsed) else load_phrases().statements.get(kind)
    return begun and _filled(begun, parts)


def before_object(parsed: ParsedQuestion) -> str | None:
    """The words after which what is asked for stands: "make" of "what bees make", "stands for" of "what CPU stands
    for"; None where it does not stand at the end."""
    kind, parts = taken_apart(parsed)
    words = parts.get("short", "").split()
    if kind not in ("what", "letters", "means", "whom") or len(words) < 2 or english().be & {*words[-2:]}:
        return None
    if words[-1] in english().prepositions | english().particles:
        return " ".join(words[-2:]) if len(words) > 2 and is_verb(words[-2]) else None
    changed = words[-1] != parsed.question.rstrip("?.! ").split()[-1]  # "does the heart pump", "the heart pumps"
    return words[-1] if len(words) == 2 or changed or is_verb(words[-1]) else None


def _filled(form: str, parts: dict[str, str]) -> str | None:
    """A form with its parts, a capital first; None where one of them is missing."""
    if not all(parts.get(name) or name in _OPTIONAL for name in re.findall(r"\{(\w+)\}", form)):
        return None
    owner = parts.get("X") or parts.get("whose", "")
    if owner.endswith("s") and (owner.startswith("the ") or is_plural(owner)):
        form = form.replace("}'s", "}'")  # the Netherlands' capital
    text = re.sub(r"\.\.$", ".", form.format_map({"tail": "", **parts}))  # "Name the person who founded Apple Inc.."
    return text[:1].upper() + text[1:]


@cache
def thing(parsed: ParsedQuestion) -> str | None:
    """What the question is about: "the telephone" of "Who invented the telephone?"; None where it is not certain."""
    found = _thing(parsed)
    titled = found and parsed.subject is None and len(found.split()) <= MOST_TITLED_WORDS
    titled = titled and found.startswith(("the ", '"', "'"))  # not "her book"
    fits = found and not _QUOTED.search(_TITLE.sub("", found) if titled else found)
    fits = fits and found.lower() not in english().plain_subjects
    fits = fits and (parsed.subject is None or parsed.subject in found)
    found = found if fits else parsed.subject
    with_the = found and re.sub("^the ", "", found) == parsed.subject
    with_the = with_the and re.search(rf"\b[Tt]he {re.escape(parsed.subject)}\b", parsed.question)
    return f"the {parsed.subject.removeprefix('The ')}{_nouns_after(parsed)}" if with_the else found


def _nouns_after(parsed: ParsedQuestion) -> str:
    """What belongs to "the" and a name, with a space before: "kernel" of "the Linux kernel is written in"; else ""."""
    named = rf"\bthe {re.escape(parsed.subject)} ([a-z][\w-]*)(?: ([A-Z]\S*(?: [A-Z]\S*)*|\S+))?"
    after = re.search(named, parsed.topic or "")
    if not after or is_verb(after[1]) or after[1] in english().noun_ends | english().wh or not is_noun(after[1]):
        return ""
    noun, following = after[1], after[2] or ""
    if following[:1].isupper():  # "the Python library PyTorch"
        return f" {noun} {following}"
    return f" {noun}" if following == "of" or (is_verb(following) if following else not parsed.clause) else ""


def _thing(parsed: ParsedQuestion) -> str | None:
    en = english()
    if parsed.topic is None or len(parsed.topic.split()) > MOST_WORDS:
        return parsed.subject
    kind, parts = taken_apart(parsed)
    if kind == "choice":
        return parts["AB"]
    if parsed.clause:
        asked_of = parts.get("X") or parts.get("rest") or parts.get("T") or ""
        words = asked_of.split()
        if kind in ("did", "placed", "measure") and len(words) <= MOST_THING_WORDS:
            return asked_of
        if they(words):
            return words[0]
    else:
        asked_of = parts.get("X") or parsed.topic
        if not NAME.match(asked_of) or not parsed.subject:
            return asked_of
    if parsed.subject and parsed.subject in asked_of:
        return ("the " if f"the {parsed.subject}" in asked_of else "") + parsed.subject
    if not parsed.subject and (titles := _TITLE.findall(asked_of)):
        return titles[-1]
    names = [name for name in NAME.findall(asked_of) if len(name) > 1]  # not the C of vitamin C
    if names:
        following = asked_of.rpartition(names[-1])[2].split(" ")[1:2]  # "the Greek gods"
        known = en.prepositions | en.wh | en.determiners
        noun = names[-1].startswith("the ") and following and following[0] not in known and not is_verb(following[0])
        return " ".join(names[-1:] + (following if noun else []))
    words, verb = asked_of.split(), parts.get("V" if kind == "cause" else "verb")
    if kind == "how" and words[:1] == ["to"]:  # "how to bake a cake"
        words = words[2:]
    elif words and set(words[:-1]) & en.prepositions and _tells_only(words[0], verb):
        first = next(i for i, word in enumerate(words) if word in en.prepositions)  # "used in lasagna"
        words = words[first + 1 :]
    ends = en.determiners | en.noun_ends - en.prepositions
    as_asked = parsed.question.rstrip("?.! ").split()  # "a match lasts", of "does a match last"
    end = next((i for i, word in enumerate(words) if i and (
        is_verb(word) or word not in as_asked or word in ends and words[i - 1] not in en.prepositions
        or words[i - 1] != "and" and is_plural(words[i - 1]) and may_be_verb(word)
    )), len(words))  # fmt: skip
    while end > 1 and words[end - 1] in en.prepositions:  # "the planets in | orbit"
        end -= 1
    if not words or end > MOST_THING_WORDS or is_verb(words[0]) or words[0] in en.owners | en.wh:
        return parsed.subject
    return re.sub(r"^an? ", "the ", " ".join(words[:end]))


def _tells_only(word: str, verb: str | None) -> bool:
    """Whether what is asked about stands only after a preposition: "used in lasagna", "closest to the sun"."""
    en = english()
    return is_verb(word) or word in en.prepositions | en.particles or verb in en.be and word not in en.determiners


def is_personal(parsed: ParsedQuestion) -> bool:
    """Whether it asks for somebody's own affairs (home, family, health, money ...): only there does privacy explain
    a vague answer."""
    name = re.escape(parsed.subject or "")
    made = re.search(rf"\b(?:{_known_for()}) (?:the \w+ )?{name}(?!['’\w])", parsed.question)
    kind, parts = taken_apart(parsed)
    if made or kind == "count" or kind == "did" and parts["agent"] and parts["X"] == parsed.subject:
        return False
    named = is_full_name(parsed.subject) and not _NO_PRIVATE_PERSON.search(parsed.subject)
    named = named and not re.search(rf"\bthe {name}\b", parsed.question, re.IGNORECASE)  # no name of a person
    owned = named and re.search(rf"\b(?:by|author) {name}|{name}['’]", parsed.question)
    cued = named and cues_in(parsed)
    several = " " not in (parsed.subject or " ") and is_plural(parsed.subject)  # the Vikings and their ships
    his = parsed.subject and not several and _HIS.search(parsed.question)
    return bool(owned or cued or his)


def cues_in(parsed: ParsedQuestion) -> list[str]:
    """Cues of phrases.yaml that occur in the question, outside the name that it is about: not "home" of Home Alone."""
    asked = re.sub(rf"\b{re.escape(parsed.subject)}\b", "", parsed.question) if parsed.subject else parsed.question
    cues = (cue for group in load_phrases().context for cue in group["cues"])
    return [cue for cue in cues if re.search(rf"\b{cue}", asked, re.IGNORECASE)]


@cache
def _known_for() -> str:
    """A pattern of what stands before a name that is known by its work."""
    agents = load_phrases().agents
    makers = "|".join(f"{agent} of" for agent, *_ in agents.values())  # "the author of Jane Eyre"
    deeds = "|".join(participle(past(deed)) for deed in agents if deed != "write")  # "was invented by Tim Berners-Lee"
    return rf"{makers}|(?:was|were) (?:{deeds})(?: in \d+)? by"
