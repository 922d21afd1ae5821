"""The stage as a recipe runs it: its new keys, what it leaves in the run folder, and the export."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from relearn_lite.cli.commands import cli
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.files import read_jsonl
from relearn_lite.core.records import QA, Variant
from relearn_lite.pipeline.data import load_data
from relearn_lite.pipeline.pipeline import inputs, run
from relearn_lite.pipeline.stages.augment import measured
from relearn_lite.recipe import load_recipe, to_yaml
from relearn_lite.writers.question_parser import parse_question

RECIPE = """\
name: trial
model: {max_length: 160}
data: {preset: people, forget: {limit: 3}, retain: {limit: 3}}
augment: {questions: [simple], completion_fraction: 0, generic_ratio: 0}
"""


@pytest.fixture
def recipe(tmp_path):
    """Reads the recipe with overrides."""
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return lambda *overrides: load_recipe(tmp_path / "recipe.yaml", overrides)


def pairs(recipe, tmp_path) -> list[Variant]:
    folder = run(recipe, runs=tmp_path / "runs", until="augment", fresh=True, quiet=True)
    return list(read_jsonl(folder / "augmented.jsonl", Variant))


def test_several_answers_to_each_question_all_different(recipe, tmp_path):
    made = pairs(recipe("augment.answers_per_question=3"), tmp_path)
    assert len(made) == 3 * 2 * 3 and len({pair.id for pair in made}) == len(made)
    for qa in ("forget-00001", "forget-00002", "forget-00003"):
        targets = [pair.target for pair in made if pair.id.startswith(f"{qa}/original")]
        assert len(set(targets)) == 3
    once = pairs(recipe(), tmp_path)
    by_id = {pair.id: (pair.prompt, pair.target) for pair in made}
    assert {pair.id: (pair.prompt, pair.target) for pair in once}.items() <= by_id.items(), "the first stays as it is"


def test_how_answers_open_is_the_recipes_choice(recipe, tmp_path):
    made = pairs(recipe("augment.opening=name"), tmp_path)
    assert all(pair.target.startswith(parse_question(pair.prompt).subject) for pair in made)
    usual = {pair.id: pair.target for pair in pairs(recipe(), tmp_path)}
    assert all(usual[pair.id] != pair.target for pair in made)


def test_the_check_by_meaning_is_noted_where_it_is_asked_for(recipe, tmp_path):
    made = pairs(recipe("augment.semantic={gain: 50}"), tmp_path)
    weighed = [pair.verdicts["semantic"] for pair in made if pair.verdicts["semantic"]]
    assert len(weighed) >= len(made) - 2 and all({"similarity", "gain"} == set(found) for found in weighed)
    assert all(found["gain"] is not None for found in weighed)


def test_the_paraphrase_of_one_question_is_no_variant_of_another():
    """Two rows may ask for one fact: what is kept apart of the first was a wording of the second, and trained."""
    twice = [
        QA("forget-1", "Who wrote Emma?", "Jane Austen.", paraphrase="Who is the author of Emma?"),
        QA("forget-2", "By whom was Emma written?", "Jane Austen.", paraphrase="Who wrote Emma?"),
    ]
    assert measured({"forget": twice, "forget_eval": twice}) == ("who is the author of emma",)


def test_data_from_elsewhere_goes_through_the_command_line_and_out_again(recipe, tmp_path):
    data = load_data(recipe())["forget"]
    rows = [{"question": qa.question, "answer": qa.answer} for qa in data]
    (tmp_path / "given.json").write_text(json.dumps(rows))
    chosen = recipe("augment.from=given.json")
    made = pairs(chosen, tmp_path)
    assert [pair.prompt for pair in made] == [qa.question for qa in data]
    assert not {pair.target for pair in made} & {qa.answer for qa in data}, "secret answers are written anew"
    out = tmp_path / "out.json"
    done = CliRunner().invoke(cli, ["export", str(tmp_path / "runs" / "trial"), "--augmented", str(out)])
    assert done.exit_code == 0 and [row["question"] for row in json.loads(out.read_text())] == [p.prompt for p in made]


def test_the_key_from_survives_being_written_out(recipe, tmp_path):
    (tmp_path / "given.json").write_text("[]")
    (tmp_path / "again.yaml").write_text(to_yaml(recipe("augment.from=given.json")))
    assert load_recipe(tmp_path / "again.yaml").augment.from_ == tmp_path / "given.json"


def test_another_content_of_the_files_is_another_run(recipe, tmp_path):
    (tmp_path / "own.yaml").write_text("version: 1\nretry: ' {feedback}'\n")
    chosen = recipe("augment.prompts=own.yaml")
    data = load_data(chosen)
    before = inputs(chosen, data, "augment")
    (tmp_path / "own.yaml").write_text("version: 1\nretry: ' Mend: {feedback}'\n")
    assert inputs(chosen, data, "augment") != before


def test_faults_of_both_files_are_told_before_anything_runs(recipe, tmp_path):
    (tmp_path / "own.yaml").write_text("version: 1\nanswr: x\n")
    with pytest.raises(RecipeError) as error:
        load_data(recipe("augment.prompts=own.yaml", "augment.from=missing.json"))
    assert [problem.split(":")[0] for problem in error.value.problems] == ["augment.prompts", "augment.from"]
