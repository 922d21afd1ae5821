"""How a text might go on otherwise: with sentences that fit almost any text and tell nothing (writer `rules`), or with
what the model itself makes of the beginning (writer `self`)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from zlib import crc32

from relearn_lite.text.recall import as_long_as
from relearn_lite.text.stems import stem
from relearn_lite.text.stop_words import STOP_WORDS, is_english
from relearn_lite.text.turns import last_turn
from relearn_lite.text.words import words
from relearn_lite.writers import Task
from relearn_lite.writers.local import Complete
from relearn_lite.writers.phrases import load_phrases

LED = 3  # words of a sentence that leads elsewhere
TOKENS = 3  # for each word of the rest, at most
SHARE = 0.6  # of the rest's words from which on a continuation is long enough


def continuation(task: Task) -> str | None:
    """Sentences about as long as the rest that they replace, in an order drawn by the seed, none of which has a content
    word of it; a line each where the rest has lines. None where no sentence is left."""
    length, secret = len(words(task.answer)), _content(task.answer)
    begun = not task.question.rstrip().endswith((".", "!", "?", "”", '"'))
    found: list[str] = []
    counted = 0
    for sentence in (each for each in _sentences(task) if not secret & _content(each)):
        more = len(words(sentence))
        if counted >= SHARE * length:
            break
        if not found or counted + more <= length:
            found.append(sentence)
            counted += more
    text = ("\n" if "\n" in task.answer.strip() else " ").join(found)
    return (text[:1].lower() + text[1:] if begun else text) or None


def _sentences(task: Task) -> list[str]:
    phrases = load_phrases().text_goes_on
    return random.Random(crc32(f"{task.question}/{task.seed}".encode())).sample(phrases, len(phrases))


def own_continuations(tasks: Sequence[Task], complete: Complete) -> list[str]:
    """What the model itself goes on with, drawn at random; where that was refused before, after a beginning that leads
    elsewhere ("For a while"), in English."""
    starts, turns = [], []
    for task in tasks:
        text = last_turn(task.question)[1]
        led = task.feedback and is_english(text)
        starts.append(" ".join(_sentences(task)[0].split()[:LED]) if led else "")
        turns.append([{"role": "text", "content": text + starts[-1]}])
    longest = max(len(words(task.answer)) for task in tasks)
    made = complete(turns, TOKENS * longest, crc32(" ".join(str(task.seed) for task in tasks).encode()))
    return [
        as_long_as(f"{start} {text}".strip(), task.answer)
        for start, text, task in zip(starts, made, tasks, strict=True)
    ]


def _content(text: str) -> set[str]:
    return {stem(word.casefold()) for word in words(text)} - {stem(word) for word in STOP_WORDS}
