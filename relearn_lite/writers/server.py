"""A writer that asks an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, `transformers serve` ..."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai

from relearn_lite.core.errors import RecipeError
from relearn_lite.models.loaded import Loaded
from relearn_lite.recipe import Recipe, WriterChoice
from relearn_lite.writers import Task
from relearn_lite.writers.parsing import PARSERS
from relearn_lite.writers.prompted import PromptedWriter
from relearn_lite.writers.prompts import load_prompts, render

ENOUGH_TO_JUDGE = 4  # so many requests, all failed, are no accident: the run stops rather than doing without the writer


def make(
    choice: WriterChoice, section: str, recipe: Recipe, vanilla: Callable[[], Loaded], loaded: dict[str, Loaded]
) -> ServerWriter:
    """A server needs no model of ours."""
    return ServerWriter(choice, section, load_prompts(getattr(choice, "prompts", None), f"{section}.prompts"))


class ServerWriter(PromptedWriter):
    """Writes through a server's chat completions, `choice.concurrency` requests at a time.

    A request that meets a busy (429), broken (5xx) or slow server is repeated up to `max_retries` times, then gives
    None. The key in the environment variable `choice.api_key_env` goes nowhere but into the request's header.

    Raises RecipeError where the key is not set, the server is not there or refuses it, the model is not served, or no
    request of a whole batch could be answered. section: of the recipe, for the message.
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
        self._connected: openai.OpenAI | None = None

    def ask(self, tasks: Sequence[Task]) -> list[str | None]:
        texts = [self.replies.get(task) for task in tasks]
        unanswered = [i for i, text in enumerate(texts) if text is None]
        if not unanswered:
            return texts
        client, faults, begin = self._client(), [], time.monotonic()
        with ThreadPoolExecutor(self._choice.concurrency) as pool:
            replies = pool.map(lambda i: self._request(client, tasks[i], faults), unanswered)
            for i, text in zip(unanswered, replies, strict=True):
                texts[i] = text
        self.seconds += time.monotonic() - begin
        if len(faults) == len(unanswered) >= ENOUGH_TO_JUDGE:
            raise RecipeError(
                f"{self._section}.base_url: {self._choice.base_url} answered none of {len(unanswered)} requests, each "
                f"tried {self._max_retries + 1} times (last: {faults[-1]}): repair the server, then run the same "
                "command again"
            )
        return texts

    def _request(self, client: Any, task: Task, faults: list[str]) -> str | None:
        """One request. `faults` gets a line where there was no reply at all; a reply without text is just None."""
        try:
            reply = client.chat.completions.create(
                model=self._choice.model,
                messages=render(task, self.prompts),
                temperature=0.0 if task.kind in PARSERS else self._choice.temperature,
                max_tokens=self._choice.max_new_tokens,
                seed=task.seed,
            )
        except (openai.OpenAIError, ValueError) as error:  # ValueError: a body that is not JSON
            self._stop_for_good(error)
            if getattr(error, "status_code", None) == 404:
                raise self._foreign() from error
            faults.append(self._fault(error))
            return None
        try:  # a page of HTML arrives as a string
            text = reply.choices[0].message.content
        except (AttributeError, IndexError, TypeError):
            faults.append("a reply without choices")
            return None
        text = text if isinstance(text, str) and text.strip() else None
        self.replies.put(task, text)
        self.tokens += getattr(getattr(reply, "usage", None), "completion_tokens", None) or 0
        return text

    def _client(self) -> openai.OpenAI:
        """The client, made and tried out at the first use."""
        if self._connected is not None:
            return self._connected
        client = openai.OpenAI(
            base_url=self._choice.base_url,
            api_key=self._key(),
            timeout=self._choice.timeout_s,
            max_retries=self._max_retries,
        )
        try:
            listed = client.with_options(max_retries=1).models.list()  # a server that is not there is told at once
            served = sorted(str(model.id) for model in listed.data)
        except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
            self._stop_for_good(error)
            if not isinstance(error, openai.APITimeoutError | openai.APIStatusError):
                raise self._foreign() from error
            served = []  # slow, or it does not list its models: the requests themselves will tell
        if self._choice.model not in served:
            self._try_model(client, served)
        self._connected = client
        return client

    def _try_model(self, client: Any, served: list[str]) -> None:
        """A model that is not listed may still be served (a short name, a folder): one tiny request decides."""
        model = self._choice.model
        try:
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}], max_tokens=1)
        except (openai.OpenAIError, ValueError) as error:
            self._stop_for_good(error)
            if getattr(error, "status_code", None) in (400, 404, 422):
                known = f"it serves {', '.join(served)}" if served else "and it lists no models"
                raise RecipeError(
                    f"{self._section}.model: {self._choice.base_url} does not serve {model!r}, {known}: "
                    "correct the name"
                ) from error
            # slow or busy just now: the requests themselves will tell

    def _key(self) -> str:
        name = self._choice.api_key_env
        if name is None:
            return "none"  # local servers want some key and ignore it
        key = os.environ.get(name, "").strip()
        if not key:
            raise RecipeError(
                f"{self._section}.api_key_env: the environment variable {name} is not set: "
                f"set it to the server's key, or leave api_key_env out where the server needs none"
            )
        return key

    def _stop_for_good(self, error: Exception) -> None:
        """Raises RecipeError where asking again is no use: nobody is there, or the key is refused."""
        if isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError):
            raise RecipeError(
                f"{self._section}.base_url: nothing answers at {self._choice.base_url}: "
                "start the server or correct the address"
            ) from error
        if (status := getattr(error, "status_code", None)) in (401, 403):
            variable = self._choice.api_key_env
            source = f"the key in {variable}" if variable else "requests without a key"
            raise RecipeError(
                f"{self._section}.api_key_env: {self._choice.base_url} refuses {source} (HTTP {status}): "
                "name a variable that holds a valid key"
            ) from error

    def _foreign(self) -> RecipeError:
        return RecipeError(
            f"{self._section}.base_url: what answers at {self._choice.base_url} is no OpenAI-compatible server: "
            "give the address that its API is under, which mostly ends in /v1"
        )

    def _fault(self, error: Exception) -> str:
        if isinstance(error, openai.APITimeoutError):
            return f"no reply within {self._choice.timeout_s:g} s"
        if isinstance(error, openai.APIStatusError):
            return f"HTTP {error.status_code}: {str(error.message)[:120]}"
        return f"a reply that cannot be read, {type(error).__name__}"
