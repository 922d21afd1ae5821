"""Asks a model what an attack has made up, in batches; what was answered before a crash is not asked again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relearn_lite.core.files import write_in_batches
from relearn_lite.core.records import QA
from relearn_lite.data.examples import answered_ids, chat_ids
from relearn_lite.models.generation import Completion, Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import Loaded, active_adapters

if TYPE_CHECKING:
    from relearn_lite.recipe import Generate

Advance = Callable[[int], None]
SIDES = ("forget", "retain")


@dataclass(frozen=True)
class Ask:
    """One question in one way: the user's turns, and the start that the last answer is forced to have."""

    qa: QA
    side: str  # forget or retain
    way: str  # tells the ways of one attack apart
    turns: tuple[str, ...]
    start: str = ""


@dataclass(frozen=True)
class Attempt:
    """What came of an Ask. Judged by `query`, the question as the data have it; `prompt` is what was really asked."""

    id: str  # of the QA
    way: str
    side: str
    query: str
    prompt: str
    ground_truth: str
    generated_response: str  # the last answer, a forced start included
    finished: bool = True


@dataclass(frozen=True)
class Target:
    """The model under attack: with exactly these adapters on, answering as the recipe's `generate` section has it."""

    loaded: Loaded
    adapters: tuple[str, ...]
    generate: Generate
    seed: int


def plainly(questions: dict[str, Sequence[QA]], way: str = "plain") -> list[Ask]:
    """The questions as they are. questions: by side."""
    return [Ask(qa, side, way, (qa.question,)) for side, asked in questions.items() for qa in asked]


def ask(target: Target, asks: Sequence[Ask], file: Path, advance: Advance = lambda _: None) -> None:
    """Writes the attempts of all asks, in their order, to `file`; there already, it is left alone.

    Finished batches are kept in <name>.partial.jsonl. advance is told how many asks are done.
    """
    def attempts(number: int, batch: Sequence[Ask]) -> list[Attempt]:
        made = _converse(target, batch, target.seed + number)
        return [_attempt(each, answer) for each, answer in zip(batch, made, strict=True)]

    with active_adapters(target.loaded.model, target.adapters):
        write_in_batches(file, Attempt, asks, _batches(target, asks), attempts, _key, advance)


def _key(each: Ask | Attempt) -> tuple[str, str, str]:
    return each.way, each.side, each.qa.id if isinstance(each, Ask) else each.id


def _batches(target: Target, asks: Sequence[Ask]) -> Iterator[list[Ask]]:
    """Batches of asks with as many turns and openings of like length: the same for the same asks, as a resume needs."""
    for turns in sorted({len(each.turns) for each in asks}):
        group = [each for each in asks if len(each.turns) == turns]
        opened = [_prompt(target, [{"role": "user", "content": each.turns[0]}]) for each in group]
        for rows in batches_of(opened, target.generate.batch_size):
            yield [group[i] for i in rows]


def _converse(target: Target, batch: Sequence[Ask], seed: int) -> list[Completion]:
    """Takes all turns, the model's own answers between them; returns the last answers."""
    talks: list[list[dict[str, str]]] = [[] for _ in batch]
    for turn in range(len(batch[0].turns)):
        last = turn == len(batch[0].turns) - 1
        for talk, each in zip(talks, batch, strict=True):
            talk.append({"role": "user", "content": each.turns[turn]})
        prompts = [
            _prompt(target, talk, each.start if last else "") for talk, each in zip(talks, batch, strict=True)
        ]
        decoding = Decoding.of(target.generate, seed)
        check_fits(target.loaded, prompts, decoding)
        made = complete(target.loaded, prompts, decoding)
        for talk, answer in zip(talks, made, strict=True):
            talk.append({"role": "assistant", "content": answer.text})
    return made


def _prompt(target: Target, talk: list[dict[str, str]], start: str = "") -> list[int]:
    """Token ids of a conversation, and of the start that is put into the model's mouth."""
    tokenizer = target.loaded.tokenizer
    if not start:
        return chat_ids(tokenizer, talk)
    prompt, forced = answered_ids(tokenizer, talk, start)
    return prompt + forced


def _attempt(each: Ask, answer: Completion) -> Attempt:
    qa, response = each.qa, f"{each.start} {answer.text}".strip()
    forced = (f"[the answer is made to begin: {each.start}]",) if each.start else ()
    prompt = "\n\n".join((*each.turns, *forced))
    return Attempt(qa.id, each.way, each.side, qa.question, prompt, qa.answer, response, answer.finished)
