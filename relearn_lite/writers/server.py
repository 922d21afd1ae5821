"""A writer that asks an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, `transformers serve` ..."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from relearn_lite.core.errors import RecipeError
from relearn_lite.writers import Task
from relearn_lite.writers.prompted import JUDGING_KINDS, render, write_with
from relearn_lite.writers.prompts import built_in
from relearn_lite.writers.replies import Replies

ENOUGH_TO_JUDGE = 4  # so many requests, all failed, are no accident: the run stops rather than doing without the writer


class ServerWriter:
    """Writes through a server's chat completions, `concurrency` requests at a time.

    Busy (429), broken (5xx) and slow replies are asked for again up to `max_retries` times, waiting longer each time.
    The key is read from the environment variable `api_key_env` and goes nowhere but into the request's header.

    Raises RecipeError where the key is not set, the server is not there or refuses the key, the model is not served, or
    no request of a whole batch could be answered. A single request that fails for good gives None.
    """

    judges = True

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key_env: str | None = None,
        concurrency: int = 8,
        timeout_s: float = 60,
        max_retries: int = 4,
        temperature: float = 0.7,
        max_tokens: int = 160,
        section: str = "augment",
        wording: dict[str, Any] | None = None,
    ):
        self.name = f"server:{model}"
        self._base_url, self._model, self._api_key_env = base_url, model, api_key_env
        self._concurrency, self._timeout_s, self._max_retries = concurrency, timeout_s, max_retries
        self._temperature, self._max_tokens = temperature, max_tokens
        self._section = section  # of the recipe, for error messages
        self._connected: Any = None
        self.wording = wording or built_in()
        self.replies: Replies | None = None
        self.tokens, self.seconds = 0, 0.0

    def check(self) -> None:
        """Raises RecipeError unless the server is there and serves the model. `write` does this first of all."""
        self._client()

    def write(self, tasks: Sequence[Task]) -> list[str | None]:
        """One text per task; None where the server gave no text, even when asked again."""
        return write_with(self._ask_all, tasks, self.wording)

    def _ask_all(self, tasks: Sequence[Task]) -> list[str | None]:
        if not tasks:
            return []
        texts = [self.replies.get(task) if self.replies else None for task in tasks]
        open_tasks = [i for i, text in enumerate(texts) if text is None]
        if not open_tasks:
            return texts
        client, faults, begin = self._client(), [], time.monotonic()
        with ThreadPoolExecutor(self._concurrency) as pool:
            asked = pool.map(lambda i: self._ask(client, tasks[i], faults), open_tasks)
            for i, text in zip(open_tasks, asked, strict=True):
                texts[i] = text
        self.seconds += time.monotonic() - begin
        if len(faults) == len(open_tasks) >= ENOUGH_TO_JUDGE:
            raise RecipeError(
                f"{self._section}.base_url: {self._base_url} answered none of {len(open_tasks)} requests, each tried "
                f"{self._max_retries + 1} times (last: {faults[-1]}): mend the server, then run the same command again"
            )
        return texts

    def _ask(self, client: Any, task: Task, faults: list[str]) -> str | None:
        """One request. `faults` gets a line where there was no reply at all; a reply without text is just None."""
        import openai

        try:
            reply = client.chat.completions.create(
                model=self._model,
                messages=render(task, self.wording),
                temperature=0.0 if task.kind in JUDGING_KINDS else self._temperature,
                max_tokens=self._max_tokens,
                seed=task.seed,
            )
        except openai.APITimeoutError:
            faults.append(f"no reply within {self._timeout_s:g} s")
            return None
        except openai.APIConnectionError as error:
            raise self._unreachable() from error
        except openai.APIStatusError as error:
            if error.status_code in (401, 403, 404):
                raise self._refused(error.status_code) from error
            faults.append(f"HTTP {error.status_code}: {str(error.message)[:120]}")
            return None
        except (openai.OpenAIError, ValueError) as error:  # a body that is not JSON
            faults.append(f"a reply that cannot be read, {type(error).__name__}")
            return None
        text = _text_of(reply, faults)
        if self.replies:
            self.replies.put(task, text)
        self.tokens += getattr(getattr(reply, "usage", None), "completion_tokens", None) or 0
        return text

    def _client(self) -> Any:
        """The client, made and tried out at the first use."""
        import openai

        if self._connected is not None:
            return self._connected
        client = openai.OpenAI(
            base_url=self._base_url, api_key=self._key(), timeout=self._timeout_s, max_retries=self._max_retries
        )
        try:
            listed = client.with_options(max_retries=1).models.list()  # a server that is not there is told at once
            served = sorted(str(model.id) for model in listed.data)
        except openai.APITimeoutError:
            served = []  # there, but slow: the requests themselves will tell
        except openai.APIConnectionError as error:
            raise self._unreachable() from error
        except openai.APIStatusError as error:
            if error.status_code in (401, 403):
                raise self._refused(error.status_code) from error
            served = []  # not every server lists its models
        except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
            raise self._foreign() from error
        if self._model not in served:
            self._try_model(client, served)
        self._connected = client
        return client

    def _try_model(self, client: Any, served: list[str]) -> None:
        """A model that is not listed may still be served (a short name, a folder): one tiny request decides."""
        import openai

        try:
            client.chat.completions.create(
                model=self._model, messages=[{"role": "user", "content": "Hello"}], max_tokens=1
            )
        except openai.APIStatusError as error:
            if error.status_code in (401, 403):
                raise self._refused(error.status_code) from error
            if error.status_code in (400, 404, 422):
                known = f"it serves {', '.join(served)}" if served else "and it lists no models"
                raise RecipeError(
                    f"{self._section}.model: {self._base_url} does not serve {self._model!r}, {known}: correct the name"
                ) from error
        except (openai.OpenAIError, ValueError):
            pass  # slow or busy just now: the requests themselves will tell

    def _key(self) -> str:
        if self._api_key_env is None:
            return "none"  # local servers want some key and ignore it
        key = os.environ.get(self._api_key_env, "").strip()
        if not key:
            raise RecipeError(
                f"{self._section}.api_key_env: the environment variable {self._api_key_env} is not set: "
                f"set it to the server's key, or leave api_key_env out where the server needs none"
            )
        return key

    def _unreachable(self) -> RecipeError:
        return RecipeError(
            f"{self._section}.base_url: nothing answers at {self._base_url}: start the server or correct the address"
        )

    def _foreign(self) -> RecipeError:
        return RecipeError(
            f"{self._section}.base_url: what answers at {self._base_url} is no OpenAI-compatible server: "
            f"give the address that its API is under, which mostly ends in /v1"
        )

    def _refused(self, status: int) -> RecipeError:
        if status == 404:
            return self._foreign()
        source = f"the key in {self._api_key_env}" if self._api_key_env else "requests without a key"
        return RecipeError(
            f"{self._section}.api_key_env: {self._base_url} refuses {source} (HTTP {status}): "
            f"name a variable that holds a valid key"
        )


def _text_of(reply: Any, faults: list[str]) -> str | None:
    """The words of a reply; None where it has none. A page of HTML arrives as a string and has no `choices`."""
    choices = getattr(reply, "choices", None)
    if not choices:
        faults.append("a reply without choices")
        return None
    content = getattr(getattr(choices[0], "message", None), "content", None)
    return content if isinstance(content, str) and content.strip() else None
