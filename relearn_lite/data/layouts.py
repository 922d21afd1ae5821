"""Rows as other tools keep them, conversations and instructions, read as a question with its answer.

The last answer of a conversation is the target; the turns before it are its prompt (`text.turns`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.files import first_problems
from relearn_lite.data.shapes import cell_value, is_chat
from relearn_lite.text.turns import Turn, joined, looks_like_turns

Row = dict[str, Any]
Pair = tuple[list[Turn], str]  # the turns of the prompt, and the answer
CHATS = ("messages", "conversations", "conversation")  # columns that hold one: OpenAI's and TRL's, ShareGPT's
INSTRUCTIONS = (("instruction", "input", "output"), ("instruction", "context", "response"))  # Alpaca's, Dolly's
ROLES = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "assistant": "assistant",
    "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
}  # fmt: skip


def as_pairs(
    rows: Sequence[Row], question: str | None, answer: str | None, key: str, where: str
) -> list[Row] | None:
    """The rows with columns `question` and `answer` made of what they hold; None where they are in no layout of these.

    question, answer: columns that the recipe names: the first may be one of conversations, else they are read as they
    are. Raises RecipeError for each row that is not like the others.
    """
    read = _reader(rows, question, answer)
    if read is None:
        return None
    made, problems = [], []
    for number, row in enumerate(rows, 1):
        try:
            turns, target = read(row)
            made.append({**row, "question": joined(turns), "answer": target})
        except ValueError as error:
            problems.append(f"{key}: row {number} of {where} {error}; mend or remove that row")
    if problems:
        raise RecipeError(first_problems(problems, f"{key}: {where}"))
    return made


def _reader(rows: Sequence[Row], question: str | None, answer: str | None) -> Callable[[Row], Pair] | None:
    there = {column for row in rows for column in row}
    chats = [question] if question else [] if answer or there & {"question", "answer"} else CHATS
    if answer in (None, question):
        for column in chats:
            if any(is_chat(row.get(column)) for row in rows):
                return lambda row: _of_chat(row, column)
    if question or answer or there & {"question", "answer"}:
        return None
    columns = next((each for each in INSTRUCTIONS if {each[0], each[2]} <= there), None)
    return (lambda row: _of_instruction(row, *columns)) if columns else None


def _of_chat(row: Row, column: str) -> Pair:
    """(turns before the last, text of the last). Raises ValueError with what is wrong."""
    if not is_chat(row.get(column)):
        raise ValueError(f"has no conversation in column {column!r}, a list of {{role, content}} or {{from, value}}")
    turns = [_system(row), *map(_turn, row[column])]
    turns = [turn for turn in turns if turn]
    if turns[-1]["role"] != "assistant":
        raise ValueError(f"ends with a turn of the {turns[-1]['role']}, not with an answer")
    if not any(turn["role"] == "user" and turn["content"].strip() for turn in turns):
        raise ValueError("has no turn of a user")
    return turns[:-1], turns[-1]["content"]


def _turn(turn: Row) -> Turn:
    role = turn.get("role", turn.get("from"))
    if not isinstance(role, str) or role.lower() not in ROLES:
        raise ValueError(f"has a turn of {role!r}; allowed: {', '.join(ROLES)}")
    content = turn["content"] if "content" in turn else turn["value"]
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        content = "".join(str(part.get("text", "")) for part in content)
    return {"role": ROLES[role.lower()], "content": _plain(content, f"a turn of {role!r}")}


def _of_instruction(row: Row, instruction: str, more: str, output: str) -> Pair:
    """Instruction and input are one question, a line each; `history` holds earlier ones with their answers."""
    asked = [_plain(row.get(name) or "", name) for name in (instruction, more)]
    turns = [turn for turn in [_system(row)] if turn]
    history = row.get("history") or []
    for pair in history if isinstance(history, list | tuple) else [history]:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError("has a history that is not a list of [question, answer]")
        roles = zip(("user", "assistant"), pair, strict=True)
        turns += [{"role": role, "content": _plain(text, "history")} for role, text in roles]
    turns.append({"role": "user", "content": "\n".join(filter(None, asked))})
    return turns, _plain(row.get(output) if row.get(output) is not None else "", output)


def _system(row: Row) -> Turn | None:
    return {"role": "system", "content": _plain(row["system"], "system")} if row.get("system") else None


def _plain(value: Any, what: str) -> str:
    value = cell_value(value)
    if not isinstance(value, str):
        raise ValueError(f"holds {type(value).__name__} as {what}, not a text")
    if looks_like_turns(value):
        raise ValueError(f"holds U+241E with a role behind it in {what}, which marks turns here")
    return value
