"""A model behind an OpenAI-compatible server: Ollama, llama.cpp, vLLM, LM Studio, `transformers serve` ..."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relearn_lite.core.errors import RecipeError, first_line


class Fault(Exception):
    """Why a request got no reply, in a few words."""


@dataclass(frozen=True)
class Address:
    """Where a model is served, and what messages call the recipe's keys.

    section, url_key: of the recipe, such as `augment` and `base_url`. api_key_env: the environment variable that holds
    the key, which goes nowhere but into the request's header; None: the server needs none.
    """

    url: str
    model: str
    section: str
    url_key: str = "base_url"
    api_key_env: str | None = None
    timeout_s: float = 60
    max_retries: int = 4


@dataclass(frozen=True)
class Reply:
    """What the model said; text None: nothing that is text. finished: False where it was cut at the token limit."""

    text: str | None
    tokens: int
    finished: bool


class Served:
    """The client of one served model, which is made and tried out at the first use.

    Requests that meet a busy (429), broken (5xx) or slow server are repeated. Raises RecipeError where asking again is
    no use: nobody is there, the key is refused, the model is not served, or it is no such server.
    """

    def __init__(self, address: Address):
        self.address = address
        self._connected: Any = None

    def connect(self) -> None:
        """Makes sure that the model can be asked."""
        import openai

        if self._connected is not None:
            return
        own, key = self.address, self._key()
        try:
            client = openai.OpenAI(base_url=own.url, api_key=key, timeout=own.timeout_s, max_retries=own.max_retries)
        except Exception as error:  # of its HTTP library, which is not ours to import
            raise RecipeError(
                f"{own.section}.{own.url_key}: {own.url} is no address ({first_line(error)}); give one such as "
                "http://127.0.0.1:11434/v1"
            ) from error
        try:
            listed = client.with_options(max_retries=1).models.list()  # a server that is not there is told at once
            served = sorted(str(model.id) for model in listed.data)
        except (openai.OpenAIError, AttributeError, TypeError, ValueError) as error:
            self._stop_for_good(error)
            if not isinstance(error, openai.APITimeoutError | openai.APIStatusError):
                raise self._foreign() from error
            served = []  # slow, or it does not list its models: the requests themselves will tell
        if own.model not in served:
            self._try_model(client, served)
        self._connected = client

    def ask(
        self, messages: Sequence[Mapping[str, str]], max_tokens: int, temperature: float, seed: int
    ) -> Reply:
        """The reply to a conversation. Raises Fault where there was none at all."""
        import openai

        self.connect()
        try:
            reply = self._connected.chat.completions.create(
                model=self.address.model, messages=list(messages), temperature=temperature, max_tokens=max_tokens,
                seed=seed,
            )
        except (openai.OpenAIError, ValueError) as error:  # ValueError: a body that is not JSON
            self._stop_for_good(error)
            if getattr(error, "status_code", None) == 404:
                raise self._foreign() from error
            raise Fault(self._fault(error)) from error
        try:  # a page of HTML arrives as a string
            choice = reply.choices[0]
            text = choice.message.content
        except (AttributeError, LookupError, TypeError):
            raise Fault("a reply without choices") from None
        tokens = getattr(getattr(reply, "usage", None), "completion_tokens", None)
        # Half of a surrogate pair, which no file takes, becomes what a torn byte is.
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(text, str) else None
        return Reply(whole, tokens if isinstance(tokens, int) else 0, choice.finish_reason != "length")

    def _try_model(self, client: Any, served: list[str]) -> None:
        """A model that is not listed may still be served (a short name, a folder): one tiny request decides."""
        import openai

        model = self.address.model
        try:
            client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Hello"}], max_tokens=1)
        except (openai.OpenAIError, ValueError) as error:
            self._stop_for_good(error)
            if getattr(error, "status_code", None) in (400, 404, 422):
                known = f"it serves {', '.join(served)}" if served else "and it lists no models"
                raise RecipeError(
                    f"{self.address.section}.model: {self.address.url} does not serve {model!r}, {known}: "
                    "correct the name"
                ) from error
            # slow or busy just now: the requests themselves will tell

    def _key(self) -> str:
        name = self.address.api_key_env
        if name is None:
            return "none"  # local servers want some key and ignore it
        key = os.environ.get(name, "").strip()
        if not key:
            raise RecipeError(
                f"{self.address.section}.api_key_env: the environment variable {name} is not set: "
                f"set it to the server's key, or leave api_key_env out where the server needs none"
            )
        return key

    def _stop_for_good(self, error: Exception) -> None:
        """Raises RecipeError where asking again is no use: nobody is there, or the key is refused."""
        import openai

        own = self.address
        if isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError):
            raise RecipeError(
                f"{own.section}.{own.url_key}: nothing answers at {own.url}: start the server or correct the address"
            ) from error
        if (status := getattr(error, "status_code", None)) in (401, 403):
            variable = own.api_key_env
            source = f"the key in {variable}" if variable else "requests without a key"
            raise RecipeError(
                f"{own.section}.api_key_env: {own.url} refuses {source} (HTTP {status}): "
                "name a variable that holds a valid key"
            ) from error

    def _foreign(self) -> RecipeError:
        own = self.address
        return RecipeError(
            f"{own.section}.{own.url_key}: what answers at {own.url} is no OpenAI-compatible server: "
            "give the address that its API is under, which mostly ends in /v1"
        )

    def _fault(self, error: Exception) -> str:
        import openai

        if isinstance(error, openai.APITimeoutError):
            return f"no reply within {self.address.timeout_s:g} s"
        if isinstance(error, openai.APIStatusError):
            return f"HTTP {error.status_code}: {str(error.message)[:120]}"
        return f"a reply that cannot be read, {type(error).__name__}"
