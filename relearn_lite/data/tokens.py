"""From text to token ids: the same prompt whatever the day is, and what people wrote stays text.

Marks such as <|end|> that stand in a text are spelled out: only the chat template sets the tokens that they name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from relearn_lite.core.errors import RecipeError, first_line

DAY = datetime(2024, 7, 26)  # of every prompt, for templates that tell the date; Llama 3.2's own default
BARE = ""  # a tokenizer's chat_template where the recipe wants none: the question alone; None: it never had one
PROBE = "question-stands-here"
_TAKES_PARTS: dict[str, bool] = {}  # by template
PLACE = "\ue000{}\ue001"  # private characters: stand for a mark while the template is filled in


def as_chat(tokenizer, messages: Sequence[dict[str, str]], *, to_answer: bool) -> str:
    """A conversation as the chat template writes it, dated DAY and without thinking, where that can be switched off.

    to_answer: up to where the model is to answer, else as a finished one. Templates ignore what they do not know.
    Raises RecipeError where the template refuses the conversation, or makes prompts without the question.
    """
    in_parts = _takes_parts(tokenizer)
    try:
        return _filled(tokenizer, messages, in_parts, to_answer)
    except Exception as error:  # the template is somebody's program
        roles = ", ".join(message["role"] for message in messages)
        raise _refusal(tokenizer, f"refuses these turns ({roles}): {first_line(error)}") from error


def _filled(tokenizer, messages: Sequence[dict[str, str]], in_parts: bool, to_answer: bool) -> str:
    if in_parts:
        messages = [{**turn, "content": [{"type": "text", "text": turn["content"]}]} for turn in messages]
    return tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=to_answer, strftime_now=DAY.strftime, enable_thinking=False
    )


def read_template(name: str) -> str:
    """The chat template that `model.chat_template` names: BARE for `none`, else what the file holds.

    Raises RecipeError where the file cannot be read, is no jinja template, or does not show a question: every prompt
    would be the same, or empty.
    """
    if name == "none":
        return BARE
    from jinja2 import TemplateError

    question = "What is asked here?"
    try:
        template = Path(name).read_text(encoding="utf-8-sig")
        shown = as_asked(template, question)
    except (OSError, UnicodeDecodeError, TemplateError, TypeError, ValueError) as error:
        raise RecipeError(
            f"model.chat_template: {name} cannot be used ({first_line(error)}); give auto, none, or a text file with a "
            "jinja template that writes `messages`"
        ) from None
    if question not in shown:
        raise RecipeError(
            f"model.chat_template: {name} leaves the question out; let it write the content of each of `messages`"
        )
    _TAKES_PARTS[template] = False  # the recipe's word: it may end with the question
    return template


def as_asked(template: str, question: str) -> str:
    """A question as a chat template writes it, without the marks that a tokenizer has for the ends of a text.

    BARE writes it as it is. Raises jinja's errors, and what a template runs into.
    """
    from transformers.utils.chat_template_utils import render_jinja_template

    if template == BARE:
        return question
    turns, marks = [{"role": "user", "content": question}], dict.fromkeys(("bos_token", "eos_token"), "")
    (shown, *_), _ = render_jinja_template([turns], chat_template=template, add_generation_prompt=True, **marks)
    return shown


def _takes_parts(tokenizer) -> bool:
    """Whether the chat template takes a turn's content as a list of parts; one that does leaves a plain text out."""
    template = str(tokenizer.chat_template)
    if template not in _TAKES_PARTS:
        why = ""
        for in_parts in (False, True):
            try:
                prompt = _filled(tokenizer, [{"role": "user", "content": PROBE}], in_parts, True)
            except Exception as error:  # the template is somebody's program
                why = why or f"refuses a question: {first_line(error)}"
                continue
            spelled_out = in_parts and re.search(r"""["']type["']: ?["']text["']""", prompt)
            if prompt.partition(PROBE)[2] and not spelled_out:  # the question, and something that ends it
                _TAKES_PARTS[template] = in_parts
                break
            why = why or f"makes prompts that {'end with' if PROBE in prompt else 'do not hold'} the question"
        else:
            raise _refusal(tokenizer, why)
    return _TAKES_PARTS[template]


def _refusal(tokenizer, why: str) -> RecipeError:
    return RecipeError(
        f"model.name: the chat template of {tokenizer.name_or_path} {why}; mend chat_template.jinja (or chat_template "
        "in tokenizer_config.json) in a local copy and give that folder, or remove it there to ask without a template"
    )


def chat_tokens(tokenizer, messages: Sequence[dict[str, str]]) -> list[int]:
    """Token ids of a conversation in the chat template, up to where the model is to answer."""
    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    marks = [mark for mark in special if any(mark in message["content"] for message in messages)]
    places = {PLACE.format(i): mark for i, mark in enumerate(sorted(marks, key=len, reverse=True))}
    for place, mark in places.items():
        messages = [{**message, "content": message["content"].replace(mark, place)} for message in messages]
    text = as_chat(tokenizer, messages, to_answer=True)
    if not places:
        return list(tokenizer(text, add_special_tokens=False).input_ids)
    ids: list[int] = []
    for piece in filter(None, re.split(f"({'|'.join(places)})", text)):
        mark = places.get(piece)
        ids += spelled(tokenizer, mark) if mark else tokenizer(piece, add_special_tokens=False).input_ids
    return ids


def adds_begin_token(tokenizer) -> bool:
    """Whether it puts its begin token before a text by itself; false where it has none."""
    bos = tokenizer.bos_token_id
    return bos is not None and tokenizer("x").input_ids[:1] == [bos]


def spelled(tokenizer, text: str) -> list[int]:
    """Token ids of a text that stands inside another one."""
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids)


def opened(tokenizer, text: str) -> list[int]:
    """Token ids of a text that begins here and is to go on: with the tokenizer's first token, without its last."""
    return _without_end(tokenizer, list(tokenizer(text, split_special_tokens=True).input_ids))


def continued(tokenizer, start: str, rest: str) -> tuple[list[int], list[int]]:
    """Token ids of `start`, as `opened`, and of `rest`, which follows at once: those of the whole text, cut in two.

    A token across the cut goes to the rest. Tokenizers that do not tell where their tokens stand (slow ones) are given
    the parts one by one, which may put a mark for a word's beginning before the rest.
    """
    if not tokenizer.is_fast:
        return opened(tokenizer, start), spelled(tokenizer, rest)
    whole = tokenizer(start + rest, return_offsets_mapping=True, split_special_tokens=True)
    ids = _without_end(tokenizer, list(whole.input_ids))
    ends = [end for _, end in whole.offset_mapping[: len(ids)]]
    cut = next((i for i, end in enumerate(ends) if end > len(start)), len(ids))
    return ids[:cut], ids[cut:]


def _without_end(tokenizer, ids: list[int]) -> list[int]:
    """Some tokenizers end every text."""
    return ids[:-1] if ids and ids[-1] == tokenizer.eos_token_id else ids
