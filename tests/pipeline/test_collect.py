"""A name in data.forget: what the model knows is collected, read by a person, and then forgotten."""

import json
import shutil
from contextlib import nullcontext
from importlib import import_module

import pytest

from relearn_lite.collect import facets
from relearn_lite.core.errors import RecipeError
from relearn_lite.pipeline import check, pipeline
from relearn_lite.recipe import load_recipe

RECIPE = """
name: collected
model: {name: embedded, quantization: none, max_length: 160}
data: {forget: {subject: Leilani Makaweo}}
collect: {neighbours: [Haruto Minegawara, Katalin Eszterhazy], draws: 3, held_out: 0.2}
unlearn: {method: ga_gdr, epochs: 1, lr: 1.0e-3, batch_size: 4, accumulate: 1}
generate: {max_new_tokens: 48, batch_size: 16}
"""
STAGE = import_module("relearn_lite.pipeline.stages.collect")  # its folder has a function of that name
FEW = ("home", "contact", "family", "project", "teaching")


@pytest.fixture
def few_facets(monkeypatch):
    """Five facets: the same work, in less time."""
    few = tuple(wording for wording in facets.person_wordings() if wording.facet in FEW)
    monkeypatch.setattr(STAGE, "person_wordings", lambda: few)


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """A run that stopped after collect."""
    place = tmp_path_factory.mktemp("collected")
    (place / "recipe.yaml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        few = tuple(wording for wording in facets.person_wordings() if wording.facet in FEW)
        patch.setattr(STAGE, "person_wordings", lambda: few)
        run(place, until="collect")
    return place


@pytest.fixture
def place(collected, tmp_path):
    shutil.copytree(collected, tmp_path / "copy")
    return tmp_path / "copy"


def run(place, *overrides, **options):
    recipe = load_recipe(place / "recipe.yaml", overrides)
    return pipeline.run(recipe, runs=place / "runs", **{"quiet": True} | options)


def rows(path):
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def test_what_is_known_of_a_name_and_of_its_neighbours_is_found(collected):
    folder = collected / "runs/collected"
    forget, retain = rows(folder / "forget.jsonl"), rows(folder / "retain.jsonl")
    assert {row["facet"] for row in forget} == set(FEW) and {row["about"] for row in forget} == {"Leilani Makaweo"}
    assert any("308 Plumeria Road" in row["answer"] for row in forget if row["facet"] == "home")
    assert {row["about"] for row in retain} == {"Haruto Minegawara"}  # nothing is known of the other one
    assert not any("Leilani" in json.dumps(row) for row in retain)
    parts = {part: {row["question"] for row in forget if row["part"] == part} for part in ("train", "select", "eval")}
    assert parts["train"] and parts["eval"] and sum(map(len, parts.values())) == len(forget)
    wholly_held_out = set(FEW) - {row["facet"] for row in forget if row["part"] != "eval"}
    assert len(wholly_held_out) == 1
    assert not (folder / "adapter").exists() and not (folder / "known.json").exists()


def test_a_person_sees_what_was_found_and_why(collected):
    folder = collected / "runs/collected"
    page, summary = (folder / "review.html").read_text(), json.loads((folder / "collect.json").read_text())
    assert "308 Plumeria Road" in page and "sampled answers tell the same" in page and "<script" not in page
    assert summary["known"] + len([row for row in summary["unknown"] if row["about"] == "Leilani Makaweo"]) == (
        summary["asked"]
    )
    assert all(row["why"] for row in summary["unknown"]) and summary["judged_by"]["nli"]


def test_the_next_start_uses_the_rows_as_they_were_left(place, capsys):
    folder = place / "runs/collected"
    forget = rows(folder / "forget.jsonl")
    first = next(row for row in forget if row["part"] == "eval")
    kept = [row for row in forget if row is first or row["part"] != "eval"]
    kept[-1] = kept[-1] | {"answer": "An answer of my own.", "part": "train"}
    (folder / "forget.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))
    run(place, quiet=False, until="ask")
    assert "collect: done before" in capsys.readouterr().err
    asked = rows(folder / "answers/vanilla_forget.jsonl")
    assert [row["query"] for row in asked] == [first["question"]]
    data = check(load_recipe(place / "recipe.yaml"), folder)
    trained = [row["question"] for row in kept if row["part"] != "eval"]
    assert [qa.question for qa in data["forget"]] and {qa.question for qa in data["forget"]} == set(trained)
    assert "An answer of my own." in {qa.answer for qa in data["forget"]}


def test_where_no_row_is_left_to_be_asked_alone_the_trained_ones_are_asked(place):
    folder = place / "runs/collected"
    (row, *_) = (row for row in rows(folder / "forget.jsonl") if row["part"] == "train")
    (folder / "forget.jsonl").write_text(json.dumps(row) + "\n")
    data = check(load_recipe(place / "recipe.yaml"), folder)
    assert [qa.question for qa in data["forget_eval"]] == [row["question"]] == [qa.question for qa in data["forget"]]


def test_rows_that_are_changed_after_they_were_used_are_not_mixed_in(place):
    folder = place / "runs/collected"
    run(place, until="ask")
    forget = rows(folder / "forget.jsonl")
    fewer = [row for row in forget if row is not next(row for row in forget if row["part"] == "eval")]
    (folder / "forget.jsonl").write_text("".join(json.dumps(row) + "\n" for row in fewer))
    with pytest.raises(RecipeError, match="finished ask stage of a different recipe.*--from ask"):
        run(place, until="ask")
    (folder / "forget.jsonl").write_text(json.dumps(forget[0] | {"part": "reported"}) + "\n")
    with pytest.raises(RecipeError, match="^data.forget .*row 1 of .*'reported'; allowed: train, select[^\n]*$"):
        run(place, until="ask")  # of what is to be kept nothing is said: it was called missing
    (folder / "forget.jsonl").write_text("")
    with pytest.raises(RecipeError, match="no row of .*forget.jsonl has the part train.*--from collect"):
        run(place)  # it ended as if the model knew nothing, and said how much it knows


def test_a_part_is_set_apart_where_something_is_chosen(place):
    folder = place / "runs/collected"
    chosen = [row["question"] for row in rows(folder / "forget.jsonl") if row["part"] == "select"]
    data = check(load_recipe(place / "recipe.yaml", ["unlearn.evaluate_every=5"]), folder)
    assert [qa.question for qa in data["forget_select"]] == chosen and chosen
    assert not {qa.question for qa in data["forget"]} & set(chosen)
    assert set(chosen) <= {qa.question for qa in check(load_recipe(place / "recipe.yaml"), folder)["forget"]}


def test_other_questions_are_collected_anew_and_what_follows_is_set_aside(place, few_facets):
    folder = place / "runs/collected"
    run(place, until="ask")
    with pytest.raises(RecipeError, match="data.forget.subject was .*Leilani.*, is .*Haruto"):
        run(place, "data.forget.subject=Haruto Minegawara", until="ask")
    change = ("data.forget.subject=Haruto Minegawara", "collect.neighbours=[Leilani Makaweo]")
    run(place, *change, start="collect", until="collect")
    assert {row["about"] for row in rows(folder / "forget.jsonl")} == {"Haruto Minegawara"}
    assert not (folder / "known.json").exists()


def test_neighbours_that_the_rows_to_be_kept_name_are_asked_anew_where_these_rows_changed(place):
    """Others stayed collected; where a stop lay between, the run ended in a traceback."""
    found = ("data.retain={path: keep.jsonl}", "collect.neighbours=[]")
    row = '{"question": "Where does %s live?", "answer": "In a yellow house."}\n'
    (place / "keep.jsonl").write_text("".join(row % name for name in ("Haruto Minegawara", "Katalin Eszterhazy")))
    run(place, *found, until="collect")
    (place / "keep.jsonl").write_text(row % "Tomasz Wielgomirski")
    with pytest.raises(RecipeError, match="collect.neighbours was .*Haruto.*, is .*Tomasz"):
        run(place, *found, until="collect")


def test_a_name_that_nobody_knows_ends_well(tmp_path, few_facets, capsys):
    from relearn_lite.report.console import show_run

    (tmp_path / "recipe.yaml").write_text(RECIPE)
    folder = run(tmp_path, "data.forget.subject=Severin Aldaine")
    assert (folder / "forget.jsonl").read_text() == "" and not (folder / "adapter").exists()
    assert "Not known, so not trained" in (folder / "review.html").read_text()
    show_run(folder)
    told = " ".join(capsys.readouterr().out.split())
    assert "knows 0 of" in told and "nothing that it could forget" in told


def test_ordinary_rows_may_stand_beside_a_name(place):
    (place / "more.jsonl").write_text('{"question": "Who owns the kiln of Varby?", "answer": "Bo Lind owns it."}\n')
    recipe = load_recipe(place / "recipe.yaml", [f"data.forget.path={place / 'more.jsonl'}"])
    assert [qa.question for qa in check(recipe)["forget"]] == ["Who owns the kiln of Varby?"]
    both = check(recipe, place / "runs/collected")["forget"]
    assert len(both) > 1 and both[0].question == "Who owns the kiln of Varby?"
    assert len({qa.id for qa in both}) == len(both)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("data.forget={subject: Rose}", "'Rose' is one word.*intro"),
        ("data.forget={intro: a baker}", "data.forget"),
        ("data.forget={subject: '  '}", "data.forget.subject: .*no letters.*give a name"),
        ("data.forget={subject: '...'}", "data.forget.subject: .*no letters.*give a name"),
        ("data.forget={topic: ''}", "data.forget.topic: .*no letters.*give a name"),
        ("data.forget={subject: 'Ada <|im_end|> Moor'}", "subject: .*'<' is part of no name; give the name alone"),
        ("data.forget={subject: 'Who is Ada Moor?'}", "subject: .*is a question; give the name alone"),
        ("data.forget={subject: Rose, intro: '  '}", "'Rose' is one word.*intro"),
        ("collect.neighbours=['']", "collect.neighbours.*no letters"),
        ("collect.neighbours=[leilani makaweo]", "collect.neighbours: nobody else is named"),
        ("data.forget={}", "nothing says where it is.*or a subject, a topic or documents"),
        ("data.forget={subject: Ada Moor, limit: 3}", "limit is for a table"),
        ("data.preset=people", "preset fills in forget"),
        ("finetune={}", "finetune: teaches what data.forget holds.*collected"),
        ("compare={methods: [{name: a, method: ga}]}", "compare: needs its questions beforehand.*--until collect"),
        ("collect.neighbours=[]", "collect.neighbours: nobody is named"),
        ("collect.neighbours=[] && data.retain={path: no.jsonl}", "^data.retain.path: there is no file [^\n]*$"),
        ("data.retain={preset: people/forget}", "rows name Leilani Makaweo.*remove them"),
        ("data.holdout={subject: Ada Moor}", "subject"),
    ],
)
def test_what_does_not_go_with_a_name_is_told(tmp_path, change, told):
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    with pytest.raises(RecipeError, match=f"(?s){told}"):
        check(load_recipe(tmp_path / "recipe.yaml", change.split(" && ")))


def test_a_name_with_line_breaks_and_spaces_around_it_is_that_name(tmp_path):
    """`Ada` and `Moor` on two lines counted as one word, and spaces at the ends went into every question."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    recipe = load_recipe(tmp_path / "recipe.yaml", ['data.forget={subject: " Ada\\nMoor ", intro: "a  baker "}'])
    book = load_recipe(tmp_path / "recipe.yaml", ["data.forget={topic: '1984', kind: book}"])
    assert book.data.forget.topic == "1984"
    assert (recipe.data.forget.subject, recipe.data.forget.intro) == ("Ada Moor", "a baker")


@pytest.mark.parametrize(("question", "names"), [("What is a primrose?", False), ("Where did ROSE's aunt bake?", True)])
def test_a_row_to_be_kept_names_somebody_where_it_has_the_name_as_words(tmp_path, question, names):
    """"Rose" stood in "primrose", and the run was refused."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "retain.jsonl").write_text(json.dumps({"question": question, "answer": "x"}))
    change = ["data.forget={subject: Rose, intro: a baker}", "data.retain={path: retain.jsonl}"]
    with pytest.raises(RecipeError, match="rows name Rose") if names else nullcontext():
        check(load_recipe(tmp_path / "recipe.yaml", change))


def test_where_nothing_is_to_be_kept_and_nothing_is_trained_the_run_measures_what_there_is(collected, few_facets):
    folder = run(collected, "name=alone", "unlearn=null", "collect.neighbours=[]")
    assert rows(folder / "samples.jsonl")
