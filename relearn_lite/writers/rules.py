"""The embedded writer: question variants and vague answers by rules, without a model, the same on every machine."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from typing import Any

from relearn_lite.recipe import WriterChoice
from relearn_lite.text.leaks import gives_away, leaks
from relearn_lite.text.turns import last_turn
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.beginnings import endings
from relearn_lite.writers.continuations import continuation
from relearn_lite.writers.noun_phrases import is_plural
from relearn_lite.writers.phrases import CHOICE, english, load_phrases
from relearn_lite.writers.question_forms import cues_in, is_personal, rewordings, thing
from relearn_lite.writers.question_parser import ParsedQuestion, parse_question

MIN_WORDS, MAX_WORDS = 8, 28  # length of a vague answer
THING_WORDS = 16  # up to so many, an answer about a thing may be longer than the one that it replaces
END_WORDS = 8  # up to so many after a beginning, however long that is
MAX_TOPIC_WORDS = 14  # a longer topic makes a clumsy sentence; the answer then names the subject only

FEW_FORMS = 6  # a half of the forms that has fewer is soon used up
REWORDED = 0.75  # share of simple variants in another form, where there are forms; the others ask "could you tell me"

_LAST_CLAUSE = re.compile(r", (?:\w+ )?\[[^\[\]]*\]$")  # ", and [it may stay that way|...]": not needed
_PRIVATE = re.compile(r"privat|privacy|personal|concerned|discretion", re.IGNORECASE)
_DOUBLE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)  # "how many children she has has ..."


def make(choice: WriterChoice, section: str, *_: Any) -> RulesWriter:
    """See `writers.make_writer`."""
    return RulesWriter(choice.opening if section == "augment" else "varied")


class RulesWriter(Writer):
    """Writes by filling in sentences. What it writes says nothing that the question does not say.

    opening: how answers about somebody's own affairs begin, see `augment.opening`.
    """

    name = "rules"  # it does not judge: its `verify` is the check that its answers have already passed

    def __init__(self, opening: str = "varied"):
        self._opening = opening

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None for `entities` and for an answer that no sentence could give without a leak."""
        return [self._write(task) for task in tasks]

    def _write(self, task: Task) -> str | None:
        if task.kind == "entities":
            return None
        if task.kind == "continue":
            return continuation(task)
        if task.kind == "verify":
            return "Yes" if leaks(task.text, task.question, task.answer) else "No"
        digest = hashlib.sha256(f"{task.kind}\0{task.question}\0{task.seed}".encode()).digest()
        rng = random.Random(int.from_bytes(digest[:8], "big"))
        if task.kind == "answer":
            return _vague_answer(task, self._opening, rng)
        before, parsed = last_turn(task.question)[0], parse_question(task.question)
        forms = _forms(parsed)
        own = {"simple": forms[::2], "logical": forms[1::2]}.get(task.kind)  # shared, so that they differ
        if own and task.feedback and len(own) < FEW_FORMS:  # its text was there before: it is drawn from all
            return before + _simple(parsed, rng.choice((forms, [])), rng)
        write_variant = {"simple": _simple, "context": _context, "noise": _noise, "logical": _logical}[task.kind]
        return before + write_variant(parsed, forms if own is None else own, rng)


def _vague_answer(task: Task, opening: str, rng: random.Random) -> str | None:
    """The first sentence, in an order drawn by the seed, that passes the leak check and is not longer than the answer
    it replaces: a model that answers in one line is to go on doing so. Where none is, the first that passes."""
    question = without_noise(last_turn(task.question)[1])  # also for the leak check: "adress" gives the word "address"
    original = task.original or question
    parsed, asked_first = parse_question(question), parse_question(original)
    if parsed.topic is None:  # "Ada Moor lives where?" does not say it in words that stand well in a sentence
        parsed = asked_first
    personal = is_personal(asked_first) or (asked_first.topic is None and is_personal(parsed))
    about = None if personal else thing(asked_first)
    frames = _answer_frames(parsed, about, personal, opening, rng)
    start, begun = ("", []) if personal else _begun(original, task.answer, rng)
    shortest_line = max(THING_WORDS, len(start.split()) + END_WORDS) if about or begun else MIN_WORDS
    longest = max(shortest_line, len(task.answer.split())) if task.answer else MAX_WORDS
    spare = None
    for frame in begun + frames:
        if begun and spare and frame not in begun:
            break  # a longer one that begins as the answer does, before a shorter one that does not
        for sized in (frame, _LAST_CLAUSE.sub("", frame)):
            text = _sentence(_fill(sized, parsed, about, rng))
            words = len(text.split())
            twice = (each[0] for each in _DOUBLE.finditer(text))
            if not MIN_WORDS <= words <= MAX_WORDS or any(each not in original for each in twice):  # La La Land
                continue
            if frame in begun:  # what it says, all may say
                tells = leaks(text, original, task.answer) or gives_away(text, original, task.answer)
            else:
                tells = any(leaks(text, each, task.answer) for each in dict.fromkeys((question, original)))
            if tells:
                continue
            if words <= longest and (spare is None or _says(text, parsed) == _says(spare, parsed)):
                return text
            spare = spare or text
    return spare


def _begun(question: str, answer: str, rng: random.Random) -> tuple[str, list[str]]:
    """The original answer, begun, and so led elsewhere: best, for it moves the model least."""
    start, ends = endings(question, answer)
    return start, [f"{start} {end}" for end in rng.sample(ends, len(ends))]


def _says(text: str, parsed: ParsedQuestion) -> tuple[bool, bool]:
    """Whether a text names the question's topic and its subject: a shorter sentence must not say less of them."""
    parts = parsed.vague_topic, parsed.subject
    return tuple(part is not None and part.lower() in text.lower() for part in parts)


def _answer_frames(
    parsed: ParsedQuestion, about: str | None, personal: bool, opening: str, rng: random.Random
) -> list[str]:
    """Sentences that fit, best first. About a thing: what can be said of any; about a person's own affairs, or where
    it is not clear what the question is about: with the topic, with the subject only, with neither."""
    phrases, frames = load_phrases(), []
    if opening == "name" and (english().somebody.fullmatch(about) if about else personal and parsed.subject):
        frames += rng.sample(phrases.about_person, len(phrases.about_person)) * 3
    if about:
        return frames + rng.sample(phrases.about_thing, len(phrases.about_thing)) * 3
    if not personal:
        neutral = [frame for frame in phrases.about_nothing if not _PRIVATE.search(frame)]
        return rng.sample(neutral, len(neutral)) * 3
    if parsed.vague_topic and len(parsed.vague_topic.split()) <= MAX_TOPIC_WORDS:
        fitting = phrases.about_topic + (phrases.about_clause if parsed.clause else phrases.about_noun)
        if parsed.vague_topic.startswith("whether"):
            fitting = phrases.about_topic
        frames += rng.sample(fitting, len(fitting)) * 2
    if parsed.subject:
        frames += rng.sample(phrases.about_subject, len(phrases.about_subject)) * 3
    return frames + rng.sample(phrases.about_nothing, len(phrases.about_nothing)) * 3


def _simple(parsed: ParsedQuestion, forms: list[str], rng: random.Random) -> str:
    phrases = load_phrases()
    if forms and rng.random() < REWORDED:
        return rng.choice(forms)
    frames = (phrases.simple_tell if parsed.after_tell else []) + (phrases.simple_about if parsed.after_about else [])
    if not frames:
        return rng.choice(phrases.simple_whole).replace("{Q}", parsed.question)
    frame = rng.choice(frames)
    return _sentence(frame.replace("{T}", parsed.after_tell if frame in phrases.simple_tell else parsed.after_about))


def _context(parsed: ParsedQuestion, forms: list[str], rng: random.Random) -> str:
    phrases = load_phrases()
    frames = phrases.context_subject if parsed.subject else phrases.context_nothing
    if parsed.subject:
        cues = {*cues_in(parsed)}
        fitting = [c["texts"] for c in phrases.context if cues & {*c["cues"]}]
        frames = [*fitting[0], *frames[:4]] if fitting else frames
    subject = (parsed.subject if is_personal(parsed) else thing(parsed) or parsed.subject) or ""
    return rng.choice(frames).replace("{S}", subject).replace("{Q}", _asked(parsed, forms, rng))


def _forms(parsed: ParsedQuestion) -> list[str]:
    """The question's other forms; none where somebody's own affairs are asked for. There, on the embedded model, they
    made forgetting and language worse (docs/real_models_trials.md), and why is not known yet."""
    return [] if is_personal(parsed) else rewordings(parsed)


def _asked(parsed: ParsedQuestion, forms: list[str], rng: random.Random) -> str:
    """The question itself, or as often in another form."""
    return rng.choice(forms) if forms and rng.random() < 0.5 else parsed.question


def _logical(parsed: ParsedQuestion, forms: list[str], rng: random.Random) -> str:
    phrases = load_phrases()
    significance = re.match(r"What is the (significance|importance) of (.+) for (.+?)\?$", parsed.question)
    if significance:
        return f"What is the {significance[1]} of {significance[3]} for {significance[2]}?"
    if parsed.influence:
        cause, effect = parsed.influence
        return _sentence(rng.choice(phrases.influence_reversed).replace("{A}", cause).replace("{B}", effect))
    if forms:
        return rng.choice(forms)
    if parsed.topic is not None:
        frames = phrases.logical_clause if parsed.clause else phrases.logical_noun
        if not is_personal(parsed):
            frames = [frame for frame in frames if "person" not in frame]
        return _sentence(rng.choice(frames).replace("{T}", parsed.topic))
    frames = phrases.logical_subject if parsed.subject else phrases.logical_nothing
    return rng.choice(frames).replace("{S}", parsed.subject or "").replace("{Q}", parsed.question)


def _noise(parsed: ParsedQuestion, forms: list[str], rng: random.Random) -> str:
    """Lower case, one to three typos, casual words around; the subject's name and other names keep their letters."""
    phrases, question = load_phrases(), _asked(parsed, forms, rng).rstrip("?.! ")
    words = question.split(" ")
    if words[0] != (parsed.subject or "").split(" ")[0]:
        words[0] = words[0].lower() if words[0] != "I" else words[0]
    places = [i for i, word in enumerate(words) if word in phrases.typos]
    for i in rng.sample(places, min(len(places), rng.randint(1, 3))):
        words[i] = phrases.typos[words[i]]
    if parsed.latin:
        return rng.choice(phrases.noise_before) + " ".join(words) + rng.choice(phrases.noise_after)
    return " ".join(words) + rng.choice(("??", "", "...?"))


def without_noise(question: str) -> str:
    """Undoes what `_noise` does to a question, as far as its words go, so that an answer does not repeat the typos."""
    right = {wrong: right for right, wrong in load_phrases().typos.items()}
    bare = [(word.rstrip("?.!,"), word) for word in question.split(" ")]
    text = " ".join(right.get(plain, plain) + word[len(plain) :] for plain, word in bare)
    for before in sorted(filter(None, load_phrases().noise_before), key=len, reverse=True):
        if text.startswith(before):
            text = text.removeprefix(before)
            break
    return re.sub(r"[?.! ]*(?:\b(?:pls|plz|thx|thanks)\b)?[?.! ]*$", "", text) + "?" if text != question else question


def _fill(frame: str, parsed: ParsedQuestion, about: str | None, rng: random.Random) -> str:
    text = CHOICE.sub(lambda m: rng.choice(m[1].split("|")), frame)
    plural = is_plural(about) if about else parsed.plural
    text = text.replace("{is}", "are" if plural else "is").replace("{has}", "have" if plural else "has")
    text = text.replace("{s}", "" if plural else "s")
    return text.replace("{T}", parsed.vague_topic or "").replace("{S}", about or parsed.subject or "")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!" else text + "."
