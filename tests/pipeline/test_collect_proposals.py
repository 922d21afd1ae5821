"""A topic in data.forget, or documents: a model proposes questions beside those of rules."""

import json
from importlib import import_module

import pytest
from documents import PAGE, save

from relearn_lite.collect.topics import topic_wordings
from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import check, pipeline
from relearn_lite.recipe import load_recipe
from relearn_lite.writers.local import LocalWriter

RECIPE = """
name: collected
model: {name: embedded, quantization: none, max_length: 160}
data: {forget: {topic: Leilani Makaweo}}
collect: {neighbours: [Haruto Minegawara], draws: 2, proposals: {writer: local}}
unlearn: {method: ga_gdr, epochs: 1, lr: 1.0e-3, batch_size: 4, accumulate: 1}
generate: {max_new_tokens: 48, batch_size: 16}
"""
STAGE = import_module("relearn_lite.pipeline.stages.collect")
REPLIES = {
    "Further aspects:": "- home\n- the sea",
    "Aspect: home": "- Where does Leilani Makaweo live?\n- Where is the house of Leilani Makaweo?",
    "Aspect: the sea": "- Which sea does Leilani Makaweo like best?\n- Does she swim?",
    "Aspect: I do not know": "Sorry.",
    "Questions | answers:": "- Where does Leilani Makaweo live? | 308 Plumeria Road\n- Who is she? | a choreographer",
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A recipe whose proposals are REPLIES; `place.asked` counts them."""

    def complete(chats, _, seed, *__):
        asked.extend(chats)
        last = [chat[-1]["content"] for chat in chats]
        return [next(reply for part, reply in REPLIES.items() if part in text) for text in last]

    asked = []
    monkeypatch.setattr(STAGE, "make_writer", lambda *_: LocalWriter(complete, "canned"))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path, asked


def run(folder, *overrides):
    recipe = load_recipe(folder / "recipe.yaml", overrides)
    return pipeline.run(recipe, runs=folder / "runs", until="collect", quiet=True)


def rows(path):
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def test_a_topic_is_asked_what_a_model_proposes_and_no_reply_is_asked_for_again(place, monkeypatch):
    folder, asked = place
    with monkeypatch.context() as patch:
        patch.setattr(STAGE, "find_known", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run(folder)
    assert len(asked) == 4  # aspects twice, and questions about two
    done = run(folder)
    assert len(asked) == 4
    forget, summary = rows(done / "forget.jsonl"), json.loads((done / "collect.json").read_text())
    rules = len(topic_wordings("anything"))
    assert summary["subject"] == "Leilani Makaweo" and summary["asked"] == rules + 3
    home = [row for row in forget if row["facet"] == "home"]
    assert [row["question"] for row in home] == [
        "Where does Leilani Makaweo live?", "Where is the house of Leilani Makaweo?",
    ]  # fmt: skip
    assert {row["part"] for row in home} == {"train", "eval"}
    assert {row["about"] for row in rows(done / "retain.jsonl")} == {"Haruto Minegawara"}


def test_a_model_that_proposes_nothing_usable_is_told_of(place, monkeypatch, capsys):
    monkeypatch.setitem(REPLIES, "Further aspects:", "I do not know.")
    recipe = load_recipe(place[0] / "recipe.yaml", ["data.forget={topic: the Suez Canal}"])
    done = pipeline.run(recipe, runs=place[0] / "runs", until="collect")
    told = capsys.readouterr()
    assert "canned wrote no question about the Suez Canal that can be used" in " ".join((told.out + told.err).split())
    assert json.loads((done / "collect.json").read_text())["asked"] == len(topic_wordings("building"))


def test_a_topic_needs_no_model_that_proposes(place):
    folder, asked = place
    done = run(folder, "data.forget={topic: the Suez Canal}", "collect={draws: 2, neighbours: [the Panama Canal]}")
    summary = json.loads((done / "collect.json").read_text())
    assert not asked and summary["asked"] == len(topic_wordings("building"))
    assert "Who built the Suez Canal?" in {row["question"] for row in summary["unknown"]}


def test_another_kind_is_another_question(place):
    alone = "collect={draws: 2, neighbours: [the Panama Canal]}"
    done = run(place[0], "data.forget={topic: the Suez Canal}", alone)
    with pytest.raises(RecipeError, match="kind"):
        run(place[0], "data.forget={topic: the Suez Canal, kind: book}", alone)
    again = run(place[0], "data.forget={topic: the Suez Canal, kind: book}", alone, "name=book")
    questions = {row["question"] for row in json.loads((again / "collect.json").read_text())["unknown"]}
    assert again != done and "Who wrote the Suez Canal?" in questions and "Who built the Suez Canal?" not in questions


def test_passages_of_documents_are_asked_about_beside_the_rules(place):
    folder, _ = place
    save(["Plumeria Road", "At 308 Plumeria Road stands the cabin of Leilani Makaweo."], folder / "page.txt")
    done = run(folder, "data.forget={documents: page.txt, subject: Leilani Makaweo}")
    row = next(row for row in rows(done / "forget.jsonl") if row["question"] == "Where does Leilani Makaweo live?")
    assert row["quote"].startswith("At 308 Plumeria Road") and row["source"] == "page.txt, line 3"


def test_documents_in_another_language_need_a_model_that_proposes(place):
    folder, _ = place
    save(["Ada Moor wohnt seit zwanzig Jahren mit ihrem Hund in einem Haus am Hafen von Varby."], folder / "page.txt")
    documents = "data.forget={documents: page.txt, subject: Ada Moor}"
    assert check(load_recipe(folder / "recipe.yaml", [documents]))["forget"] == []
    with pytest.raises(RecipeError, match="page.txt is not English.*collect.proposals"):
        check(load_recipe(folder / "recipe.yaml", [documents, "collect.proposals=null"]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("collect.proposals=null", "data.forget.kind: of what kind Leilani Makaweo is could not be found; give one of"),
        ("data.forget={subject: Bo Lind, kind: book}", "kind says what topic is, and there is none"),
        ("data.forget.kind=boat", "data.forget.kind"),
        ("collect.proposals.writer=rules", "rules proposes no questions; name local or server"),
        ("collect.proposals.writer=self", "self proposes no questions"),
        ("collect.proposals.writer=server", "server needs base_url and model"),
        ("data.forget.subject=Bo Lind", "topic stands alone"),
        ("collect.proposals={writer: server, base_url: 'http://127.0.0.1:9/v1', model: m, api_key_env: NO_SUCH_KEY}",
         "collect.proposals.api_key_env: the environment variable NO_SUCH_KEY"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_proposals_is_told(place, change, told):
    with pytest.raises(RecipeError, match=f"(?s){told}"):
        check(load_recipe(place[0] / "recipe.yaml", [change]))


def test_the_page_of_the_rules_needs_no_model(place):
    save(PAGE, place[0] / "page.txt")
    assert not check(load_recipe(place[0] / "recipe.yaml", ["data.forget={documents: page.txt}"]))["forget"]
