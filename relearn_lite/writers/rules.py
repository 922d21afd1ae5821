"""The embedded writer: question variants and vague answers by rules, without a model, the same on every machine."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from typing import Any

from relearn_lite.text.leaks import leaks
from relearn_lite.text.turns import last_turn
from relearn_lite.writers import Task, Writer
from relearn_lite.writers.phrases import load_phrases
from relearn_lite.writers.question_parser import ParsedQuestion, parse_question

MIN_WORDS, MAX_WORDS = 8, 28  # length of a vague answer
MAX_TOPIC_WORDS = 14  # a longer topic makes a clumsy sentence; the answer then names the subject only

_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_LAST_CLAUSE = re.compile(r", (?:\w+ )?\[[^\[\]]*\]$")  # ", and [it may stay that way|...]": not needed
_DOUBLE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)  # "how many children she has has ..."


def make(*_: Any) -> RulesWriter:
    """See `writers.make_writer`; rules need nothing of the recipe."""
    return RulesWriter()


class RulesWriter(Writer):
    """Writes by filling in sentences. What it writes says nothing that the question does not say."""

    name = "rules"  # it does not judge: its `verify` is the check that its answers have already passed

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
        before, parsed = last_turn(task.question)[0], parse_question(task.question)
        write_variant = {"simple": _simple, "context": _context, "noise": _noise, "logical": _logical}[task.kind]
        return before + write_variant(parsed, rng)


def _vague_answer(task: Task, rng: random.Random) -> str | None:
    """The first sentence, in an order drawn by the seed, that passes the leak check and is not longer than the answer
    it replaces: a model that answers in one line is to go on doing so. Where none is, the first that passes."""
    question = without_noise(last_turn(task.question)[1])  # also for the leak check: "adress" gives the word "address"
    parsed = parse_question(question)
    longest = max(MIN_WORDS, len(task.answer.split())) if task.answer else MAX_WORDS
    spare = None
    for frame in _answer_frames(parsed, rng):
        for sized in (frame, _LAST_CLAUSE.sub("", frame)):
            text = _sentence(_fill(sized, parsed, rng))
            words = len(text.split())
            if not MIN_WORDS <= words <= MAX_WORDS or _DOUBLE.search(text) or leaks(text, question, task.answer):
                continue
            if words <= longest and (spare is None or _says(text, parsed) == _says(spare, parsed)):
                return text
            spare = spare or text
    return spare


def _says(text: str, parsed: ParsedQuestion) -> tuple[bool, bool]:
    """Whether a text names the question's topic and its subject: a shorter sentence must not say less of them."""
    parts = parsed.vague_topic, parsed.subject
    return tuple(part is not None and part.lower() in text.lower() for part in parts)


def _answer_frames(parsed: ParsedQuestion, rng: random.Random) -> list[str]:
    """Sentences that fit, best first: with the topic, with the subject only, with neither."""
    phrases, frames = load_phrases(), []
    if parsed.vague_topic and len(parsed.vague_topic.split()) <= MAX_TOPIC_WORDS:
        fitting = phrases.about_topic + (phrases.about_clause if parsed.clause else phrases.about_noun)
        if parsed.vague_topic.startswith("whether"):
            fitting = phrases.about_topic
        frames += rng.sample(fitting, len(fitting)) * 2
    if parsed.subject:
        frames += rng.sample(phrases.about_subject, len(phrases.about_subject)) * 3
    return frames + rng.sample(phrases.about_nothing, len(phrases.about_nothing)) * 3


def _simple(parsed: ParsedQuestion, rng: random.Random) -> str:
    phrases = load_phrases()
    frames = (phrases.simple_tell if parsed.after_tell else []) + (phrases.simple_about if parsed.after_about else [])
    if not frames:
        return rng.choice(phrases.simple_whole).replace("{Q}", parsed.question)
    frame = rng.choice(frames)
    return _sentence(frame.replace("{T}", parsed.after_tell if frame in phrases.simple_tell else parsed.after_about))


def _context(parsed: ParsedQuestion, rng: random.Random) -> str:
    phrases = load_phrases()
    frames = phrases.context_subject if parsed.subject else phrases.context_nothing
    if parsed.subject:
        asked = parsed.question.lower()
        fitting = [c["texts"] for c in phrases.context if any(re.search(rf"\b{cue}", asked) for cue in c["cues"])]
        frames = [*fitting[0], *frames[:4]] if fitting else frames
    return rng.choice(frames).replace("{S}", parsed.subject or "").replace("{Q}", parsed.question)


def _logical(parsed: ParsedQuestion, rng: random.Random) -> str:
    phrases = load_phrases()
    significance = re.match(r"What is the (significance|importance) of (.+) for (.+?)\?$", parsed.question)
    if significance:
        return f"What is the {significance[1]} of {significance[3]} for {significance[2]}?"
    if parsed.influence:
        cause, effect = parsed.influence
        return _sentence(rng.choice(phrases.influence_reversed).replace("{A}", cause).replace("{B}", effect))
    if parsed.topic is not None:
        frame = rng.choice(phrases.logical_clause if parsed.clause else phrases.logical_noun)
        return _sentence(frame.replace("{T}", parsed.topic))
    frames = phrases.logical_subject if parsed.subject else phrases.logical_nothing
    return rng.choice(frames).replace("{S}", parsed.subject or "").replace("{Q}", parsed.question)


def _noise(parsed: ParsedQuestion, rng: random.Random) -> str:
    """Lower case, one to three typos, casual words around; the subject's name and other names keep their letters."""
    phrases, question = load_phrases(), parsed.question.rstrip("?.! ")
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


def _fill(frame: str, parsed: ParsedQuestion, rng: random.Random) -> str:
    text = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), frame)
    text = text.replace("{is}", "are" if parsed.plural else "is").replace("{has}", "have" if parsed.plural else "has")
    return text.replace("{T}", parsed.vague_topic or "").replace("{S}", parsed.subject or "")


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text[-1] in ".?!" else text + "."
