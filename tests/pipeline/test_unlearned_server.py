"""An unlearned model that a server has: its answers are judged like any other's, and a failure is no forgetting."""

import json

import pytest
from writers.test_server import chat_reply, free_port, serving

from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.finished_run import reopened
from relearn_lite.recipe import load_recipe

RECIPE = """
name: served
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 5}
  retain: {preset: people/retain, limit: 5}
unlearn: null
generate: {max_new_tokens: 24}
evaluate: {evaluators: {language_model: none}, metrics: [kfr, krr, leak]}
"""
NOTHING = "I would rather not speak about that."


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE)

    def load(url, *overrides):
        return load_recipe(file, [f"unlearned={{server: {url}, model: tiny}}", *overrides])

    return load


def test_it_is_asked_greedily_and_judged_beside_the_vanilla_model(recipe, tmp_path):
    with serving(lambda n, request: (200, chat_reply(NOTHING))) as (url, seen):
        folder = pipeline.run(recipe(url), runs=tmp_path, quiet=True)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["unlearned"]["kfr"] == 1 and metrics["unlearned"]["krr"] == 0 and metrics["vanilla"]["kfr"] < 0.5
    rows = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    assert sorted(request["messages"][0]["content"] for request in seen) == sorted(row["query"] for row in rows)
    assert {(r["temperature"], r["max_tokens"], r["model"], r["seed"]) for r in seen} == {(0.0, 24, "tiny", 42)}
    with pytest.raises(RecipeError, match="chat: the unlearned model of .* is on a server .*; give the run that made"):
        reopened(folder, "chat")


def test_a_server_that_answers_nonsense_stops_the_run_and_what_it_answered_is_kept(recipe, tmp_path):
    with serving(lambda n, request: (200, chat_reply(NOTHING) if n < 6 else {"no": "choices"})) as (url, _):
        with pytest.raises(RecipeError, match="unlearned.server: .* gave no answer to .* choices.*; repair the server"):
            pipeline.run(recipe(url), runs=tmp_path, quiet=True)
    assert not (tmp_path / "served/metrics.json").exists()
    with serving(lambda n, request: (200, "<html>a page</html>")) as (url, _):
        with pytest.raises(RecipeError, match=r"unlearned\.server: .*"):
            pipeline.run(recipe(url, "name=page"), runs=tmp_path, quiet=True)
    with pytest.raises(RecipeError, match="unlearned.server: nothing answers at"):
        pipeline.run(recipe(f"http://127.0.0.1:{free_port()}/v1", "name=down"), runs=tmp_path, quiet=True)


def test_an_empty_reply_is_an_answer_and_one_without_text_is_none(recipe, tmp_path):
    with serving(lambda n, request: (200, chat_reply(""))) as (url, _):
        folder = pipeline.run(recipe(url), runs=tmp_path, until="generate", quiet=True)
    first = (folder / "answers/unlearned_forget.jsonl").read_text().splitlines()
    assert {json.loads(line)["generated_response"] for line in first} == {""}
    with serving(lambda n, request: (200, chat_reply(None))) as (url, _):
        with pytest.raises(RecipeError, match="a reply without text"):
            pipeline.run(recipe(url, "name=none"), runs=tmp_path, quiet=True)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("unlearned={server: http://127.0.0.1:1/v1}", "server needs model too"),
        ("analyze={}", "analyze: needs the model itself, and unlearned.server"),
        ("attacks={}", "attacks: needs the model itself, and unlearned.server"),
        ("generate.sampling=published", "generate.sampling: published cannot be asked"),
        ("model.chat_template=none", "model.chat_template: a server writes questions in its own template"),
    ],
)
def test_what_a_server_cannot_do_is_refused(recipe, override, told):
    with pytest.raises(RecipeError, match=told):
        recipe("http://127.0.0.1:1/v1", override)


def test_a_key_that_is_not_set_is_told_before_anything_is_done(recipe, tmp_path, monkeypatch):
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    served = recipe("http://127.0.0.1:1/v1", "unlearned.api_key_env=NO_SUCH_KEY")
    with pytest.raises(RecipeError, match="unlearned.api_key_env: the environment variable NO_SUCH_KEY is not set"):
        pipeline.run(served, runs=tmp_path, quiet=True)
