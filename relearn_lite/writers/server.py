"""A writer that asks an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, `transformers serve` ..."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.loaded import Loaded
from relearn_lite.models.server import Address, Fault, Served
from relearn_lite.recipe import Recipe, WriterChoice
from relearn_lite.writers import Task
from relearn_lite.writers.in_flight import InFlight
from relearn_lite.writers.parsing import PARSERS
from relearn_lite.writers.prompted import PromptedWriter
from relearn_lite.writers.prompts import load_prompts, render

ENOUGH_TO_JUDGE = 4  # so many requests, all failed, are no accident: the run stops rather than doing without the writer
MOST_IN_VAIN = 8  # requests after which, where none was answered, the others are not tried


def make(
    choice: WriterChoice, section: str, recipe: Recipe, vanilla: Callable[[], Loaded], loaded: dict[str, Loaded]
) -> ServerWriter:
    """A server needs no model of ours."""
    return ServerWriter(choice, section, load_prompts(getattr(choice, "prompts", None), f"{section}.prompts"))


class ServerWriter(PromptedWriter):
    """Writes through a server's chat completions, `choice.concurrency` requests at a time (see `InFlight`).

    A request that meets a busy, broken or slow server is repeated up to `max_retries` times, then gives None.

    Raises RecipeError as `models.server.Served` does, and where no request of a batch could be answered. section: of
    the recipe, for the message.
    """

    def __init__(
        self,
        choice: WriterChoice,
        section: str = "augment",
        prompts: dict[str, Any] | None = None,
        max_retries: int = 4,
    ):
        super().__init__(f"server:{choice.model}", prompts)
        self._choice, self._section, self._max_retries = choice, section, max_retries
        self.in_flight = InFlight(None if choice.concurrency == "auto" else choice.concurrency)
        self._written, self._lock = 0, Lock()
        self._served = Served(Address(
            choice.base_url, choice.model, section, api_key_env=choice.api_key_env, timeout_s=choice.timeout_s,
            max_retries=max_retries,
        ))  # fmt: skip

    def ask(self, tasks: Sequence[Task]) -> list[str | None]:
        texts = [self.replies.get(task) for task in tasks]
        unanswered = [i for i, text in enumerate(texts) if text is None]
        if not unanswered:
            return texts
        self._served.connect()
        faults: list[str] = []
        begin, before = time.monotonic(), self._written

        def request(i: int) -> str | None:
            in_vain = self._written == before and len(faults) >= MOST_IN_VAIN
            return None if in_vain else self._request(tasks[i], faults)

        replies = self.in_flight.map(request, unanswered, lambda: self._written, lambda: len(faults))
        for i, text in zip(unanswered, replies, strict=True):
            texts[i] = text
        self.seconds += time.monotonic() - begin
        if self._written == before and len(faults) >= ENOUGH_TO_JUDGE:
            raise RecipeError(
                f"{self._section}.base_url: {self._choice.base_url} answered none of {len(faults)} requests, each "
                f"tried {self._max_retries + 1} times (last: {faults[-1]}): repair the server, then run the same "
                "command again"
            )
        return texts

    def _request(self, task: Task, faults: list[str]) -> str | None:
        """One request. `faults` gets a line where there was no reply at all; a reply without text is just None."""
        temperature = 0.0 if task.kind in PARSERS else self._choice.temperature
        try:
            reply = self._served.ask(render(task, self.prompts), self._choice.max_new_tokens, temperature, task.seed)
        except Fault as fault:
            faults.append(str(fault))
            return None
        text = reply.text if reply.text and reply.text.strip() else None
        self.replies.put(task, text)
        with self._lock:
            self.tokens += reply.tokens
            self._written += reply.tokens or 1  # not every server counts
        return text
