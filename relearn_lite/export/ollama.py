"""A Modelfile, so that `ollama create` makes a model of what was exported."""

from __future__ import annotations

from os.path import commonprefix
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.examples import chat_ids, turn_end_id
from relearn_lite.data.tokens import adds_begin_token

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
    bos = tokenizer.bos_token if adds_begin_token(tokenizer) else ""
    end = tokenizer.decode([turn_end_id(tokenizer)])
    once = tokenizer.decode(chat_ids(tokenizer, turns[:1])).removeprefix(bos)  # the runtime puts it there
    whole = tokenizer.decode(chat_ids(tokenizer, turns))
    try:
        start, opening = once.split(question)
        told, between = whole.split(question)[1].split(second)[0].split(answer)
    except (ValueError, IndexError):
        raise RecipeError(
            "export: --format ollama cannot be had of this chat template, which does not write a question as it is; "
            "leave it out, and write a Modelfile by hand"
        ) from None
    asks = commonprefix([start[::-1], between.removeprefix(end)[::-1]])[::-1]  # what begins every question
    first, ends = start.removesuffix(asks), between.removesuffix(asks)
    asked = commonprefix([opening, told])  # what ends one; before the answer to be written there may be more (<think>)
    begun, before = opening.removeprefix(asked), told.removeprefix(asked)
    every, last = "range .Messages", ""
    if begun:
        every, last = "range $i, $_ := .Messages", f"{{{{ if eq (len (slice $.Messages $i)) 1 }}}}{begun}{{{{ end }}}}"
    return "".join([
        f"{first}{{{{ {every} }}}}",
        f'{{{{ if eq .Role "user" }}}}{asks}{{{{ .Content }}}}{asked}{last}',
        f'{{{{ else if eq .Role "assistant" }}}}{before}{{{{ .Content }}}}{ends}{{{{ end }}}}{{{{ end }}}}',
    ])


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
