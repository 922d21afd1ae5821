"""The embedded writer: question variants and vague answers by rules, without a model, the same on every machine."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence

from relearn_lite.text.leaks import leaks
from relearn_lite.writers import Task, phrases
from relearn_lite.writers.question_forms import Form, understand

MIN_WORDS, MAX_WORDS = 8, 28  # length of a vague answer
MAX_TOPIC_WORDS = 14  # a longer topic makes a clumsy sentence; the answer then names the subject only

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_LAST_CLAUSE = re.compile(r", (?:\w+ )?\[[^\[\]]*\]$")  # ", and [it may stay that way|...]": not needed
_DOUBLE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)  # "how many children she has has ..."
_RIGHT = {wrong: right for right, wrong in phrases.TYPOS.items()}


class RulesWriter:
    """Writes by filling in sentences. What it writes says nothing that the question does not say."""

    name = "rules"
    judges = False  # its `verify` is the same check that its answers have already passed

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None for `entities` and for an answer that no sentence could give without a leak."""
        return [self._write(task) for task in tasks]

    def _write(self, task: Task) -> str | None:
        if task.kind == "entities":
            return None
        if task.kind == "verify":
            return "Yes" if leaks(task.text, task.question, task.answer) else "No"
        digest = hashlib.sha256(f"{task.kind}\0{task.question}\0{task.seed}".encode()).digest()
        rng = random.Random(int.from_bytes(digest[:8], "big"))
        if task.kind == "answer":
            return _vague_answer(task, rng)
        form = understand(task.question)
        write_variant = {"simple": _simple, "context": _context, "noise": _noise, "logical": _logical}[task.kind]
        return write_variant(form, rng)


def _vague_answer(task: Task, rng: random.Random) -> str | None:
    """The first sentence, in an order drawn by the seed, that passes the leak check and is not longer than the answer
    it replaces: a model that answers in one line is to go on doing so. Where none is, the first that passes."""
    question = without_noise(task.question)  # also for the leak check: "adress" gives the word "address"
    form = understand(question)
    longest = max(MIN_WORDS, len(task.answer.split())) if task.answer else MAX_WORDS
    spare = None
    for frame in _answer_frames(form, rng):
        for sized in (frame, _LAST_CLAUSE.sub("", frame)):
            text = _sentence(_fill(sized, form, rng))
            words = len(text.split())
            if not MIN_WORDS <= words <= MAX_WORDS or _DOUBLE.search(text) or leaks(text, question, task.answer):
                continue
            if words <= longest and (spare is None or _says(text, form) == _says(spare, form)):
                return text
            spare = spare or text
    return spare


def _says(text: str, form: Form) -> tuple[bool, bool]:
    """Whether a text names the question's topic and its subject: a shorter sentence must not say less of them."""
    topic, subject = (part is not None and part.lower() in text.lower() for part in (form.quiet, form.subject))
    return topic, subject


def _answer_frames(form: Form, rng: random.Random) -> list[str]:
    """Sentences that fit, best first: with the topic, with the subject only, with neither."""
    frames: list[str] = []
    if form.quiet and len(form.quiet.split()) <= MAX_TOPIC_WORDS:
        fitting = phrases.ABOUT_TOPIC + (phrases.ABOUT_CLAUSE if form.clause else phrases.ABOUT_NOUN)
        if form.quiet.startswith("whether"):
            fitting = phrases.ABOUT_TOPIC
        frames += rng.sample(fitting, len(fitting)) * 2
    if form.subject:
        frames += rng.sample(phrases.ABOUT_SUBJECT, len(phrases.ABOUT_SUBJECT)) * 3
    return frames + rng.sample(phrases.ABOUT_NOTHING, len(phrases.ABOUT_NOTHING)) * 3


def _simple(form: Form, rng: random.Random) -> str:
    frames = (phrases.SIMPLE_TELL if form.told else ()) + (phrases.SIMPLE_ABOUT if form.about else ())
    if not frames:
        return rng.choice(phrases.SIMPLE_WHOLE).replace("{Q}", form.question)
    frame = rng.choice(frames)
    return _sentence(frame.replace("{T}", (form.told if frame in phrases.SIMPLE_TELL else form.about) or ""))


def _context(form: Form, rng: random.Random) -> str:
    frames = phrases.CONTEXT_SUBJECT if form.subject else phrases.CONTEXT_NOTHING
    if form.subject:
        asked = form.question.lower()
        fitting = [texts for cues, texts in phrases.CONTEXT if any(re.search(rf"\b{cue}", asked) for cue in cues)]
        frames = (*fitting[0], *frames[:4]) if fitting else frames
    return rng.choice(frames).replace("{S}", form.subject or "").replace("{Q}", form.question)


def _logical(form: Form, rng: random.Random) -> str:
    significance = re.match(r"What is the (significance|importance) of (.+) for (.+?)\?$", form.question)
    if significance:
        return f"What is the {significance[1]} of {significance[3]} for {significance[2]}?"
    if form.influence:
        cause, effect = form.influence
        return _sentence(rng.choice(phrases.INFLUENCE_REVERSED).replace("{A}", cause).replace("{B}", effect))
    if form.topic is not None:
        frame = rng.choice(phrases.LOGICAL_CLAUSE if form.clause else phrases.LOGICAL_NOUN)
        return _sentence(frame.replace("{T}", form.topic))
    frames = phrases.LOGICAL_SUBJECT if form.subject else phrases.LOGICAL_NOTHING
    return rng.choice(frames).replace("{S}", form.subject or "").replace("{Q}", form.question)


def _noise(form: Form, rng: random.Random) -> str:
    """Lower case, one to three typos, casual words around; the subject's name and other names keep their letters."""
    question = form.question.rstrip("?.! ")
    words = question.split(" ")
    if words[0] != (form.subject or "").split(" ")[0]:
        words[0] = words[0].lower() if words[0] != "I" else words[0]
    places = [i for i, word in enumerate(words) if word in phrases.TYPOS]
    for i in rng.sample(places, min(len(places), rng.randint(1, 3))):
        words[i] = phrases.TYPOS[words[i]]
    if form.latin:
        return rng.choice(phrases.NOISE_BEFORE) + " ".join(words) + rng.choice(phrases.NOISE_AFTER)
    return " ".join(words) + rng.choice(("??", "", "...?"))


def without_noise(question: str) -> str:
    """Undoes what `_noise` does to a question, as far as its words go, so that an answer does not repeat the typos."""
    words = [
        _RIGHT.get(word.rstrip("?.!,"), word.rstrip("?.!,")) + word[len(word.rstrip("?.!,")) :]
        for word in question.split(" ")
    ]
    text = " ".join(words)
    for before in sorted(filter(None, phrases.NOISE_BEFORE), key=len, reverse=True):
        if text.startswith(before):
            text = text.removeprefix(before)
            break
    return re.sub(r"[?.! ]*(?:\b(?:pls|plz|thx|thanks)\b)?[?.! ]*$", "", text) + "?" if text != question else question


def _fill(frame: str, form: Form, rng: random.Random) -> str:
    text = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), frame)
    text = text.replace("{is}", "are" if form.plural else "is").replace("{has}", "have" if form.plural else "has")
    return text.replace("{T}", form.quiet or "").replace("{S}", form.subject or "")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!" else text + "."
