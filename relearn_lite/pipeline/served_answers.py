"""Answers of an unlearned model that a server has, such as an exported GGUF file in llama.cpp or Ollama."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import write_in_batches
from relearn_lite.core.records import QA, Answer
from relearn_lite.models.server import Address, Fault, Served
from relearn_lite.recipe import Generate
from relearn_lite.recipe.model import Unlearned
from relearn_lite.text.turns import turns_of

AT_ONCE = 4  # requests under way: what a small server takes


class ServedAnswers:
    """Asks the server question by question, greedily, in its own chat template.

    A question without an answer stops the run, and the next try goes on from there: it must not count as forgotten.
    """

    def __init__(self, named: Unlearned, settings: Generate, seed: int):
        self._named, self._settings, self._seed = named, settings, seed
        self._served = Served(Address(
            named.server, named.model, "unlearned", "server", named.api_key_env, named.timeout_s,
        ))  # fmt: skip

    def answer(self, folder: Path, split: str, asked: Sequence[QA], advance: Callable[..., None]) -> None:
        """unlearned_<split>.jsonl in `folder`; answers that a stopped try has had are kept."""
        self._served.connect()

        def answers(number: int, batch: Sequence[QA]) -> list[Answer]:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return list(pool.map(lambda qa: self._ask(split, qa), batch))

        batches = [asked[i : i + AT_ONCE] for i in range(0, len(asked), AT_ONCE)]
        target = folder / f"unlearned_{split}.jsonl"
        write_in_batches(target, Answer, asked, batches, answers, lambda row: row.id, advance)

    def _ask(self, split: str, qa: QA) -> Answer:
        try:
            reply = self._served.ask(turns_of(qa.question), self._settings.max_new_tokens, 0.0, self._seed)
            if reply.text is None:
                raise Fault("a reply without text")
        except Fault as fault:
            raise RecipeError(
                f"unlearned.server: {self._named.server} gave no answer to {qa.id} ({fault}); repair the server, then "
                "run the same command again: the answers so far are kept"
            ) from fault
        return Answer(qa.id, "unlearned", split, qa.question, qa.answer, reply.text.strip(), reply.finished)
