"""A conversation as one text, so that a question may have turns before it and is still what every reader takes: a text.

Each turn begins with the sign for a record separator and its role: `␞user: Hi␞assistant: Hello.␞user: Who is Ann?`. The
sign itself, U+241E: the separator is white space to Python, and would be lost wherever spaces are tidied. A single
turn of the user is its text alone. A text of people's own that looks like this is refused where data are read.

A turn of the role `text` is no talk but the beginning of a text, and what is asked is how that goes on: a passage. No
chat template is put around it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

SEPARATOR = "\u241e"
_TURN = re.compile(rf"\s?{SEPARATOR}(system|user|assistant|text): ")

_SAME = str.maketrans("’‘ʼ“”„‐‑‒–—", "'''\"\"\"-----")  # as word processors write them
_TEXT = f"{SEPARATOR}text: "

Turn = dict[str, str]  # role and content, as a chat template takes them


def joined(turns: Sequence[Turn]) -> str:
    """One text of all turns."""
    if [turn["role"] for turn in turns] == ["user"]:
        return turns[0]["content"]
    return "\n".join(f"{SEPARATOR}{turn['role']}: {turn['content']}" for turn in turns)


def turns_of(question: str) -> list[Turn]:
    """The turns of a text that `joined` made. Text before the first of them, all of a plain question, is the user's."""
    before, *rest = _TURN.split(question)
    turns = [{"role": "user", "content": before}] if before.strip() or not rest else []
    return turns + [{"role": role, "content": text} for role, text in zip(rest[::2], rest[1::2], strict=True)]


def looks_like_turns(text: str) -> bool:
    """Whether a text that nothing here has made would be taken for several turns."""
    return bool(_TURN.search(text))


def last_turn(question: str) -> tuple[str, str]:
    """(all that comes before the last turn's own text, that text): together they are the question, but for an answer
    that is begun behind it (RWKU's "Answer:")."""
    *before, last = turns_of(question)
    if last["role"] == "assistant":
        question = joined(before)
    end = max((match.end() for match in _TURN.finditer(question)), default=0)
    return question[:end], question[end:]


def unmarked(question: str) -> str:
    """The words of all turns, without the signs between them: no question gives the word "assistant" by its turns."""
    return _TURN.sub(" \n", question)


def passage(start: str) -> str:
    """The beginning of a text as a question. The space or line break before what follows stands at its end."""
    return f"{_TEXT}{start}"


def is_passage(question: str) -> bool:
    """Whether a question is the beginning of a text, see `passage`."""
    return question.startswith(_TEXT)


def shown(question: str) -> str:
    """A question as people are shown it: of a passage the bare beginning."""
    return question.removeprefix(_TEXT)


def bare(question: str) -> str:
    """A question without case, spacing, the mark at its end and ways to write a letter: what two are compared by."""
    same = unicodedata.normalize("NFKC", question).translate(_SAME)
    return " ".join(same.lower().split()).rstrip(" ?.!？。！") or question.strip()
