"""Answers of a model, in batches of like length. An answer never contains its prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import append_jsonl, cut_torn_line, read_jsonl, write_jsonl
from relearn_lite.core.memory import free_memory, out_of_memory, tell_once
from relearn_lite.core.records import QA, Answer
from relearn_lite.data.examples import chat_ids, question_ids, turn_end_id
from relearn_lite.models.backends import set_training
from relearn_lite.models.loaded import Loaded, active_adapters

if TYPE_CHECKING:
    from relearn_lite.recipe import Generate

PUBLISHED = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 5}
GREEDY = {"do_sample": False}


def sampling_of(settings: Generate) -> dict:
    """How the recipe's `generate` section has answers drawn: options of transformers' `generate`."""
    return GREEDY if settings.sampling == "greedy" else PUBLISHED


@dataclass(frozen=True)
class Completion:
    """New text after a prompt. finished: it ended by itself, not at the token limit."""

    text: str
    finished: bool


def batches_of(prompts: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Indices of prompts in batches of like length, longest first: what does not fit in memory fails at once.

    A function of the prompts and `size` alone, so a resumed run forms the same batches and writes the same text.
    """
    order = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
    yield from (order[i : i + size] for i in range(0, len(order), size))


def complete(
    loaded: Loaded, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, sampling: dict, seed: int
) -> list[Completion]:
    """Continues one batch of prompts with the adapters that are active now: -> one Completion a prompt.

    Where memory runs out the batch is halved, as often as it takes; greedy answers stay the same. A single prompt that
    does not fit is an error.
    """
    try:
        return _complete(loaded, prompts, max_new_tokens, sampling, seed)
    except RuntimeError as error:
        if not out_of_memory(error) or len(prompts) == 1:
            raise
    free_memory()  # here, not above: until then the error holds what the attempt took
    tell_once("Out of memory: a batch of prompts is done in halves; a smaller batch_size avoids the failed attempt.")
    half = len(prompts) // 2
    return [
        completion
        for rows in (prompts[:half], prompts[half:])
        for completion in complete(loaded, rows, max_new_tokens=max_new_tokens, sampling=sampling, seed=seed)
    ]


def _complete(
    loaded: Loaded, prompts: Sequence[Sequence[int]], max_new_tokens: int, sampling: dict, seed: int
) -> list[Completion]:
    import torch

    model, tokenizer = loaded.model, loaded.tokenizer
    ends = end_ids(loaded)
    width = max(map(len, prompts))
    # Padding goes to the left here: a row's new tokens must follow its last one.
    ids = torch.tensor([[tokenizer.pad_token_id] * (width - len(p)) + list(p) for p in prompts], device=loaded.device)
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts], device=loaded.device)
    was_training = model.training
    model.eval()
    try:
        with torch.random.fork_rng(), torch.inference_mode(), _without_own_options(model):
            torch.manual_seed(seed)
            output = model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=max_new_tokens,
                eos_token_id=ends or None,
                pad_token_id=tokenizer.pad_token_id,
                **sampling,
            )[:, width:].tolist()
    finally:
        set_training(loaded, was_training)
    cut = [next((i for i, token in enumerate(row) if token in ends), None) for row in output]
    return [
        Completion(tokenizer.decode(row[:end], skip_special_tokens=True).strip(), end is not None)
        for row, end in zip(output, cut, strict=True)
    ]


def end_ids(loaded: Loaded) -> list[int]:
    """Every token that may end an answer: as the chat template has it, the tokenizer, and the model itself.

    Some models end in several ways: Llama 3 also with <|eom_id|>, GLM-4 where it would begin the user's next turn.
    """
    own = getattr(loaded.model.generation_config, "eos_token_id", None)
    ends = {turn_end_id(loaded.tokenizer), loaded.tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])}
    return sorted(ends - {None})


@contextmanager
def _without_own_options(model) -> Iterator[None]:
    """Takes the options away that a model brings for its own answers, such as the repetition penalty of Qwen 2.5.

    transformers fills in from them whatever is not given, even into a configuration that is. The model's generation
    configuration is put back afterwards.
    """
    from transformers import GenerationConfig

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    own = base.generation_config
    base.generation_config = GenerationConfig(bos_token_id=own.bos_token_id)
    try:
        yield
    finally:
        base.generation_config = own


def generate(
    loaded: Loaded,
    questions: dict[str, list[QA]],
    settings: Generate,
    *,
    model: str,
    seed: int,
    folder: Path,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Asks a model (`vanilla` or `unlearned`) all questions and writes folder/<model>_<split>.jsonl.

    questions: by split. Splits that are there are left alone; within one, finished batches are kept. advance is told
    how many answers are done.
    """
    adapters = loaded.vanilla if model == "vanilla" else loaded.unlearned
    with active_adapters(loaded.model, adapters):
        for split, asked in questions.items():
            target = folder / f"{model}_{split}.jsonl"
            if not target.exists():
                _answer_split(loaded, split, asked, settings, model, seed, target, advance)
            else:
                advance(len(asked))


def _answer_split(
    loaded: Loaded,
    split: str,
    asked: list[QA],
    settings: Generate,
    model: str,
    seed: int,
    target: Path,
    advance: Callable[[int], None],
) -> None:
    partial = target.with_suffix(".partial.jsonl")
    cut_torn_line(partial)
    done = {answer.id: answer for answer in read_jsonl(partial, Answer)} if partial.exists() else {}
    prompts = [question_ids(loaded.tokenizer, qa.question) for qa in asked]
    check_room(loaded, prompts, settings.max_new_tokens)
    for number, rows in enumerate(batches_of(prompts, settings.batch_size)):
        if any(asked[i].id not in done for i in rows):
            completions = complete(
                loaded,
                [prompts[i] for i in rows],
                max_new_tokens=settings.max_new_tokens,
                sampling=sampling_of(settings),
                seed=seed + number,
            )
            answers = [
                Answer(asked[i].id, model, split, asked[i].question, asked[i].answer, made.text, made.finished)
                for i, made in zip(rows, completions, strict=True)
            ]
            append_jsonl(partial, [answer for answer in answers if answer.id not in done])
            done |= {answer.id: answer for answer in answers if answer.id not in done}
        advance(len(rows))
    write_jsonl(target, [done[qa.id] for qa in asked])
    partial.unlink(missing_ok=True)


def room(loaded: Loaded) -> int | None:
    """Tokens that a text may have, prompt and answer together; None where the model tells no limit."""
    limits = (
        getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None),
        getattr(loaded.model, "max_seq_length", None),
    )  # Unsloth's, which would cut longer prompts in silence
    return min((limit for limit in limits if limit), default=None)


def check_room(
    loaded: Loaded, prompts: Sequence[Sequence[int]], max_new_tokens: int, section: str = "generate"
) -> None:
    """Raises RecipeError where prompt and answer together are longer than the model can read.

    section: of the recipe, whose max_new_tokens it is.
    """
    limit = room(loaded)
    longest = max(map(len, prompts)) + max_new_tokens
    if limit and longest > limit:
        what, remedy = "question", ", or shorten the question"
        if section != "generate":  # what a writer or a judge is told is not the user's to shorten
            what, remedy = "prompt", ""
        raise RecipeError(
            f"{section}.max_new_tokens: the longest {what} has {longest - max_new_tokens} tokens, and with "
            f"{max_new_tokens} new ones it exceeds the {limit} tokens that this model can read; lower it{remedy}"
        )


def chat(
    loaded: Loaded, *, batch_size: int, temperature: float, section: str
) -> Callable[[list[list[dict[str, str]]], int, int], list[str]]:
    """The vanilla model as a writer: conversations in, texts out, on the weights that are loaded already.

    section: of the recipe, which names the writer (for error messages).
    """
    sampling = {"do_sample": True, "temperature": temperature, "top_p": 1.0, "top_k": 0} if temperature else GREEDY

    def write(conversations: list[list[dict[str, str]]], max_new_tokens: int, seed: int) -> list[str]:
        prompts = [chat_ids(loaded.tokenizer, messages) for messages in conversations]
        check_room(loaded, prompts, max_new_tokens, section)
        texts = [""] * len(prompts)
        with active_adapters(loaded.model, loaded.vanilla):
            for number, rows in enumerate(batches_of(prompts, batch_size)):
                made = complete(
                    loaded,
                    [prompts[i] for i in rows],
                    max_new_tokens=max_new_tokens,
                    sampling=sampling,
                    seed=seed + number,
                )
                for i, completion in zip(rows, made, strict=True):
                    texts[i] = completion.text
        return texts

    return write
