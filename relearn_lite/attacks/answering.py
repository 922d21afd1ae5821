"""Asks the attacked model what an attack has made up, in batches; what was answered before a crash is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from relearn_lite.core.files import write_in_batches
from relearn_lite.core.records import QA
from relearn_lite.data.examples import chat_ids
from relearn_lite.models.generation import Completion, Decoding, batches_of, check_fits, complete
from relearn_lite.models.loaded import Loaded, active_adapters
from relearn_lite.models.shared_prefix import Prefixes
from relearn_lite.recipe import Generate
from relearn_lite.text.turns import turns_of

Advance = Callable[[int], None]


@dataclass(frozen=True)
class AttackPrompt:
    """One question, asked in one way: the user's turns, and the prefill: how the last answer is made to begin."""

    id: str  # of the QA
    way: str  # tells the prompts of one attack to the same question apart
    side: str  # forget or retain
    query: str  # the question as the data have it
    ground_truth: str
    turns: Sequence[str]
    prefill: str = ""

    @classmethod
    def of(cls, qa: QA, side: str, way: str, turns: Sequence[str], prefill: str = "") -> AttackPrompt:
        return cls(qa.id, way, side, qa.question, qa.answer, turns, prefill)


@dataclass(frozen=True)
class AttackAnswer:
    """The answer to an AttackPrompt. It is judged by `query`; `prompt` is what was really asked."""

    id: str
    way: str
    side: str
    query: str
    prompt: str
    ground_truth: str
    generated_response: str  # the last answer, its prefill included
    finished: bool = True


@dataclass(frozen=True)
class Target:
    """The model under attack: with exactly these adapters on, answering as the recipe's `generate` section has it."""

    loaded: Loaded
    adapters: tuple[str, ...]
    generate: Generate
    seed: int


def plain_prompts(questions: Mapping[str, Sequence[QA]], way: str = "plain") -> list[AttackPrompt]:
    """The questions as they are. questions: by side."""
    return [AttackPrompt.of(qa, side, way, [qa.question]) for side, asked in questions.items() for qa in asked]


def collect_answers(
    target: Target, prompts: Sequence[AttackPrompt], file: Path, advance: Advance = lambda _: None
) -> None:
    """Writes the answers to all prompts, in their order, to `file`; a file that is there is left alone.

    Finished batches are kept in <name>.partial.jsonl. advance is told how many prompts are done.
    """
    ways: dict[str, list[list[int]]] = {}
    for prompt in prompts:
        ways.setdefault(prompt.way, []).append(_ids(target, turns_of(prompt.turns[0])))
    prefixes = Prefixes(target.loaded, ways.values())

    def answers(number: int, batch: Sequence[AttackPrompt]) -> list[AttackAnswer]:
        return list(map(_answer, batch, _converse(target, batch, target.seed + number, prefixes)))

    batches, key = _batches(target, prompts), attrgetter("way", "side", "id")
    with active_adapters(target.loaded.model, target.adapters):
        write_in_batches(file, AttackAnswer, prompts, batches, answers, key, advance)


def _batches(target: Target, prompts: Sequence[AttackPrompt]) -> Iterator[list[AttackPrompt]]:
    """Prompts with as many turns and first turns of like length: the same batches each time, as a resume needs."""
    size = Decoding.of(target.generate, target.seed).rows(target.loaded)
    for turns in sorted({len(prompt.turns) for prompt in prompts}):
        group = [prompt for prompt in prompts if len(prompt.turns) == turns]
        first = [_ids(target, turns_of(prompt.turns[0])) for prompt in group]
        for rows in batches_of(first, size):
            yield [group[i] for i in rows]


def _converse(target: Target, batch: Sequence[AttackPrompt], seed: int, prefixes: Prefixes) -> list[Completion]:
    """Takes all turns, the model's own answers between them; returns the last answers."""
    decoding = Decoding.of(target.generate, seed)
    talks: list[list[dict[str, str]]] = [[] for _ in batch]
    answers: list[Completion] = []
    last = len(batch[0].turns) - 1
    for turn in range(last + 1):
        ids = []
        for talk, prompt in zip(talks, batch, strict=True):
            talk += turns_of(prompt.turns[turn])
            ids.append(_ids(target, talk, prompt.prefill if turn == last else ""))
        check_fits(target.loaded, ids, decoding, [f"{prompt.id} asked by {prompt.way}" for prompt in batch])
        answers = complete(target.loaded, ids, decoding, prefixes)
        for talk, answer in zip(talks, answers, strict=True):
            talk.append({"role": "assistant", "content": answer.text})
    return answers


def _ids(target: Target, talk: list[dict[str, str]], prefill: str = "") -> list[int]:
    """Token ids of a conversation, and of the prefill that the model's answer goes on from."""
    begun = [{"role": "assistant", "content": prefill}] if prefill else []
    return chat_ids(target.loaded.tokenizer, [*talk, *begun])


def _answer(prompt: AttackPrompt, answer: Completion) -> AttackAnswer:
    answer = answer.held_to(prompt.query, prompt.ground_truth)
    response = f"{prompt.prefill} {answer.text}".strip()
    begun = [f"[the answer is made to begin: {prompt.prefill}]"] if prompt.prefill else []
    asked = "\n\n".join((*prompt.turns, *begun))
    return AttackAnswer(
        prompt.id, prompt.way, prompt.side, prompt.query, asked, prompt.ground_truth, response, answer.finished
    )
