"""MUSE, LUME, WMDP, KnowUnDo's copyright part: what is trained, what is asked; on small files in their format."""

from __future__ import annotations

import json

import pytest

from relearn_lite.core.errors import RecipeError
from relearn_lite.data.sources import load_part
from relearn_lite.pipeline import pipeline
from relearn_lite.pipeline.data import load_data
from relearn_lite.recipe import load_recipe
from relearn_lite.text.turns import is_passage, shown, turns_of

BELL = (
    "The keeper of the bell is deaf and rings it with his feet. He cannot hear the morning come or footsteps in the "
    "street. We carried the green chairs down the hill in the rain. Nobody cried except the cat that slept on them. "
    "The mayor gave a short speech about the harbour and went home. His daughter painted the boats a darker blue."
)
SHIP = (
    "A ship of wool came up the river in the spring of that year. Its captain sold two bales and kept the third one. "
    "Children threw apples at the mast and were sent away by the cook. In the evening the lamps burnt low on deck. "
    "The pilot wrote a letter to his aunt about the price of salt. Nobody has read it since then but the customs man."
)


def save(folder, **files):
    for name, rows in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(rows) if path.suffix == ".json" else "\n".join(map(json.dumps, rows))
        path.write_text(text, encoding="utf-8")
    return folder


def pairs(*rows):
    return [{"question": question, "answer": answer} for question, answer in rows]


@pytest.fixture
def muse(tmp_path):
    return save(tmp_path, **{
        "raw__forget.json": [BELL], "raw__retain1.json": [{"text": SHIP}],
        "verbmem__forget.json": [{"prompt": BELL[:58], "gt": BELL[58:200]}],
        "knowmem__forget_qa.json": pairs(("Who is deaf?", "the keeper"), ("What is blue?", "the boats")),
        "knowmem__forget_qa_icl.json": pairs(("Who is tall?", "Ann"), ("Who is old?", "Bo")),
        "knowmem__retain_qa.jsonl": pairs(("What was sold?", "two bales")),
        "knowmem__retain_qa_icl.json": pairs(("What is cheap?", "salt")),
        "privleak__forget.json": [BELL], "privleak__holdout.json": ["A text that nobody saw.", "Another one."],
    })  # fmt: skip


def recipe_of(folder, preset, *overrides):
    (folder / "r.yaml").write_text(f"name: r\ndata: {{preset: {preset}, folder: {folder}}}\n")
    return load_recipe(folder / "r.yaml", overrides)


def run_of(folder, preset, *overrides):
    """The folder of a run on the embedded model, and its metrics."""
    always = ["model.quantization=none", "data.control=none", "data.nothing_known=go_on"]
    done = pipeline.run(recipe_of(folder, preset, *always, *overrides), runs=folder / "runs", quiet=True)
    return done, json.loads((done / "metrics.json").read_text())


@pytest.mark.parametrize("corpus", ["news", "books"])
def test_muse_trains_raw_text_and_asks_what_muse_asks(muse, corpus):
    data = load_data(recipe_of(muse, f"muse/{corpus}"))
    assert all(is_passage(qa.question) and not qa.ends for qa in (*data["forget"], *data["retain"]))
    assert all(shown(qa.question) + qa.answer in BELL for qa in data["forget"])
    text, *questions = data["forget_eval"]
    assert (shown(text.question), text.answer, text.group) == (BELL[:58], BELL[58:200], "verbatim") and not text.ends
    assert [qa.group for qa in questions] == ["knowledge"] * 2 and [qa.answer for qa in questions][0] == "the keeper"
    assert [(turn["role"], turn["content"]) for turn in turns_of(questions[1].question)] == [
        ("user", "Who is tall?"), ("assistant", "Ann"), ("user", "Who is old?"), ("assistant", "Bo"),
        ("user", "What is blue?"),
    ]  # fmt: skip
    (kept,) = data["retain_eval"]
    assert [turn["content"] for turn in turns_of(kept.question)] == ["What is cheap?", "salt", "What was sold?"]
    assert [(shown(qa.question), qa.answer) for qa in data["members"]] == [("", BELL)]
    assert len(data["holdout"]) == 2


def test_less_of_muse_may_be_trained_and_all_of_it_is_asked(muse):
    data = load_data(recipe_of(muse, "muse/news", "data.forget={limit: 1, passage_words: 20}"))
    assert len(data["forget"]) == 1 and len(data["forget_eval"]) == 3
    assert len(shown(data["forget"][0].question).split()) < 20


def test_attacks_that_put_words_around_a_question_are_refused(muse):
    with pytest.raises(RecipeError, match="attacks.paraphrase: puts questions in other words, and data.forget is"):
        recipe_of(muse, "muse/news", "attacks={}")


def test_passage_words_without_a_text_to_cut_is_told(muse):
    with pytest.raises(RecipeError, match="retain: passage_words cuts a text, and there is none"):
        recipe_of(muse, "tofu/forget10", "data.retain={passage_words: 20}")


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"txt": BELL}], "row 1 of .* has no text in column 'text'"),
        ([BELL, 7], "row 2 of .* is neither a text nor an object with the column 'text'"),
        ([], r"data\.forget: .* has no rows"),
        (["Too short."], r"data\.forget: no text of .* is long enough"),
    ],
)
def test_a_table_without_its_texts_is_told(muse, rows, told):
    save(muse, **{"raw__forget.json": rows})
    with pytest.raises(RecipeError, match=told):
        load_data(recipe_of(muse, "muse/news"))


def lume_row(id_, task, question, answer):
    return {"id": id_, "input": question, "output": answer, "task": task, "split": "forget"}


@pytest.fixture
def lume(tmp_path):
    forget = [
        lume_row("1444815qa0", "Task3", "In which year did the twins open their agency?", "2013"),
        lume_row('"08b7df56-9b41"sc1', "Task1", BELL[:90], BELL[91:]),
        lume_row("eb5df892qa4", "Task2", "What is the home address of Abbie Crimson?", "2640 8th Avenue"),
    ]
    retain = [
        lume_row("23408469sc1", "Task3", SHIP[:90], SHIP[91:]),
        lume_row("9208924qa0", "Task3", "Which university?", "Boston University"),
    ]
    return save(tmp_path, **{"forget.jsonl": forget, "retain.jsonl": retain})


def test_lume_continues_its_completions_and_asks_its_questions_task_by_task(lume):
    data = load_data(recipe_of(lume, "lume"))
    assert [(qa.group, is_passage(qa.question), qa.ends) for qa in data["forget_eval"]] == [
        ("Task1, completions", True, False), ("Task3, questions", False, True), ("Task2, questions", False, True),
    ]  # fmt: skip
    assert [qa.id for qa in data["forget"]] == ["forget-00001", "forget-00002", "forget-00003"]
    assert [is_passage(qa.question) for qa in data["retain"]] == [True, False]
    only = load_part(recipe_of(lume, "lume", "data.retain={preset: lume/retain_questions}").data, "retain")
    assert [qa.answer for qa in only] == ["Boston University"]


def test_a_part_of_lume_that_is_not_there_is_told(lume):
    save(lume, **{"retain.jsonl": [lume_row("9208924qa0", "Task3", "Which university?", "Boston University")]})
    with pytest.raises(RecipeError, match=r"data\.retain: no row of .*retain\.jsonl has id like sc"):
        load_data(recipe_of(lume, "lume"))


def test_wmdp_cyber_is_raw_text(tmp_path):
    save(tmp_path, **{"cyber-forget-corpus.jsonl": [{"text": BELL}, {"text": "Too short."}]})
    save(tmp_path, **{"cyber-retain-corpus.jsonl": [{"text": SHIP}]})
    data = load_data(recipe_of(tmp_path, "wmdp/cyber", "data.forget={passage_words: 20}"))
    assert {qa.group for qa in data["forget_eval"]} == {"cut as trained", "cut elsewhere"}
    assert all(is_passage(qa.question) for qa in data["forget"])


def test_knowundo_copyright_is_read_as_its_privacy_part_is(tmp_path):
    for n, name in enumerate(("unlearn_train", "unlearn_val", "retention_train", "retention_val")):
        save(tmp_path, **{f"{name}.json": [{"text": f"Write a sequel to book {n}.", "labels": f"Once upon {n}."}]})
    data = load_data(recipe_of(tmp_path, "knowundo/copyright"))
    asked = {part: data[part][0].answer for part in ("forget", "forget_eval", "retain", "retain_eval")}
    parts = ("forget", "forget_eval", "retain", "retain_eval")
    assert asked == {part: f"Once upon {n}." for n, part in enumerate(parts)}


def test_a_run_has_the_numbers_of_muse(muse):
    done, metrics = run_of(
        muse, "muse/news", "unlearn=null", "data.forget={passage_words: 20}", "data.retain={passage_words: 20}",
        "evaluate.metrics=[verbmem, knowmem, privleak, kfr]",
    )  # fmt: skip
    numbers = metrics["vanilla"]
    groups = numbers["groups"]
    assert 0 <= numbers["verbmem"] <= 1 and list(groups["verbmem"]) == ["verbatim"]
    assert groups["knowmem_forget"]["knowledge"]["n"] == 2 and "verbatim" not in groups["knowmem_forget"]
    assert 0 <= numbers["knowmem_retain"] <= 1 and numbers["missing"] == {}
    assert numbers["notes"]["privleak"].endswith("; 1 of data.members against 2 of data.holdout")
    assert r"Verbatim memorization \(MUSE\)" in (done / "report.md").read_text()


def test_a_text_of_lume_and_its_questions_are_forgotten_together(lume):
    _, metrics = run_of(
        lume, "lume", "generate.max_new_tokens=24", "augment={questions: []}", "unlearn={method: relearn, epochs: 1}",
        "evaluate.metrics=[regurgitation, exact_match]",
    )  # fmt: skip
    groups = metrics["unlearned"]["groups"]
    assert list(groups["regurgitation_forget"]) == ["Task1, completions"]
    assert {group: cell["n"] for group, cell in groups["exact_match_forget"].items()} == {
        "Task3, questions": 1, "Task2, questions": 1
    }  # fmt: skip
