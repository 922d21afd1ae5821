"""Fluency and relevance of all methods in one prompt, by a server on loopback: whose is whose, and what is missing."""

import csv
import json

import pytest
from writers.test_server import chat_reply, free_port, serving

from relearn_lite.compare import compare
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_rows
from relearn_lite.recipe import load_recipe

RECIPE = """
name: rated
model: {name: embedded, quantization: none, max_length: 160}
data:
  control: none
  nothing_known: go_on
  forget: {preset: people/forget, limit: 3}
  retain: {preset: people/retain, limit: 2}
unlearn: {method: ga, epochs: 1, lr: 2.0e-2, batch_size: 3, accumulate: 1, lora: {r: 4}, warmup_epochs: 0}
generate: {max_new_tokens: 16}
evaluate:
  metrics: [kfr, krr, fluency]
  evaluators: {language_model: none, judge: {writer: server, base_url: 'http://127.0.0.1:1/v1', model: tiny}}
compare:
  ratings: [fluency, relevance]
  methods:
    - {name: soft, lr: 1.0e-6}
    - {name: hard}
    - {name: broken, lr: 1.0e+30, epochs: 4}
"""


FEW = ["name=few", "evaluate.metrics=[kfr, krr]", "compare.methods=[{name: soft, lr: 1.0e-6}]"]


def ratings(folder):
    return read_rows(folder / "ratings.jsonl")


def run(place, url, *overrides):
    overrides = [f"evaluate.evaluators.judge.base_url={url}", *overrides]
    return compare(load_recipe(place / "recipe.yaml", overrides), runs=place / "runs", quiet=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("together")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def opinion(kind, text):
    """What the judge of these tests thinks of a text, whatever stands beside it."""
    return 1 + sum(map(ord, kind + text)) % 5


def texts_in(request):
    """The texts of a prompt by their numbers, and the question; None where it has one text alone."""
    prompt = request["messages"][-1]["content"]
    shown = prompt.partition("Texts to rate: ")[2].partition("\nJSON object:")[0]
    return json.loads(shown) if shown else None


def kind_of(request):
    return "fluency" if "is written" in request["messages"][0]["content"] else "relevance"


def rates(_, request):
    """Each text by `opinion`; one that stands alone gets 3."""
    texts = texts_in(request)
    if texts is None:
        return 200, chat_reply('{"reasoning": "Alone.", "score": 3}')
    scores = {number: opinion(kind_of(request), text) for number, text in reversed(texts.items())}
    return 200, chat_reply(f"Well:\n{json.dumps({'reasoning': 'By sight.', 'scores': scores})}")


@pytest.fixture(scope="module")
def rated(place):
    """The comparison, what was asked about several texts at once, and the judge's address."""
    with serving(rates) as (url, seen):
        folder, compared = run(place, url)
        asked = [request for request in seen if texts_in(request)]
        once = len(seen)
        run(place, url)
        return folder, {each.name: each for each in compared}, asked, len(seen) - once


def samples(folder, name):
    return {(row["split"], row["id"]): row for row in read_rows(folder / "methods" / name / "samples.jsonl")}


def test_every_answer_gets_the_rating_that_it_was_given_wherever_it_stood(rated):
    folder, compared, _, _ = rated
    soft, hard = samples(folder, "soft"), samples(folder, "hard")
    answers = {"vanilla": (soft, "vanilla"), "soft": (soft, "unlearned"), "hard": (hard, "unlearned")}
    rows = ratings(folder)
    assert len(rows) == 2 * 5
    for row in rows:
        texts = {name: found[row["split"], row["id"]][model] for name, (found, model) in answers.items()}
        assert {*row["names"]} == {*answers}
        assert row["scores"] == [opinion(row["kind"], texts[name].strip() or "(empty)") for name in row["names"]]
    assert len({tuple(row["names"]) for row in rows}) > 2, "the place of a method changes from question to question"
    by_hand = [row["scores"][row["names"].index("hard")] for row in rows if row["kind"] == "fluency"]
    assert compared["hard"].together["unlearned"]["fluency_forget"] == pytest.approx(sum(by_hand[:3]) / 3)
    assert compared["hard"].together["unlearned"]["fluency_retain"] == pytest.approx(sum(by_hand[3:]) / 2)


def test_one_prompt_holds_all_answers_and_neither_names_nor_the_original(rated):
    folder, _, asked, _ = rated
    assert len(asked) == 2 * 5 and all(len(texts_in(request)) == 3 for request in asked)
    secrets = [row["ground_truth"] for row in samples(folder, "soft").values()]
    for request in asked:
        told = request["messages"][-1]["content"]
        answers = " ".join(texts_in(request).values())
        assert not any(secret in told and secret not in answers for secret in secrets)
        assert not {"vanilla", "soft", "hard"} & {*told.replace('"', " ").split()}


def test_it_stands_beside_what_was_rated_one_by_one(rated):
    folder, compared, _, _ = rated
    with (folder / "compare.csv").open(newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert float(rows["hard"]["together_fluency_forget"]) == compared["hard"].together["unlearned"]["fluency_forget"]
    assert rows["vanilla"]["alone_fluency_forget"] == "3.0" and rows["soft"]["alone_relevance_forget"] == ""
    assert rows["broken"]["status"] == "failed" and not rows["broken"]["together_fluency_forget"]
    page = (folder / "compare.html").read_text()
    assert "Rated in one prompt" in page and "Not rated: it failed" in page
    assert "Fluency, rated 1 to 5, forget, one by one" in page and "forget, one by one ↑" in page
    assert "Relevance, rated 1 to 5, forget, one by one" not in page


def test_what_was_rated_is_not_asked_again(rated):
    assert rated[-1] == 0


def test_what_cannot_be_read_is_missing_with_its_reason_and_asked_again_the_next_time(place, rated):
    """A judge that forgets a text has rated none: whose the scores are would be a guess."""
    mended = []

    def forgetful(number, request):
        texts = texts_in(request)
        if mended or kind_of(request) == "fluency":
            return rates(number, request)
        return 200, chat_reply(json.dumps({"reasoning": "Some.", "scores": dict.fromkeys([*texts][:-1], 4)}))

    with serving(forgetful) as (url, seen):
        folder, compared = run(place, url, *FEW)
        numbers = compared[0].together["unlearned"]
        assert (numbers["relevance_forget"], numbers["missing"]["relevance_forget"]) == (None, 3)
        assert "the judge gave no ratings that can be read" in numbers["reasons"]["relevance_forget"]
        assert "fluency_forget" not in numbers["missing"]
        first = len(seen)
        mended.append(True)
        _, compared = run(place, url, *FEW)
    assert not compared[0].together["unlearned"]["missing"] and all(row["scores"] for row in ratings(folder))
    assert [kind_of(request) for request in seen[first:]] == ["relevance"] * 5


def test_a_judge_that_is_down_leaves_them_missing_and_the_page_is_there(place, rated):
    url = f"http://127.0.0.1:{free_port()}/v1"
    folder, compared = run(place, url, *FEW, "name=down")
    numbers = compared[0].together["unlearned"]
    assert numbers["relevance_retain"] is None and numbers["missing"]["relevance_retain"] == 2
    assert f"nothing answers at {url}" in numbers["reasons"]["relevance_retain"]
    assert f"nothing answers at {url}" in (folder / "compare.html").read_text()


def test_a_local_model_judges_too(place):
    """The embedded model cannot: its words are no ratings, and so none are made of them."""
    judge = "evaluate.evaluators.judge={writer: local, max_new_tokens: 24}"
    recipe = load_recipe(place / "recipe.yaml", [*FEW, "name=local", judge])
    _, compared = compare(recipe, runs=place / "runs", quiet=True)
    numbers = compared[0].together["vanilla"]
    assert numbers["fluency_forget"] is None and numbers["missing"]["fluency_forget"] == 3, numbers["reasons"]


def test_a_prompt_that_the_judge_cannot_read_leaves_them_missing_and_the_page_is_there(place, monkeypatch):
    """The answers of all methods may be more than a small judge reads: after hours of work there was no page."""
    def refused(*_):
        raise RecipeError("evaluate.evaluators.judge.max_new_tokens: the longest prompt has 9000 tokens; lower it")

    monkeypatch.setattr("relearn_lite.judges.prompted.PromptedRatings.rate_together", refused)
    judge = "evaluate.evaluators.judge={writer: local, max_new_tokens: 24}"
    recipe = load_recipe(place / "recipe.yaml", [*FEW, "name=long", judge])
    folder, compared = compare(recipe, runs=place / "runs", quiet=True)
    assert "the longest prompt has 9000 tokens" in compared[0].together["vanilla"]["reasons"]["fluency_forget"]
    assert "the longest prompt has 9000 tokens" in (folder / "compare.html").read_text()


def test_ratings_need_a_judge(place):
    with pytest.raises(RecipeError, match="compare.ratings: fluency, relevance need a judge, and nobody is named"):
        load_recipe(place / "recipe.yaml", ["evaluate.evaluators.judge=null"])
