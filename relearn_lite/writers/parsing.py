"""From what a model wrote back to a text, a verdict, a list or a rating to trust.

Parsers are strict: what cannot be read with certainty is None, a failure, and never taken for an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relearn_lite.recipe.names import QUESTION_KINDS, RATING_KINDS, TOGETHER_KINDS
from relearn_lite.text.turns import last_turn
from relearn_lite.writers import Task
from relearn_lite.writers.prompts import built_in, render

LIST = re.compile(r"(?:^|[:\n`*])\s*(\[.*\])\s*\.?(?=$|[\n`}])", re.DOTALL)  # not the [1] of a footnote in prose
LIST_MARK = re.compile(r"^\s*(?:[-*•·]|\d+[.)])\s*")
NONE_AT_ALL = frozenset({"none", "no entities", "n/a"})
CHAT_MARK = re.compile(r"<\|[^|>\n]{1,40}\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]")
THOUGHT = re.compile(  # of DeepSeek-R1 and its like the prompt holds the first mark: the reply has the second alone
    r"\A(?:(?!<think>).)*</think>|<think>.*?(?:</think>|\Z)", re.DOTALL
)
NUMBERING = re.compile(r"^(?:[-*•]|\(?\d{1,2}[.)])\s+")
QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "「": "」", "`": "`"}
VERDICT_LINE = re.compile(r"^\W*verdict\W*?:\W*(yes|no)\W*$", re.IGNORECASE)
NEXT_PART = re.compile(  # a blank line, a list item, or the label of a next turn that the model made up
    r"\n\s*\n|\n(?=\s*(?:[-*•]|\d{1,2}[.)])\s)"
    r"|\n(?=\W{0,3}(?:question|confidential answer|text|note|explanation)\b[^\n]{0,12}:)",
    re.IGNORECASE,
)
_JOINERS = "\u200c\u200d"  # they belong to the spelling from Arabic to Sinhala, and hide a word elsewhere
_OTHER_JOINERS = re.compile(f"(?<![\u0600-\u0dff])[{_JOINERS}]")
LOOPING = 12  # characters of a line from which on it is babble to write it again; the } of a program is none
VERDICT_WORD = re.compile(r"^\W*verdict\b", re.IGNORECASE | re.MULTILINE)


def read(task: Task, raw: str | None, prompts: dict[str, Any] | None = None) -> str | None:
    """What can be used of a model's raw words for a task, None = nothing.

    Kinds that are judged: the words, if what was asked for can be read from them (by the function in `PARSERS`).
    Otherwise the text written, cleaned of what surrounds it; a variant of a conversation's last question comes after
    the turns before that.
    """
    if raw is None:
        return None
    words = _words(raw)
    if task.kind in PARSERS:
        found = PARSERS[task.kind](words)
        fits = found is not None and (task.kind not in TOGETHER_KINDS or len(found) == len(json.loads(task.text)))
        return words if fits else None
    text = clean(words, task, prompts)
    if text is None or task.kind not in QUESTION_KINDS:
        return text
    return last_turn(task.question)[0] + last_turn(text)[1]


def is_over(raw: str) -> bool:
    """Whether a text that a model is still writing goes on with what `clean` leaves out."""
    return len(_parts(_words(raw))) > 1


def _words(raw: str) -> str:
    # A model that does not stop goes on with the next turn: what follows a chat mark is not its answer.
    return CHAT_MARK.split(THOUGHT.sub("", raw).strip())[0].strip()


def verdict(text: str) -> bool | None:
    """True = leaked, False = not, None = unclear. The last line must be a verdict, and the only one in the text."""
    lines = [line for line in text.splitlines() if line.strip()]
    match = VERDICT_LINE.match(lines[-1]) if lines else None
    if match is None or len(VERDICT_WORD.findall(text)) != 1:
        return None
    return match.group(1).lower() == "yes"


def entity_list(text: str) -> list[str] | None:
    """The entities in a reply: a JSON list (in an object, a code fence or after a colon), or one on each marked line.

    [] where the reply is that there are none, also as a list of that one word. None where neither can be read: prose is
    not taken for an entity, since it would match nothing and so pass for forgotten.
    """
    found = [text.strip()] if _is_none(text) else _json_list(text) if "[" in text else _marked_lines(text)
    return [] if found and len(found) == 1 and _is_none(found[0]) else found


def _is_none(text: str) -> bool:
    return text.strip().lower().rstrip(".") in NONE_AT_ALL


def _json_list(text: str) -> list[str] | None:
    found = LIST.search(text)
    try:
        entities = json.loads(found[1]) if found else None
    except json.JSONDecodeError:
        return None
    if entities is None or not all(type(entity) in (str, int, float) for entity in entities):
        return None
    return _unique(entities)


def _marked_lines(text: str) -> list[str] | None:
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [LIST_MARK.sub("", line) for line in lines if LIST_MARK.match(line)]
    if not marked or len(marked) < len(lines) - 1:  # one line of introduction is allowed
        return None
    return _unique(marked)


def _unique(entities: Sequence[object]) -> list[str]:
    return list(dict.fromkeys(text for entity in entities if (text := str(entity).strip())))


Score = Annotated[int, Field(ge=1, le=5)]


class Rating(BaseModel):
    """What a judge is asked for. The reason comes first, so that a model thinks before it decides."""

    model_config = ConfigDict(extra="forbid")
    reasoning: str = Field(min_length=1)
    score: Score


class Ratings(BaseModel):
    """What a judge of several texts is asked for: a score under the number of each."""

    model_config = ConfigDict(extra="forbid")
    reasoning: str = Field(min_length=1)
    scores: dict[str, Score] = Field(min_length=1)


Reply = TypeVar("Reply", Rating, Ratings)


def rating(text: str) -> int | None:
    """The score of a judge's reply, 1 to 5; None where the reply is not the JSON object that was asked for.

    A code fence or prose around the object is allowed; a second object, a score in quotes, of 4.5 or out of range, a
    missing reason or any other key is not.
    """
    found = _reply(text, Rating)
    return found.score if found else None


def ratings(text: str) -> list[int] | None:
    """The scores of a judge's reply about several texts, in the order of these; None where they are not numbered from 1
    without a gap, or as for `rating`."""
    found = _reply(text, Ratings)
    numbers = [str(n) for n in range(1, len(found.scores) + 1)] if found else []
    return [found.scores[n] for n in numbers] if found and found.scores.keys() == {*numbers} else None


def _reply(text: str, kind: type[Reply]) -> Reply | None:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        return kind.model_validate_json(text[start : end + 1], strict=True)
    except ValidationError:
        return None


def listed(text: str) -> list[str] | None:
    """The lines of a list, without their marks; None where there is none. One line of introduction is left out."""
    lines = [LIST_MARK.sub("", line).strip("*` ") for line in text.splitlines() if line.strip("*`- ")]
    return _unique(lines[1:] if len(lines) > 1 and lines[0].endswith(":") else lines) or None


def pairs(text: str) -> list[tuple[str, str]] | None:
    """(question, answer) of each line with a `|` between them; None where there is none."""
    split = (line.partition("|") for line in listed(text) or ())
    found = [(question.strip(), answer.strip().strip("\"“”")) for question, _, answer in split]
    return [(question, answer) for question, answer in found if question and answer] or None


# How the kinds of task are read whose replies are no text to be used as it is.
PARSERS = {
    "verify": verdict, "entities": entity_list, **dict.fromkeys(RATING_KINDS, rating),
    **dict.fromkeys(TOGETHER_KINDS, ratings),
    "aspects": listed, "ask_about": listed, "ask_passage": pairs,
}  # fmt: skip


def clean(text: str, task: Task, prompts: dict[str, Any] | None = None) -> str | None:
    """Takes the text out of a chat model's reply: no preamble, label, number, quotes or second paragraph.

    None where nothing is left, or where the model only gave back a part of its prompt.
    """
    parts = _parts(text)
    prompts = prompts or built_in()
    best = _without_labels(parts[0], prompts, task.kind == "continue") if parts else ""
    return best if best and not _echoes_prompt(best, task, prompts) else None


def _parts(text: str) -> list[str]:
    """The text written, and what follows it."""
    text = "".join(" " if char != "\n" and char.isspace() else char for char in _OTHER_JOINERS.sub("", text) if (
        char.isprintable() or char.isspace() or char in _JOINERS))  # fmt: skip
    paragraphs = [part.strip() for part in NEXT_PART.split(_without_loops(text)) if part.strip(" `\n")]
    if len(paragraphs) > 1 and paragraphs[0].endswith(":"):  # "Sure, here is the new question:"
        return paragraphs[1:]
    return paragraphs


def _without_loops(text: str) -> str:
    """The text with a break before the first whole line that it has already: a small model may go on so for ever."""
    lines, seen = text.split("\n"), set()
    for i, line in enumerate(lines[:-1]):  # the last may go on
        if line in seen:
            return "\n".join([*lines[:i], "", *lines[i:]])
        seen |= {line} if len(line) >= LOOPING else set()
    return text


def _without_labels(text: str, prompts: dict[str, Any], in_lines: bool) -> str:
    asked = (prompts[kind]["user"] for kind in (*QUESTION_KINDS, "answer", "continue"))
    labels = [text.rsplit("\n", 1)[-1].rstrip(":") for text in asked]
    labels += ["Question turned around", "General answer", "Continuation", "New question", "Question", "Answer"]
    label = re.compile(rf"^(?:\**)(?:{'|'.join(map(re.escape, labels))})\s*:\**\s*", re.IGNORECASE)
    text = re.sub(r"^```\w*\n", "", text).strip("` \n")
    text = "\n".join(map(str.rstrip, text.split("\n"))) if in_lines else " ".join(text.split())
    before = None
    while text != before:
        before = text
        text = label.sub("", NUMBERING.sub("", text)).strip()
        if len(text) > 1 and QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
            text = text[1:-1].strip()
    return text


def _echoes_prompt(text: str, task: Task, prompts: dict[str, Any]) -> bool:
    """True where the text is part of the prompt, or has the prompt's instruction in it."""
    prompt = _plain(" ".join(turn["content"] for turn in render(task, prompts)))
    system = _plain(prompts[task.kind]["system"])
    return f" {_plain(text)} " in f" {prompt} " or system[:60] in _plain(text)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))
