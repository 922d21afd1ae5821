"""A writer on a server, with small servers on loopback that misbehave on purpose."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from relearn_lite.augment import Settings, augment
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.recipe import WriterChoice
from relearn_lite.writers import Task
from relearn_lite.writers.reply_cache import ReplyCache
from relearn_lite.writers.server import ServerWriter

TASKS = [Task("answer", f"Where does person number {i} live?", "In Kyoto.", seed=i) for i in range(12)]
VAGUE = "That person lives in a place that few people hear about."
MODELS = {"object": "list", "data": [{"id": "tiny", "object": "model", "created": 0, "owned_by": "test"}]}
SECRET = "sk-only-for-this-test"


def chat_reply(text: str | None) -> dict:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "tiny", "choices": [choice]}


@contextmanager
def serving(answer: Callable[[int, dict], tuple[int, object]], models: object = MODELS) -> Iterator[tuple[str, list]]:
    """A server on loopback: `answer` gets (how many chats came before, the request) and gives (status, body)."""
    seen: list[dict] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._send(200, models)

        def do_POST(self):
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request["authorization"] = self.headers["Authorization"]
            with lock:
                seen.append(request)
                number = len(seen) - 1
            self._send(*answer(number, request))

        def _send(self, status: int, body: object):
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("retry-after-ms", "20")  # the client honours it, which keeps these tests short
            with suppress(BrokenPipeError, ConnectionResetError):  # a client that waited long enough is gone
                self.end_headers()
                self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        server.server_close()


def server_writer(url: str, model: str = "tiny", *, max_retries: int = 4, section: str = "augment", **settings):
    choice = WriterChoice(writer="server", base_url=url, model=model, **settings)
    return ServerWriter(choice, section, max_retries=max_retries)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_texts_come_back_in_order_with_the_seed_and_the_settings_sent():
    def answer(_, request):
        number = request["messages"][-1]["content"].split("number ")[1].split()[0]
        time.sleep(0.05 if int(number) % 2 else 0)  # replies overtake each other
        return 200, chat_reply(f"Person number {number} lives somewhere.")

    with serving(answer) as (url, seen):
        texts = server_writer(url, "tiny", temperature=0.3, max_new_tokens=50).write(TASKS)
    assert texts == [f"Person number {i} lives somewhere." for i in range(12)]
    assert sorted(request["seed"] for request in seen) == list(range(12))
    assert {(r["model"], r["temperature"], r["max_tokens"]) for r in seen} == {("tiny", 0.3, 50)}


def test_requests_run_at_once_but_no_more_than_allowed():
    running, most, lock = [0], [0], threading.Lock()

    def answer(*_):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.1)
        with lock:
            running[0] -= 1
        return 200, chat_reply(VAGUE)

    with serving(answer) as (url, _):
        server_writer(url, "tiny", concurrency=3).write(TASKS)
    assert most[0] == 3


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_fails_half_of_the_time_is_asked_again(status):
    with serving(lambda n, _: (status, {"error": "busy"}) if n % 2 == 0 else (200, chat_reply(VAGUE))) as (url, seen):
        texts = server_writer(url, "tiny", concurrency=1).write(TASKS)
    assert texts == [VAGUE] * 12 and len(seen) == 24


def test_one_request_that_fails_for_good_is_none_and_the_rest_are_kept():
    def answer(_, request):
        broken = "number 5 " in request["messages"][-1]["content"]
        return (500, {"error": "broken"}) if broken else (200, chat_reply(VAGUE))

    with serving(answer) as (url, seen):
        texts = server_writer(url, "tiny", max_retries=2).write(TASKS)
    assert texts == [None if i == 5 else VAGUE for i in range(12)] and len(seen) == 11 + 3


def test_a_server_that_only_fails_stops_the_run_with_what_it_said():
    with (
        serving(lambda *_: (500, {"error": {"message": "out of memory"}})) as (url, _),
        pytest.raises(RecipeError, match=r"augment\.base_url: .* none of 12 requests, each tried 2 times .*HTTP 500"),
    ):
        server_writer(url, "tiny", max_retries=1, concurrency=12).write(TASKS)


@pytest.mark.parametrize("concurrency", ["auto", 2])
def test_a_server_that_hangs_is_not_asked_everything_before_that_is_told(concurrency):
    """With a minute for each of five tries, a hundred questions in vain would take half a day."""
    asked = [replace(TASKS[0], seed=n) for n in range(100)]
    with serving(lambda *_: time.sleep(0.5) or (200, chat_reply(VAGUE))) as (url, seen):
        writer = server_writer(url, "tiny", max_retries=0, timeout_s=0.1, concurrency=concurrency)
        with pytest.raises(RecipeError, match=r"none of \d+ requests, .*\(last: no reply within 0.1 s\)"):
            writer.write(asked)
    assert len(seen) < 20


@pytest.mark.parametrize("text", [None, "", "   ", "<think>never done"])
def test_a_reply_without_text_is_none_and_no_fault_of_the_server(text):
    with serving(lambda *_: (200, chat_reply(text))) as (url, _):
        assert server_writer(url, "tiny").write(TASKS) == [None] * 12


@pytest.mark.parametrize("body", [
    "<html>Welcome</html>", {"unexpected": 1}, {"choices": []}, {"choices": {"text": VAGUE}}, [1, 2], "{not json",
])
def test_a_reply_that_is_no_chat_completion_stops_the_run(body):
    with serving(lambda *_: (200, body)) as (url, _), pytest.raises(RecipeError, match=r"augment\.base_url: "):
        server_writer(url, "tiny", max_retries=0).write(TASKS)


def test_a_single_such_reply_is_none():
    with serving(lambda n, _: (200, "<html>Oops</html>" if n == 0 else chat_reply(VAGUE))) as (url, _):
        assert server_writer(url, "tiny", concurrency=1).write(TASKS) == [None] + [VAGUE] * 11


def test_half_a_character_is_kept_as_a_torn_one(tmp_path):
    """Of a reply that was cut within a pair of surrogates; no file takes it as it came."""
    with serving(lambda *_: (200, chat_reply("He lives \ud83d abroad \U0001f600."))) as (url, _):
        writer = server_writer(url, "tiny")
        writer.replies = ReplyCache(tmp_path / "replies.jsonl")
        assert writer.write(TASKS[:1]) == ["He lives \ufffd abroad \U0001f600."]
    assert writer.replies.get(TASKS[0])


def test_a_count_that_is_no_number_is_none():
    with serving(lambda *_: (200, {**chat_reply(VAGUE), "usage": {"completion_tokens": "12"}})) as (url, _):
        assert server_writer(url, "tiny").write(TASKS) == [VAGUE] * 12


def test_a_web_page_in_place_of_a_server_is_told_from_one():
    with serving(lambda *_: (404, "<html>no</html>"), models="<html>Welcome</html>") as (url, _):
        with pytest.raises(RecipeError, match=r"augment\.base_url: .* no OpenAI-compatible server: .* ends in /v1"):
            server_writer(url, "tiny", max_retries=0).write(TASKS)


def test_a_server_that_is_down_is_named():
    url = f"http://127.0.0.1:{free_port()}/v1"
    with pytest.raises(RecipeError) as error:
        server_writer(url, "tiny", max_retries=0).write(TASKS)
    assert str(error.value) == f"augment.base_url: nothing answers at {url}: start the server or correct the address"


@pytest.mark.parametrize("url", ["http://localhost:PORT/v1", "http://[::1/v1"])
def test_what_is_no_address_is_told(url):
    with pytest.raises(RecipeError) as error:
        server_writer(url, "tiny", max_retries=0).write(TASKS)
    assert str(error.value).startswith(f"augment.base_url: {url} is no address (")
    assert str(error.value).endswith("; give one such as http://127.0.0.1:11434/v1")


def test_a_server_that_goes_down_on_the_way_stops_the_run_and_what_is_finished_is_kept(tmp_path):
    """Going on without it would quietly make every text a fallback."""
    forget = [QA(f"f{i}", f"Where does person number {i} live?", "At 4 Sakura Street in Kyoto.") for i in range(8)]
    settings = Settings([], verify_rounds=1, completion_fraction=0, generic_ratio=0, seed=0)

    def answer(n, request):
        judging = "Is anything leaked?" in request["messages"][-1]["content"]
        return 200, chat_reply("Fine.\nVerdict: No" if judging else f"That person, case {n}, lives far from here.")

    with serving(answer) as (url, seen):
        port = int(url.split(":")[2].split("/")[0])
        writer = server_writer(url, "tiny", max_retries=0)

        def stop(done):
            if done:
                writer._choice = writer._choice.model_copy(update={"base_url": "http://127.0.0.1:1/v1"})
                writer._served._connected = writer._served._connected.with_options(base_url=f"http://127.0.0.1:{free_port()}/v1")

        with pytest.raises(RecipeError, match="nothing answers"):
            augment(forget, [], writer, settings, tmp_path, stop)
        first = len(seen)
        augment(forget, [], server_writer(f"http://127.0.0.1:{port}/v1", "tiny"), settings, tmp_path)
    again = " ".join(request["messages"][-1]["content"] for request in seen[first:])
    assert "number 7" in again and "number 0" not in again
    assert len(list(read_jsonl(tmp_path / "augmented.jsonl", Variant))) == 8


def test_a_slow_server_gives_none_after_the_time_allowed():
    def answer(_, request):
        time.sleep(6 if "number 5 " in request["messages"][-1]["content"] else 0)
        return 200, chat_reply(VAGUE)

    with serving(answer) as (url, _):
        texts = server_writer(url, "tiny", timeout_s=3, max_retries=0, concurrency=12).write(TASKS)
    assert texts == [None if i == 5 else VAGUE for i in range(12)]


def test_a_model_that_is_not_served_is_told_with_those_that_are():
    with (
        serving(lambda *_: (404, {"error": {"message": "no such model"}})) as (url, _),
        pytest.raises(
            RecipeError, match=r"augment\.model: .* does not serve 'other', it serves tiny: correct the name"
        ),
    ):
        server_writer(url, "other", max_retries=0).write(TASKS)


def test_a_model_that_is_served_without_being_listed_is_used():
    with serving(lambda *_: (200, chat_reply(VAGUE))) as (url, _):
        assert server_writer(url, "short-name").write(TASKS[:1]) == [VAGUE]


def test_the_key_is_sent_and_stands_in_no_message(monkeypatch, caplog):
    caplog.set_level("DEBUG")
    monkeypatch.setenv("TEST_WRITER_KEY", SECRET)
    with serving(lambda *_: (200, chat_reply(VAGUE))) as (url, seen):
        server_writer(url, "tiny", api_key_env="TEST_WRITER_KEY").write(TASKS[:1])
    assert seen[0]["authorization"] == f"Bearer {SECRET}"
    with serving(lambda *_: (401, {"error": {"message": f"bad key {SECRET}"}})) as (url, _):
        with pytest.raises(RecipeError) as error:
            server_writer(url, "tiny", api_key_env="TEST_WRITER_KEY").write(TASKS)
    assert "TEST_WRITER_KEY (HTTP 401)" in str(error.value)
    assert SECRET not in str(error.value) and SECRET not in caplog.text


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_key_that_is_not_set_is_named(monkeypatch, value):
    monkeypatch.delenv("TEST_WRITER_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TEST_WRITER_KEY", value)
    with pytest.raises(RecipeError, match=r"augment\.api_key_env: the environment variable TEST_WRITER_KEY is not set"):
        server_writer("http://127.0.0.1:1/v1", "tiny", api_key_env="TEST_WRITER_KEY").write(TASKS)


def test_messages_name_the_section_of_the_recipe_that_the_writer_is_for():
    with pytest.raises(RecipeError, match=r"^evaluate\.entities\.base_url: nothing answers"):
        nobody = f"http://127.0.0.1:{free_port()}/v1"
        server_writer(nobody, "t", max_retries=0, section="evaluate.entities").write(TASKS)
