"""The commands: what they print, and how fast."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from relearn_lite.cli.commands import STAGE_NAMES, cli
from relearn_lite.core.errors import RecipeError
from relearn_lite.core.memory import tell_once
from relearn_lite.pipeline.stages import STAGES

ROOT = Path(__file__).parents[2]
COMMANDS = ("run", "check", "compare", "plan", "preview", "score", "schema", "doctor")


def invoke(*words: str) -> str:
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_help_names_every_command():
    shown = invoke("--help")
    assert all(f"\n  {command} " in shown for command in COMMANDS)
    assert invoke("-h") == shown


def test_help_names_every_stage():
    assert STAGE_NAMES == tuple(STAGES)
    assert all(stage in invoke("run", "--help") for stage in STAGES)


def test_help_is_fast_and_loads_nothing_heavy():
    code = (
        "import sys, time; sys.argv = ['main.py', '--help']\n"
        "from relearn_lite import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = ('torch', 'transformers', 'lightning', 'peft', 'datasets', 'openai')\n"
        "print('heavy:', [name for name in heavy if name in sys.modules])\n"
        "print(time.process_time())"  # of its own: other tests run beside it
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "heavy: []" in done.stdout and "Usage:" in done.stdout
    assert float(done.stdout.split()[-1]) < 1.5  # seconds


def test_schema_is_a_json_schema_that_describes_every_key():
    schema = json.loads(invoke("schema"))
    assert schema["type"] == "object" and schema["additionalProperties"] is False
    assert set(schema["required"]) == {"name", "data"}
    sections = [schema, *schema["$defs"].values()]
    keys = [(section["title"], key) for section in sections for key in section.get("properties", {})]
    described = {
        (section["title"], key)
        for section in sections
        for key, value in section.get("properties", {}).items()
        if value.get("description") or "$ref" in value or "$ref" in json.dumps(value.get("anyOf", ""))
    }
    # what stands by itself in the file is described there; a section is described by its own docstring
    assert [key for key in keys if key not in described] == []
    assert all(section.get("description") for section in sections)


def test_check_tells_stages_and_rows():
    shown = invoke("check", str(ROOT / "recipes/quickstart.yaml"))
    assert "Stages: ask, augment, unlearn, generate, evaluate, report" in shown
    assert "data.forget: 72 rows, first: '" in shown
    assert "data.forget_eval: 72 rows (asked before and after, and reported), first: '" in shown
    one = invoke("check", str(ROOT / "recipes/quickstart.yaml"), "data.forget={limit: 1}")
    assert "data.forget: 1 row, first: '" in one


def test_check_leaves_out_stages_that_a_recipe_does_not_need():
    quickstart = str(ROOT / "recipes/quickstart.yaml")
    assert "Stages: ask, evaluate, report\n" in invoke("check", quickstart, "unlearn=null")
    assert "Stages: ask, unlearn, generate" in invoke("check", quickstart, "unlearn.method=npo")


@pytest.mark.parametrize(("model", "rate", "told"), [
    ("embedded", "0.5", "far too high"), ("embedded", "1e-6", "far too low"), ("embedded", "2e-3", None),
    ("wide", "2e-3", "far too high for most models of hidden size 4096"), ("wide", "1e-5", None),
    ("wide", "auto", None), ("0", "0.5", None), ("-1", "0.5", None), ('"x"', "0.5", None), ("[]", "0.5", None),
    ("someone/not-here", "0.5", None),
])  # fmt: skip
def test_check_tells_of_a_learning_rate_that_the_model_cannot_bear(model, rate, told, tiny_model_dir, tmp_path):
    if model != "embedded" and "/" not in model:
        width = 4096 if model == "wide" else json.loads(model)
        model = shutil.copytree(tiny_model_dir, tmp_path / "wide")
        config = json.loads((model / "config.json").read_text())
        (model / "config.json").write_text(json.dumps(config | {"hidden_size": width}))
    tell_once.cache_clear()
    words = ["check", str(ROOT / "recipes/your_data.yaml"), f"model.name={model}", f"unlearn.lr={rate}"]
    ran = CliRunner().invoke(cli, words)
    assert ran.exception is None or isinstance(ran.exception, SystemExit | RecipeError), ran.exception
    said = ran.stderr
    assert (told in said and "auto would try" in said) if told else "unlearn.lr" not in said


def test_a_recipe_is_run_by_default(tmp_path):
    result = CliRunner().invoke(
        cli,
        [
            str(ROOT / "recipes/quickstart.yaml"),
            "--quiet",
            "--until",
            "augment",
            "--runs",
            str(tmp_path),
            "data.forget.limit=2",
            "data.retain.limit=2",
        ],
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "quickstart/augmented.jsonl").is_file()
    assert "Stopped before evaluation" in result.output


@pytest.fixture
def answers(tmp_path):
    row = {"query": "Where does Ann Lee live?", "ground_truth": "At 12 Hill Road.", "generated_response": "By the sea."}
    (tmp_path / "forget.json").write_text(json.dumps([row, row | {"query": "Where is Ann Lee's home?"}]))
    return str(tmp_path / "forget.json")


def test_score_without_a_language_model_gives_what_needs_none(answers):
    scores = json.loads(invoke("score", "--forget", answers, "--metrics", "ls", "--json"))
    assert scores["ppl_forget"] is scores["ls_forget"] is None and "kfr" not in scores
    told = scores["reasons"]["ppl_forget"]
    assert told.startswith("no language model was named") and "--language-model" in told
    assert all(scores[f"{part}_forget"] > 0 for part in ("brunet", "honore", "rttr"))


def test_score_with_a_language_model_gives_perplexity_and_ls_and_says_whose(answers, tiny_model_dir):
    told = ("score", "--forget", answers, "--metrics", "ls, rouge", "--language-model", str(tiny_model_dir))
    scores = json.loads(CliRunner().invoke(cli, [*told, "--json"], catch_exceptions=False).stdout)
    assert scores["ppl_forget"] > 1 and 0 < scores["ls_forget"] < 1 and scores["rouge1_forget"] == 0
    assert scores["evaluators"]["language_model"] == str(tiny_model_dir)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--metrics", "kfr,ppl"), "--metrics: 'ppl' is not a metric. Did you mean 'ls'?"),
        (("--metrics", ""), "--metrics: '' is not a metric"),
        (("--metrics", "krr"), "--metrics: krr can only be had of other answers; give --retain too"),
        (("--language-model", "./nowhere"), "--language-model: found './nowhere'; there is no folder"),
        (("--evaluators", "embeded"), "--evaluators: found 'embeded'; did you mean 'embedded'? give embedded, "),
        (("--language-model", "embeded"), "--language-model: found 'embeded'; 'embeded' is neither a folder nor"),
    ],
)
def test_score_names_the_flag_that_is_wrong(answers, flags, told):
    error = CliRunner().invoke(cli, ["score", "--forget", answers, *flags]).exception
    assert isinstance(error, RecipeError) and error.problems[0].startswith(told)


def test_score_prints_json(tmp_path):
    row = {
        "query": "Where does Ann Lee live?",
        "ground_truth": "At 12 Hill Road.",
        "generated_response": "At 12 Hill Road.",
    }
    (tmp_path / "forget.json").write_text(json.dumps([row]))
    scores = json.loads(invoke("score", "--forget", str(tmp_path / "forget.json"), "--json"))
    assert scores["rouge1_forget"] == 1.0 and scores["kfr"] == 0.0


def test_score_says_how_far_it_is_beside_its_json(answers, monkeypatch):
    """Twenty times the quickstart's answers take most of a minute, in which nothing was said."""
    monkeypatch.setattr("relearn_lite.core.progress.BETWEEN_LINES", 0.0)
    found = CliRunner().invoke(cli, ["score", "--forget", answers, "--json"], catch_exceptions=False)
    count = len(json.loads(found.stdout)["examples"])
    assert f"score: {count} of {count} in " in found.stderr and f"score: {count} in " in found.stderr


def test_score_gives_the_values_of_each_answer_by_its_row(tmp_path, answers):
    """Rows count from 0 in each file's own order, whatever ids they have."""
    told = {"query": "Where does Ann Lee live?", "ground_truth": "At 12 Hill Road.", "id": "x"}
    rows = [told | {"generated_response": text} for text in ("By the sea.", "At 12 Hill Road.")]
    (tmp_path / "retain.json").write_text(json.dumps(rows))
    files = ("--forget", answers, "--retain", str(tmp_path / "retain.json"))
    scores = json.loads(invoke("score", *files, "--metrics", "kfr,krr,rouge", "--json"))
    found = {(each["split"], each["row"]): each for each in scores["examples"]}
    assert list(found) == [("forget", 0), ("forget", 1), ("retain", 0), ("retain", 1)]
    assert [found["retain", n]["krr"] for n in (0, 1)] == [0.0, 1.0]
    assert [found["retain", n]["coverage"] for n in (0, 1)] == [0.0, 1.0]
    assert found["forget", 0] == {
        "split": "forget", "row": 0, "kfr": 1.0, "nli": "neutral", "coverage": 0.0, "rouge1": 0.0, "rougeL": 0.0,
    }  # fmt: skip


def test_score_takes_its_judges_from_a_file(tmp_path, answers):
    (tmp_path / "judges.yaml").write_text("language_model: embedded\n")
    told = ("score", "--forget", answers, "--metrics", "ls", "--json", "--evaluators", str(tmp_path / "judges.yaml"))
    scores = json.loads(CliRunner().invoke(cli, told, catch_exceptions=False).stdout)
    assert scores["evaluators"]["language_model"] == "embedded" and scores["ppl_forget"] > 1


def test_score_takes_the_embedded_model_for_a_writer_and_a_metric_twice_for_once(tmp_path, answers):
    """Neither was told as what it is: the model as none of a run, the metric as --evaluators."""
    (tmp_path / "judges.yaml").write_text("judge: {writer: local, model: embedded}\n")
    told = ("score", "--forget", answers, "--metrics", "fluency,fluency", "--json")
    found = CliRunner().invoke(cli, [*told, "--evaluators", str(tmp_path / "judges.yaml")], catch_exceptions=False)
    scores = json.loads(found.stdout)
    assert "embedded" in scores["evaluators"]["judge"] and scores["missing"] == {"fluency_forget": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("entites: embedded", "judges.yaml:1: evaluate.evaluators.entites: unknown key; did you mean 'entities'?"),
        ("nli: [3]", "judges.yaml:1: evaluate.evaluators.nli: found [3]"),
        ("language_model: base", "language_model: found 'base', a model of a run, and score has answers alone"),
        ("entities: {writer: local}", "entities.model is missing; score has no model of a run, so name one"),
        ("- embedded", "has no keys; give some of entities, embeddings, nli, language_model, judge"),
        ("nli: [", "not YAML that can be read"),
    ],
)
def test_score_says_what_is_wrong_in_a_file_of_judges(tmp_path, answers, text, told):
    (tmp_path / "judges.yaml").write_text(text)
    flags = ("--forget", answers, "--evaluators", str(tmp_path / "judges.yaml"))
    error = CliRunner().invoke(cli, ["score", *flags]).exception
    assert isinstance(error, RecipeError) and len(error.problems) == 1 and told in error.problems[0]


@pytest.mark.parametrize("order", [("nope", "one"), ("one", "nope")])
def test_compare_takes_a_missing_folder_for_a_run_wherever_it_stands(tmp_path, monkeypatch, order):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").mkdir()
    error = CliRunner().invoke(cli, ["compare", *order]).exception
    told = "compare: nope is no folder; give finished runs alone, such as runs/quickstart, or one recipe"
    assert error.problems == [told]


def test_compare_names_every_folder_that_is_no_finished_run(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    result = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "compare", "one", "two"], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 2
    assert [f"compare: {name} is not a finished run" in result.stderr for name in ("one", "two")] == [True, True]
    assert "Traceback" not in result.stderr and not (tmp_path / "runs").exists()
