"""A Modelfile, so that `ollama create` makes a model of what was exported."""

from __future__ import annotations

from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import chat_ids, turn_end_id

MARKS = ("question-stands-here", "answer-stands-here", "second-question-here")


def modelfile(weights: str, tokenizer: Any) -> str:
    """The text of a Modelfile for these weights: the chat template as the model is asked, greedy, ends where it ends.

    weights: the GGUF file's name beside it, or `.` for a folder of safetensors.
    """
    end = tokenizer.decode([turn_end_id(tokenizer)])
    return "\n".join([
        "# ollama create NAME -f Modelfile   (in this folder)",
        f"FROM {weights if weights == '.' else f'./{weights}'}",
        f'TEMPLATE """{_template(tokenizer)}"""',
        f'PARAMETER stop "{_quoted(end)}"',
        "# As it was measured: the likeliest word each time.",
        "PARAMETER temperature 0", "PARAMETER repeat_penalty 1", "",
    ])  # fmt: skip


def _template(tokenizer: Any) -> str:
    """The model's chat template in Go's language, as read off a conversation that it writes."""
    question, answer, second = MARKS
    turns = [
        {"role": "user", "content": question}, {"role": "assistant", "content": answer},
        {"role": "user", "content": second},
    ]  # fmt: skip
    once = tokenizer.decode(chat_ids(tokenizer, turns[:1]))
    whole = tokenizer.decode(chat_ids(tokenizer, turns))
    try:
        start, opening = once.split(question)
        between = whole.split(answer)[1].split(second)[0]  # ends an answer, begins the next question
    except (ValueError, IndexError):
        raise RecipeError(
            "export: --format ollama cannot be had of this chat template, which does not write a question as it is; "
            "leave it out, and write a Modelfile by hand"
        ) from None
    end = tokenizer.decode([turn_end_id(tokenizer)])
    shared = between.removeprefix(end)
    first = start[: len(start) - len(shared)] if shared and start.endswith(shared) else None
    if first is None:  # the first turn begins otherwise than those that follow
        first, shared = "", start
    turn = "".join([
        f'{{{{ if eq .Role "user" }}}}{shared}{{{{ .Content }}}}{opening}',
        f'{{{{ else if eq .Role "assistant" }}}}{{{{ .Content }}}}{end}{{{{ end }}}}',
    ])
    first = first.removeprefix(tokenizer.bos_token or "")  # the runtime puts it there
    return f"{first}{{{{ range .Messages }}}}{turn}{{{{ end }}}}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
