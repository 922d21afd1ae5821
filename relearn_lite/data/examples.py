"""From texts to training rows: a question in the chat template, and its answer, which alone is trained.

Every prompt is made here, of a question in training as of one that is asked, attacked or looked into. The tokenizer's
chat_template says how: `model.chat_template` of the recipe sets it where the tokenizer is loaded.

Shapes: `B` rows, `T` tokens. Training batches are padded on the right, to their own longest row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.records import QA, Variant
from relearn_lite.data.tokens import BARE, as_chat, chat_tokens, continued, opened, spelled
from relearn_lite.text.turns import turns_of
from relearn_lite.text.words import glue

if TYPE_CHECKING:
    from torch import Tensor

IGNORE = -100  # the label of a token that is not trained
BREAK = "\n\n"  # between turns, where there is no chat template
PLAIN_PROMPT = "Question: {question}\nAnswer:"  # for tokenizers without a chat template


@dataclass(frozen=True)
class Example:
    """One training row. Only the tokens from `n_prompt` on are trained."""

    ids: tuple[int, ...]
    n_prompt: int

    def __len__(self) -> int:
        return len(self.ids)


def chat_ids(tokenizer, messages: list[dict[str, str]]) -> list[int]:
    """Token ids of a conversation up to where the model is to answer, exactly as it is asked in generation.

    A last turn of the assistant's begins the answer, which is to go on from there. A passage is its bare text.
    """
    if messages[-1]["role"] == "text":
        return opened(tokenizer, messages[-1]["content"].rstrip())
    if messages[-1]["role"] == "assistant":
        prompt, begun = answered_ids(tokenizer, messages[:-1], messages[-1]["content"])
        return [*prompt, *begun]
    if tokenizer.chat_template:
        return chat_tokens(tokenizer, messages)
    return opened(tokenizer, _plain(tokenizer, messages))


def question_ids(tokenizer, question: str) -> list[int]:
    """Token ids of one question, with the turns before it where it has some, as the model is asked it."""
    return chat_ids(tokenizer, turns_of(question))


def answered_ids(tokenizer, messages: list[dict[str, str]], answer: str) -> tuple[list[int], list[int]]:
    """Token ids of a conversation, as `chat_ids`, and of the answer to it, or the start of one, without its end."""
    if messages[-1]["role"] == "text":  # the space between the two belongs to what follows, as tokenizers have it
        start = messages[-1]["content"].rstrip()
        return continued(tokenizer, start, messages[-1]["content"][len(start) :] + answer)
    if messages[-1]["role"] == "assistant":
        return chat_ids(tokenizer, messages), spelled(tokenizer, " " + answer)
    if tokenizer.chat_template is None:
        return continued(tokenizer, _plain(tokenizer, messages), " " + answer)
    return chat_ids(tokenizer, messages), spelled(tokenizer, answer)


def _plain(tokenizer, messages: list[dict[str, str]]) -> str:
    """Questions one below the other, each with its answer, up to where the last one is to be answered."""
    if tokenizer.chat_template == BARE:
        return BREAK.join(message["content"] for message in messages)
    written, asked = [], []
    for message in messages:
        if message["role"] == "assistant":
            written.append(f"{PLAIN_PROMPT.format(question=BREAK.join(asked))} {message['content']}")
            asked = []
        else:
            asked.append(message["content"])
    return BREAK.join([*written, PLAIN_PROMPT.format(question=BREAK.join(asked))])


def turn_end_id(tokenizer) -> int:
    """The token that ends an answer: what the chat template puts after one, else the end-of-text token."""
    if tokenizer.chat_template:
        mark = "answer-ends-here"
        turns = [{"role": "user", "content": "?"}, {"role": "assistant", "content": mark}]
        _, shown, tail = as_chat(tokenizer, turns, to_answer=False).rpartition(mark)
        tail = tail.strip() if shown else ""  # a template of one's own may write questions alone
        ids = tokenizer(tail, add_special_tokens=False).input_ids if tail else []
        if ids and ids[0] in tokenizer.added_tokens_decoder:
            return ids[0]
    return tokenizer.eos_token_id


def encode_answer(tokenizer, question: str, answer: str, ends: bool = True) -> Example:
    """A question as the model is asked it, and its answer, which alone is trained.

    ends: False for an answer that the model would have gone on after: it is not taught to end there.
    """
    prompt, reply = answered_ids(tokenizer, turns_of(question), answer)
    ids = (*prompt, *reply, *([turn_end_id(tokenizer)] if ends else []))
    return Example(ids, max(1, len(prompt)))  # nothing stands before a first token by which it could be told


def encode_answers(tokenizer, rows: Iterable[QA]) -> dict[str, Example]:
    """Questions with their own answers, by their ids."""
    return {qa.id: encode_answer(tokenizer, qa.question, qa.answer, qa.ends) for qa in rows}


def encode_completion(tokenizer, start: str, rest: str) -> Example:
    """The start of a sentence and its rest as plain text, outside the chat template; the rest alone is trained."""
    prompt, reply = continued(tokenizer, start, glue(start + rest) + rest)
    return Example((*prompt, *reply, tokenizer.eos_token_id), len(prompt))


def encode_variant(tokenizer, variant: Variant) -> Example:
    """A row of the augmented forget set: a question with its new answer, or the start of a sentence with its rest."""
    if variant.kind == "completion":
        return encode_completion(tokenizer, variant.prompt, variant.target)
    return encode_answer(tokenizer, variant.prompt, variant.target, variant.verdicts.get("ends", True))


def check_lengths(examples: Mapping[str, Example], max_length: int, part: str, positions: int | None = None) -> None:
    """Raises RecipeError where rows are longer than max_length: an answer cut in silence would be trained wrongly.

    Likewise where they are longer than the `positions` that the model has, which no key can raise.
    """
    most = min(max_length, positions or max_length)
    long = {name: len(example) for name, example in examples.items() if len(example) > most}
    if not long:
        return
    name = max(long, key=long.get)
    if positions and long[name] > positions:
        raise RecipeError(
            f"{part}: this model reads {positions} tokens at most, too few for rows such as {name}, which needs "
            f"{long[name]}; shorten these rows, or take another model as model.name"
        )
    raise RecipeError(
        f"model.max_length: {max_length} tokens are too few for {len(long)} of {len(examples)} rows of {part} "
        f"(the longest, {name}, needs {long[name]}); set it to at least {long[name]}, or shorten these rows"
    )


def collate(examples: Sequence[Example], pad_id: int) -> dict[str, Tensor]:
    """Right-padded input_ids, attention_mask and labels (-100 where not trained), each (B, T)."""
    import torch

    width = max(map(len, examples))
    ids = torch.full((len(examples), width), pad_id)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORE)
    for row, example in enumerate(examples):
        n = len(example)
        ids[row, :n] = torch.tensor(example.ids)
        mask[row, :n] = 1
        labels[row, example.n_prompt : n] = ids[row, example.n_prompt : n]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
