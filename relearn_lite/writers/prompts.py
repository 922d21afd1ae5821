"""Prompt templates: those that come with the project (prompts.yaml), or the user's own file laid over them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line
from relearn_lite.recipe.names import QUESTION_KINDS, TASK_KINDS
from relearn_lite.recipe.yaml_text import NotYaml, parse
from relearn_lite.text.turns import last_turn
from relearn_lite.writers import Task

PROMPTS = Path(__file__).with_name("prompts.yaml")
APPENDED = ("retry", "keep", "way")  # added to a task where they apply; each names what is filled in
COMING_BACK = (*QUESTION_KINDS, "answer", "continue", "verify")
FIELDS = {"question", "answer", "text"}
ENTRY_KEYS = {"system", "user", "examples", "ways"}


@cache
def built_in() -> dict[str, Any]:
    """prompts.yaml, read once."""
    return _read(PROMPTS)


def load_prompts(path: Path | None, key: str = "augment.prompts") -> dict[str, Any]:
    """The prompts of a file, and the project's own for every kind of task that it leaves out.

    Raises RecipeError, with every fault at once, where the file cannot be used. `key` names it in messages.
    """
    if path is None:
        return built_in()
    try:
        own = _read(path)
    except FileNotFoundError:
        raise RecipeError(
            f"{key}: there is no file {path}; correct the path (relative paths start at the recipe's folder)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{key}: {path} cannot be read ({first_line(error)}); give a file of UTF-8 text") from None
    except NotYaml as error:
        raise RecipeError([f"{key}: {path}:{line}: {problem}" for line, problem in error.problems]) from None
    if not isinstance(own, dict):
        raise RecipeError(f"{key}: {path} has no keys; it needs version and at least one of {', '.join(TASK_KINDS)}")
    if problems := [f"{key}: {path}, {problem}" for problem in _problems(own)]:
        raise RecipeError(problems)
    return {**built_in(), **own}


def render(task: Task, prompts: dict[str, Any] | None = None) -> list[dict[str, str]]:
    """The chat messages for a task: worked examples as earlier turns, then the task itself.

    What differs between two tasks of a kind stands at the end, so that their common beginning can be cached.
    """
    prompts = prompts or built_in()
    entry = prompts[task.kind]
    last = _unchanging(task, prompts, entry["user"])
    if task.seed and entry.get("ways"):
        last += prompts["way"].replace("{way}", entry["ways"][task.seed % len(entry["ways"])])
    if task.feedback:
        last += prompts["retry"].replace("{feedback}", task.feedback)
    return _turns(entry, last)


def render_begun(task: Task, prompts: dict[str, Any] | None = None) -> list[dict[str, str]] | None:
    """What the prompt of a task begins with that will probably come back, its last turn broken off: the text may be
    refused and written again, or another answer to the same question judged. None for other kinds of task."""
    prompts = prompts or built_in()
    if task.kind not in COMING_BACK:
        return None
    entry = prompts[task.kind]
    return _turns(entry, _unchanging(task, prompts, entry["user"].partition("{text}")[0]))


def _unchanging(task: Task, prompts: dict[str, Any], template: str) -> str:
    """Of the last turn what is the same at every attempt."""
    question = last_turn(task.question)[1].rstrip() if task.kind == "continue" else task.question
    last = _fill(template, {"question": question, "answer": task.answer, "text": task.text})
    if task.subject and task.kind in (*QUESTION_KINDS, "answer"):
        last += prompts["keep"].replace("{subject}", task.subject)
    return last


def _turns(entry: dict[str, Any], last: str) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    for example in entry["examples"]:
        turns.append({"role": "user", "content": _fill(entry["user"], example)})
        turns.append({"role": "assistant", "content": example["output"]})
    turns.append({"role": "user", "content": last})
    turns[0]["content"] = f"{entry['system'].strip()}\n\n{turns[0]['content']}"
    return turns


def _read(path: Path) -> Any:
    return parse(path.read_text(encoding="utf-8"))[0]


def _problems(own: dict[str, Any]) -> list[str]:
    problems = [] if isinstance(own.get("version"), int) else ["version: give a whole number, raised at each change"]
    for name, entry in own.items():
        if name in TASK_KINDS:
            problems += [f"{name}.{problem}" for problem in _entry_problems(entry, name)]
        elif name not in ("version", *APPENDED):
            problems.append(f"{name}: unknown, allowed: version, {', '.join((*APPENDED, *TASK_KINDS))}")
        elif name != "version" and not isinstance(entry, str):
            problems.append(f"{name}: found {type(entry).__name__}, give text such as that in {PROMPTS.name}")
    return problems


def _entry_problems(entry: Any, kind: str) -> list[str]:
    if not isinstance(entry, dict):
        return ["system, user, examples: all three are needed, and found is no section with keys"]
    problems = [f"{key}: unknown, allowed: {', '.join(sorted(ENTRY_KEYS))}" for key in sorted(set(entry) - ENTRY_KEYS)]
    for key in ("system", "user"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            problems.append(f"{key}: give text")
    needed = {name for name in FIELDS if f"{{{name}}}" in built_in()[kind]["user"]}
    if missing := sorted(needed - set(re.findall(r"\{(\w+)\}", str(entry.get("user", ""))))):
        problems.append(f"user: has no {', '.join('{' + name + '}' for name in missing)}; the writer would not see it")
    examples, ways = entry.get("examples"), entry.get("ways", [])
    if not isinstance(examples, list):
        problems.append("examples: give a list, [] for none")
    elif any(not isinstance(each, dict) or not (needed | {"output"}) <= set(each) for each in examples):
        problems.append(f"examples: each needs {', '.join(sorted(needed))} and output")
    elif any(not isinstance(text, str) for each in examples for text in each.values()):
        problems.append("examples: all of it is text; put numbers, true, false and null in quotes")
    if not isinstance(ways, list) or any(not isinstance(way, str) for way in ways):
        problems.append("ways: give a list of texts, [] for none")
    return problems


def _fill(template: str, values: dict[str, str]) -> str:
    # One pass over the template: braces in the user's data are left alone.
    return re.sub(r"\{(question|answer|text)\}", lambda match: values.get(match.group(1), ""), template)
