"""From a task to a chat prompt, and from what a model wrote back to a text, a verdict or a list that can be trusted.

Parsers are strict: what cannot be read with certainty is None, a failure, and never taken for an answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from relearn_lite.writers import Task

PROMPTS = Path(__file__).with_name("prompts.yaml")
JUDGING_KINDS = ("verify", "entities")  # read, not written: asked without sampling, and asked twice when unclear
CHAT_MARK = re.compile(r"<\|[^|>\n]{1,40}\|>|</?s>|<(?:start|end)_of_turn>|\[/?INST\]")
THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
NUMBERING = re.compile(r"^(?:[-*•]|\(?\d{1,2}[.)])\s+")
QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "「": "」", "`": "`"}
VERDICT_LINE = re.compile(r"^\W*verdict\W*?:\W*(yes|no)\W*$", re.IGNORECASE)
NEXT_PART = re.compile(  # a blank line, a list item, or the label of a next turn that the model made up
    r"\n\s*\n|\n(?=\s*(?:[-*•]|\d{1,2}[.)])\s)"
    r"|\n(?=\W{0,3}(?:question|confidential answer|text|note|explanation)\b[^\n]{0,12}:)",
    re.IGNORECASE,
)
VERDICT_WORD = re.compile(r"^\W*verdict\b", re.IGNORECASE | re.MULTILINE)


@cache
def prompts() -> dict[str, Any]:
    """Reads prompts.yaml, once."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(PROMPTS.read_text(encoding="utf-8"))


def render(task: Task) -> list[dict[str, str]]:
    """Returns the chat messages for a task: worked examples as earlier turns, then the task itself."""
    entry = prompts()[task.kind]
    turns: list[dict[str, str]] = []
    for example in entry["examples"]:
        turns.append({"role": "user", "content": _fill(entry["user"], example)})
        turns.append({"role": "assistant", "content": example["output"]})
    last = _fill(entry["user"], {"question": task.question, "answer": task.answer, "text": task.text})
    if task.feedback:
        last += prompts()["retry"].format(feedback=task.feedback)
    turns.append({"role": "user", "content": last})
    turns[0]["content"] = f"{entry['system'].strip()}\n\n{turns[0]['content']}"
    return turns


def write_with(ask: Callable[[Sequence[Task]], list[str | None]], tasks: Sequence[Task]) -> list[str | None]:
    """Asks a model for every task and reads what it says; an unclear verdict or list is asked for once more.

    `ask` returns a model's raw words per task, None where there was no reply.
    """
    texts = [read(task, raw) for task, raw in zip(tasks, ask(tasks), strict=True)]
    unclear = [i for i, task in enumerate(tasks) if texts[i] is None and task.kind in JUDGING_KINDS]
    if unclear:
        again = [
            replace(tasks[i], seed=tasks[i].seed + 1, feedback="the form asked for was not kept.") for i in unclear
        ]
        for i, raw in zip(unclear, ask(again), strict=True):
            texts[i] = read(tasks[i], raw)
    return texts


def read(task: Task, raw: str | None) -> str | None:
    """What a model's raw words are worth for a task, None = nothing.

    verify: the words, if they end in a clear verdict (`verdict` reads it). entities: a JSON list (`entity_list` reads
    it). Otherwise the text written, cleaned of what surrounds it.
    """
    if raw is None:
        return None
    words = _before_chat_marks(raw)
    if task.kind == "verify":
        return words if verdict(words) is not None else None
    if task.kind == "entities":
        entities = entity_list(words)
        return None if entities is None else json.dumps(entities, ensure_ascii=False)
    return clean(words, task)


def verdict(text: str) -> bool | None:
    """True = leaked, False = not, None = unclear. The last line must be a verdict and the only one in the text."""
    lines = [line for line in text.splitlines() if line.strip()]
    match = VERDICT_LINE.match(lines[-1]) if lines else None
    if match is None or len(VERDICT_WORD.findall(text)) != 1:
        return None
    return match.group(1).lower() == "yes"


def entity_list(text: str) -> list[str] | None:
    """Reads a JSON list of strings, with prose or a code fence around it or not. None where there is no such list."""
    from pydantic import TypeAdapter, ValidationError

    start, end = text.find("["), text.rfind("]")
    if start < 0 or end < start:
        return None
    try:
        found = TypeAdapter(list[str]).validate_json(text[start : end + 1], strict=True)
    except ValidationError:
        return None
    return list(dict.fromkeys(entity.strip() for entity in found if entity.strip()))


def clean(text: str, task: Task) -> str | None:
    """Takes the text out of a chat model's reply: no preamble, label, number, quotes or second paragraph.

    None where nothing is left, or where the model only gave back a piece of its prompt.
    """
    text = "".join(" " if char in "\t\r" else char for char in text if char.isprintable() or char in "\n\t\r")
    paragraphs = [part.strip() for part in NEXT_PART.split(text) if part.strip(" `\n")]
    if len(paragraphs) > 1 and paragraphs[0].endswith(":"):  # "Sure, here is the new question:"
        paragraphs = paragraphs[1:]
    best = _without_labels(paragraphs[0]) if paragraphs else ""
    return best if best and not _echoes_prompt(best, task) else None


def _before_chat_marks(text: str) -> str:
    """A model that does not stop goes on with the next turn: what follows a chat mark is not its answer."""
    return CHAT_MARK.split(THOUGHT.sub("", text).strip())[0].strip()


def _without_labels(text: str) -> str:
    labels = [prompts()[kind]["user"].rsplit("\n", 1)[-1].rstrip(":") for kind in ("simple", "context", "noise")]
    labels += ["Question turned around", "General answer", "New question", "Question", "Answer"]
    label = re.compile(rf"^(?:\**)(?:{'|'.join(map(re.escape, labels))})\s*:\**\s*", re.IGNORECASE)
    text = " ".join(text.strip("` \n").split())
    before = None
    while text != before:
        before = text
        text = label.sub("", NUMBERING.sub("", text)).strip()
        if len(text) > 1 and QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
            text = text[1:-1].strip()
    return text


def _echoes_prompt(text: str, task: Task) -> bool:
    """True where the text is a piece of the prompt, or has the prompt's instruction in it."""
    prompt = _plain(" ".join(turn["content"] for turn in render(task)))
    system = _plain(prompts()[task.kind]["system"])
    return f" {_plain(text)} " in f" {prompt} " or system[:60] in _plain(text)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _fill(template: str, values: dict[str, str]) -> str:
    # One pass over the template: braces in the user's data are left alone.
    return re.sub(r"\{(question|answer|text)\}", lambda match: values.get(match.group(1), ""), template)
