"""Answers of a model, in batches of like length. An answer never contains its prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import free_memory, out_of_memory, tell_once
from relearn_lite.data.examples import chat_ids, turn_end_id
from relearn_lite.models.backends import evaluation_mode
from relearn_lite.models.batch_sizes import AUTO, DRAWN, fitting, ran_out
from relearn_lite.models.kv_cache import new_tokens
from relearn_lite.models.loaded import Loaded, active_adapters, unwrapped
from relearn_lite.models.shared_prefix import Prefixes, left_padded
from relearn_lite.text.recall import as_long_as
from relearn_lite.text.turns import is_passage

if TYPE_CHECKING:
    from relearn_lite.recipe import Generate

PUBLISHED = {"do_sample": True, "temperature": 0.7, "top_p": 0.9, "top_k": 5}
GREEDY = {"do_sample": False}
NEXT_DRAW = 1_000_003  # between the seeds of two draws
FOLLOWING = ("A", "0", "\nA", " A")  # texts that may follow; the last token before may be another one with each

Conversation = list[dict[str, str]]  # turns, each with a role and its content
Prompt = Sequence[int] | str  # token ids, or a text
Rows = int | Callable[[Prompt], int]  # prompts at once: a number, or what gives one for the longest of them


@dataclass(frozen=True)
class Completion:
    """New text after a prompt. finished: it ended by itself, not at the token limit."""

    text: str
    finished: bool

    def held_to(self, question: str, answer: str) -> Completion:
        """Of a passage as much as its rest is long, for the text goes on where the rest ends; answers as they are."""
        if not is_passage(question):
            return self
        return Completion(as_long_as(self.text, answer), self.finished or len(self.text) >= len(answer))


@dataclass(frozen=True)
class Decoding:
    """How prompts are continued: tokens at most, prompts at once, options of transformers' `generate`, and the seed.

    batch_size: see `rows`. section: of the recipe, whose max_new_tokens it is (for error messages). enough: whether a
    text that goes on holds all that is wanted of it; it is asked now and then. stripped: whether white space around a
    text is taken away.
    """

    max_new_tokens: int
    batch_size: int | Literal["auto"]
    sampling: Mapping[str, Any] = field(default_factory=lambda: GREEDY)
    seed: int = 0
    section: str = "generate"
    enough: Callable[[str], bool] | None = None
    stripped: bool = True

    @classmethod
    def of(cls, settings: Generate, seed: int, **changes: Any) -> Decoding:
        """As the recipe's `generate` section has it."""
        sampling = GREEDY if settings.sampling == "greedy" else PUBLISHED
        return replace(cls(settings.max_new_tokens, settings.batch_size, sampling, seed), **changes)

    def rows(self, loaded: Loaded, length: Callable[[Prompt], int] = len) -> Rows:
        """How many prompts at once, for `batches_of`. `auto`: as many as memory takes of the longest one that is left;
        where answers are drawn a number, the same everywhere. length: the tokens of a prompt."""
        if self.batch_size != AUTO:
            return self.batch_size
        if self.sampling["do_sample"]:
            return DRAWN
        return lambda longest: fitting(loaded, length(longest), self.max_new_tokens)


def batches_of(prompts: Sequence[Prompt], size: Rows) -> Iterator[list[int]]:
    """Indices of prompts in batches of like length, longest first: what does not fit in memory fails at once.

    With a number a function of the arguments alone, so a resumed run forms the same batches and writes the same text.
    Otherwise `size` is asked before each batch.
    """
    order = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), i))
    while order:
        rows = size(prompts[order[0]]) if callable(size) else size
        yield order[:rows]
        order = order[rows:]


def complete(
    loaded: Loaded, prompts: Sequence[Sequence[int]], decoding: Decoding, prefixes: Prefixes | None = None
) -> list[Completion]:
    """Continues one batch of prompts with the adapters that are active now: -> one Completion a prompt.

    prefixes: beginnings that were computed for earlier batches, with the same weights and adapters. Where memory runs
    out the batch is halved, as often as it takes; greedy answers stay the same.
    """
    try:
        return _complete(loaded, prompts, decoding, prefixes)
    except RuntimeError as error:
        if not out_of_memory(error) or len(prompts) == 1:
            raise
    free_memory()  # here, not above: until then the error holds what the attempt took
    avoided = "a smaller batch_size avoids the failed attempt"
    if callable(decoding.rows(loaded)):
        avoided = "the next ones are smaller"
        ran_out(loaded, len(prompts), max(map(len, prompts)), decoding.max_new_tokens)
    tell_once(f"Out of memory: a batch of prompts is done in halves; {avoided}.")
    half = len(prompts) // 2
    return [row for part in (prompts[:half], prompts[half:]) for row in complete(loaded, part, decoding, prefixes)]


def stream(
    loaded: Loaded, prompt: Sequence[int], decoding: Decoding, told: Callable[[str], None], stopped: Callable[[], bool]
) -> Completion:
    """Continues one prompt with the adapters that are active now, as `complete`, and shows it on the way.

    told: is given each piece of text once its words are whole. stopped: asked after each token; True ends the answer.
    """
    import torch
    from transformers import TextStreamer

    streamer = TextStreamer(loaded.tokenizer, skip_prompt=True, skip_special_tokens=True)
    streamer.on_finalized_text = lambda text, stream_end=False: told(text)

    def stop(ids, scores, **_):
        return torch.full((ids.shape[0],), stopped(), device=ids.device)

    watched = {"streamer": streamer, "stopping_criteria": [stop]}
    return _complete(loaded, [prompt], decoding, watched=watched)[0]


def _complete(
    loaded: Loaded, prompts: Sequence[Sequence[int]], decoding: Decoding, prefixes: Prefixes | None = None,
    watched: Mapping[str, Any] | None = None,
) -> list[Completion]:  # fmt: skip
    """watched: more options of transformers' `generate`, which look at the text as it is made."""
    import torch

    model, tokenizer = loaded.model, loaded.tokenizer
    ends = set(end_ids(loaded))

    def ended(row: list[int]) -> bool:
        if not ends.isdisjoint(row):
            return True
        return decoding.enough is not None and decoding.enough(tokenizer.decode(row, skip_special_tokens=True))

    with evaluation_mode(loaded), torch.random.fork_rng(), torch.inference_mode(), _without_own_options(model):
        inputs = prefixes.inputs(prompts, decoding.max_new_tokens) if prefixes else None
        inputs = inputs or left_padded(loaded, prompts)
        torch.manual_seed(decoding.seed)
        options = {"eos_token_id": sorted(ends) or None, "pad_token_id": tokenizer.pad_token_id, **decoding.sampling}
        if watched:
            output = model.generate(**inputs, max_new_tokens=decoding.max_new_tokens, **options, **watched)
            output = output[:, inputs["input_ids"].shape[1] :].tolist()
        else:
            output = new_tokens(loaded, inputs, decoding.max_new_tokens, ended, options)
    cut = [next((i for i, token in enumerate(row) if token in ends), None) for row in output]
    answers = []
    for row, end in zip(output, cut, strict=True):
        text = tokenizer.decode(row[:end], skip_special_tokens=True)
        if end is None:
            text = text.rstrip("\ufffd")  # half a character: its other tokens are beyond the limit
        answers.append(Completion(text.strip() if decoding.stripped else text, end is not None))
    return answers


def end_ids(loaded: Loaded) -> list[int]:
    """Every token that may end an answer: as the chat template has it, the tokenizer, and the model itself (Llama 3 has
    <|eom_id|> too)."""
    own = getattr(loaded.model.generation_config, "eos_token_id", None)
    ends = {turn_end_id(loaded.tokenizer), loaded.tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])}
    return sorted(ends - {None})


@contextmanager
def _without_own_options(model) -> Iterator[None]:
    """Takes away the options that a model brings, such as Qwen 2.5's repetition penalty, and puts them back afterwards:
    transformers would fill them in wherever nothing else is given."""
    from transformers import GenerationConfig

    base = unwrapped(model)
    own = base.generation_config
    base.generation_config = GenerationConfig(bos_token_id=own.bos_token_id)
    try:
        yield
    finally:
        base.generation_config = own


def answer_prompts(
    loaded: Loaded, prompts: Sequence[Sequence[int]], adapters: tuple[str, ...], decoding: Decoding,
    prefixes: Prefixes | None = None,
) -> list[Completion]:  # fmt: skip
    """Continues all prompts with exactly these adapters on, in batches of like length: -> one Completion a prompt.

    prefixes: see `complete`; without them what all these prompts begin with is computed once.
    """
    answers: dict[int, Completion] = {}
    check_fits(loaded, prompts, decoding)
    prefixes = prefixes or Prefixes(loaded, [prompts])
    with active_adapters(loaded.model, adapters):
        for number, rows in enumerate(batches_of(prompts, decoding.rows(loaded))):
            seeded = replace(decoding, seed=decoding.seed + number)
            made = complete(loaded, [prompts[i] for i in rows], seeded, prefixes)
            answers |= zip(rows, made, strict=True)
    return [answers[i] for i in range(len(prompts))]


def context_length(loaded: Loaded) -> int | None:
    """Tokens that a text may have, prompt and answer together; None where the model tells no limit."""
    own = getattr(loaded.model.config.get_text_config(), "max_position_embeddings", None)
    unsloth = getattr(loaded.model, "max_seq_length", None)  # which would cut longer prompts in silence
    return min((limit for limit in (own, unsloth) if limit), default=None)


def check_fits(
    loaded: Loaded, prompts: Sequence[Sequence[int]], decoding: Decoding, names: Sequence[str] = ()
) -> None:
    """Raises RecipeError where prompt and answer together are longer than the model can read. names: of the prompts."""
    limit, section, longest = context_length(loaded), decoding.section, max(map(len, prompts), default=0)
    if limit and longest + decoding.max_new_tokens > limit:
        # What a writer or a judge is told is not the user's to shorten.
        asked = section == "generate"
        what, remedy = ("question", "shorten the question") if asked else ("prompt", "name another model")
        remedies = ["lower it"] * (longest < limit) + [remedy]
        named = next((f", {name}," for name, prompt in zip(names, prompts, strict=False) if len(prompt) == longest), "")
        raise RecipeError(
            f"{section}.max_new_tokens: the longest {what}{named} has {longest} tokens, and with "
            f"{decoding.max_new_tokens} new ones it exceeds the {limit} tokens that this model can read; "
            f"{', or '.join(remedies)}"
        )


def chat(
    loaded: Loaded, *, batch_size: int | Literal["auto"], temperature: float, section: str
) -> Callable[..., list[str]]:
    """The vanilla model as a writer: conversations in, texts out, on the weights that are loaded already.

    section: of the recipe, which names the writer (for error messages). A last turn of the assistant is the beginning
    of the reply, which then goes on from there. What stands before the last question (worked examples) is computed
    once, as long as the writer lives: the model's own weights and the vanilla adapters must stay as they are. So is, on
    a CPU, each of `begun`: conversations that break off in their last turn, which those asked begin with, and later
    ones. A GPU reads so few tokens in the time of one more pass anyway. Where nothing is drawn the reply to a prompt is
    known once it was asked (a text that is refused again for the same reason), also where `drawn` is false, as for
    verdicts.
    """
    prefixes, said = Prefixes(loaded), {}

    def write(
        conversations: list[Conversation], max_new_tokens: int, seed: int,
        enough: Callable[[str], bool] | None = None, begun: Iterable[Conversation] = (), drawn: bool = True,
    ) -> list[str]:  # fmt: skip
        draws = drawn and temperature > 0
        sampling = {"do_sample": True, "temperature": temperature, "top_p": 1.0, "top_k": 0} if draws else GREEDY
        prompts = [chat_ids(loaded.tokenizer, messages) for messages in conversations]
        for opening in _openings(conversations):
            prefixes.add(_going_on(loaded, [*opening, {"role": "user", "content": ""}]))
        known = prefixes.extended(_going_on(loaded, turns) for turns in (begun if loaded.device.type == "cpu" else ()))
        decoding = Decoding(max_new_tokens, batch_size, sampling, seed, section, enough)
        keys = [(_digest(prompt), max_new_tokens, enough, draws and row) for row, prompt in enumerate(prompts)]
        new = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if draws or key not in said}
        made = answer_prompts(loaded, [*new.values()], loaded.vanilla_adapters, decoding, known)
        replies = dict(zip(new, (answer.text for answer in made), strict=True))
        if not draws:
            said.update(replies)
        return [replies[key] if key in replies else said[key] for key in keys]

    return write


def _digest(prompt: Sequence[int]) -> bytes:
    return hashlib.sha256(repr([*prompt]).encode()).digest()


def _going_on(loaded: Loaded, turns: Conversation) -> list[list[int]]:
    """Prompts that begin with these turns, the last of which breaks off, and have nothing more in common."""
    ends = [{**turns[-1], "content": turns[-1]["content"] + text} for text in FOLLOWING]
    return [chat_ids(loaded.tokenizer, [*turns[:-1], end]) for end in ends]


def _openings(conversations: list[Conversation]) -> list[Conversation]:
    """The turns before the last question, each that occurs once."""
    found: list[Conversation] = []
    for turns in conversations:
        opening = turns[: max((i for i, turn in enumerate(turns) if turn["role"] == "user"), default=0)]
        if opening and opening not in found:
            found.append(opening)
    return found
