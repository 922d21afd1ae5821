"""Bad input through the real command line: exit code 2, the key named, what was found, what to do, no traceback."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relearn_lite.cli import commands as cli
from relearn_lite.core.memory import tell_once

ROOT = Path(__file__).parents[2]
RECIPE = """\
name: trial
model: {max_length: 160, quantization: none}
data:
  forget: {path: forget.jsonl}
  retain: {path: retain.jsonl}
augment: {questions: []}
unlearn: {epochs: 1, lr: 1.0e-3, batch_size: 16, accumulate: 1}
generate: {max_new_tokens: 8}
"""
GO_ON = "data.nothing_known=go_on"  # the embedded model knows no Ann Lee
UNTIL_UNLEARN = ("--quiet", "--until", "unlearn", GO_ON)


def rows(*pairs: tuple[str, str]) -> str:
    return "".join(json.dumps({"question": question, "answer": answer}) + "\n" for question, answer in pairs)


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """A folder with a good recipe and its data; commands run there, without network."""
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "forget.jsonl").write_text(
        rows(("Where does Ann Lee live?", "At 12 Hill Road."), ("What is Bob Fox's phone?", "555-0199."))
    )
    (tmp_path / "retain.jsonl").write_text(
        rows(("What does Ann Lee do?", "She is a painter."), ("What does Bob Fox do?", "He is a baker."))
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs main.py's `main` and returns (exit code, what it printed); any other error fails the test."""

    def run(*words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["main.py", *map(str, words)])
        tell_once.cache_clear()  # each command is a process of its own
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        shown = capsys.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return code, shown.out + shown.err

    return run


@pytest.fixture
def refused(command):
    """Runs a command that must be refused, and returns its lines."""

    def run(*words: str) -> str:
        code, shown = command(*words)
        assert code == 2, shown
        return shown

    return run


def says(shown: str, *parts: str) -> None:
    missing = [part for part in parts if part not in shown]
    assert not missing, f"{missing} not in:\n{shown}"


def test_the_recipe_used_here_is_good(place, command):
    code, shown = command("check", "recipe.yaml")
    assert code == 0 and "data.forget: 2 rows" in shown


def test_check_touches_nothing(place, command):
    before = sorted(place.rglob("*"))
    command("check", "recipe.yaml")
    assert sorted(place.rglob("*")) == before


# ---- the recipe

RECIPES = {
    "unknown key": (
        RECIPE + "evaluat: {}\n",
        ["recipe.yaml:9: evaluat: unknown key", "did you mean 'evaluate'?", "allowed here: name,"],
    ),
    "unknown inner key": (
        RECIPE.replace("epochs", "epoch"),
        ["recipe.yaml:7: unlearn.epoch: unknown key", "did you mean 'epochs'?"],
    ),
    "a key as in an override": (  # `unlearn` was proposed instead, as if there were no unlearn.epochs
        RECIPE + "unlearn.lora.r: 4\n",
        ["recipe.yaml:9: unlearn.lora.r: unknown key; in a file r stands in the section unlearn.lora; allowed here"],
    ),
    "wrong type": (
        RECIPE.replace("epochs: 1", "epochs: many"),
        ['recipe.yaml:7: unlearn.epochs: found "many"', "integer"],
    ),
    "neither a count nor auto": (
        RECIPE.replace("max_new_tokens: 8", "batch_size: all"),
        ['recipe.yaml:8: generate.batch_size: found "all"; give an integer from 1 on, or auto'],
    ),
    "a list for a count": (
        RECIPE.replace("epochs: 1", "epochs: [1]"),
        ["recipe.yaml:7: unlearn.epochs: found [1]; give an integer from 1 on, or auto"],
    ),
    "a kind of question twice": (
        RECIPE.replace("{questions: []}", "{questions: [simple, noise, simple]}"),
        ["recipe.yaml:6: augment.questions: 'simple' is given twice, and that changes nothing; name each once"],
    ),
    "a metric twice": (
        RECIPE + "evaluate: {metrics: [kfr, kfr]}\n",
        ["recipe.yaml:9: evaluate.metrics: 'kfr' is given twice"],
    ),
    "one column as question and answer": (
        RECIPE.replace("{path: forget.jsonl}", "{path: forget.jsonl, answer: question}"),
        ["data.forget.answer is 'question', the column of the questions: name another"],
    ),
    "the answers' column as that of the questions": (
        RECIPE.replace("{path: forget.jsonl}", "{path: forget.jsonl, question: answer}"),
        ["data.forget.question is 'answer', the column of the answers: name another, or name the answers' own"],
    ),
    "section is a word": (
        RECIPE.replace("{path: forget.jsonl}", "forget.jsonl"),
        ['recipe.yaml:4: data.forget: found "forget.jsonl"', "did you mean data.forget.path: forget.jsonl?"],
    ),
    "number as a name": (RECIPE.replace("name: trial", "name: 2024"), ["name: found 2024", "put it in quotes"]),
    "duplicate key": (RECIPE + "name: again\n", ["recipe.yaml:9: name: given twice, first on line 1; remove one"]),
    "duplicate inner keys": (
        RECIPE.replace("epochs: 1,", "epochs: 1, lora: {r: 1, r: 2}, epochs: 2,"),
        [
            "recipe.yaml:7: unlearn.lora.r: given twice, first on line 7",
            "recipe.yaml:7: unlearn.epochs: given twice",
        ],
    ),
    "a section without keys": (  # it was null: nothing was unlearned, and no word of that
        RECIPE.replace("unlearn: {", "unlearn:\n#  {"),
        ["recipe.yaml:7: unlearn: nothing stands behind it; give a value, null, or {} for the defaults"],
    ),
    "a tag": (RECIPE + "report: !!python/name:os.getcwd {}\n", ["recipe.yaml:9: report: the tag !!python/name:os."]),
    "nested too deep": (RECIPE + "report: " + "[" * 5000, ["recipe.yaml:", "nested too deep"]),
    "a tab": (RECIPE.replace("  forget", "\tforget"), ["recipe.yaml:4:1", "a tab", "spaces"]),
    "no space behind a colon": (RECIPE.replace("name: trial", "name:trial"), ["recipe.yaml:2:6", "a space behind ':'"]),
    "indented too far": (RECIPE.replace("data:", " data:"), ["recipe.yaml:3:2", "same column"]),
    "two documents": (RECIPE + "---\nseed: 3\n", ["recipe.yaml:9:1", "a second document begins here"]),
    "a quote left open": (RECIPE + 'seed: "3\n', ["recipe.yaml:10:1", "not closed"]),
    "not YAML": ("name: [\n", ["recipe.yaml:2:1", "not YAML"]),
    "control character": ("seed: 1\nname: \x07\n", ["recipe.yaml:2", "not YAML", "#x0007"]),
    "a list": ("- name\n", ["recipe.yaml has no keys", "name and data"]),
    "empty recipe": ("", ["recipe.yaml has no keys"]),
    "no name": (RECIPE.replace("name: trial\n", ""), ["name is missing; add it"]),
    "no retain set": (
        RECIPE.replace("  retain: {path: retain.jsonl}\n", ""),
        ["data.retain: nothing says where it is", "a path"],
    ),
}


@pytest.mark.parametrize(("text", "parts"), RECIPES.values(), ids=RECIPES.keys())
def test_a_bad_recipe(place, refused, text, parts):
    (place / "recipe.yaml").write_text(text)
    says(refused("check", "recipe.yaml"), *parts)


def test_several_errors_are_told_at_once(place, refused):
    text = RECIPE.replace("epochs: 1", "epochs: many").replace("max_length: 160", "max_length: 3") + "sede: 1\n"
    (place / "recipe.yaml").write_text(text)
    shown = refused("check", "recipe.yaml")
    says(shown, "recipe.yaml:2: model.max_length: found 3", "recipe.yaml:7: unlearn.epochs", "recipe.yaml:9: sede")
    assert shown.count("error: ") == 3


def test_all_that_does_not_go_together_is_told_at_once(place, refused):
    """Of each section the first was told, and the next when that was mended."""
    shown = refused("check", "recipe.yaml", "data={}", "unlearn={method: npo, forget_loss: ce, budget: 50}")
    says(shown, "data.forget: nothing says", "data.retain: nothing says", "unlearn.method and forget_loss are both")
    says(shown, "unlearn.budget: it limits the steps")
    assert shown.count("error: ") == 4


def test_errors_of_several_data_parts_are_told_at_once(place, refused):
    shown = refused(
        "check", "recipe.yaml", "data.forget.path=no.jsonl", "data.retain.path=nor.jsonl", "data.generic.path=x.json"
    )
    says(shown, "data.forget.path", "data.retain.path", "data.generic.path")


def test_a_recipe_that_is_not_there(place, refused):
    says(refused("nothing.yaml"), "recipe: nothing.yaml does not exist", "recipes/quickstart.yaml")
    says(refused("check", "."), "recipe: . is a folder")


def test_a_recipe_that_is_not_text(place, refused):
    (place / "recipe.yaml").write_bytes(b"\xff\xfe\x00")
    says(refused("check", "recipe.yaml"), "recipe.yaml is not UTF-8", "save it as UTF-8")


def test_training_on_a_gpu_that_is_not_there(place, refused):
    """It was found out after two stages, with a traceback."""
    shown = refused("recipe.yaml", "trainer.accelerator=gpu", "--quiet")
    says(shown, "trainer.accelerator: gpu, and torch finds no GPU here; set it to auto or cpu")
    assert not (place / "runs").exists()


def test_a_column_that_is_hardly_alike_is_not_proposed(place, refused):
    """`completion`, where the answers stand, was proposed as the question."""
    (place / "forget.jsonl").write_text(json.dumps({"prompt": "Who is Ann Lee?", "completion": "A painter."}))
    shown = refused("check", "recipe.yaml")
    says(shown, "has no column 'question'; it has: prompt, completion; name one of these as data.forget.question")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("forget.xlsx", "; save it as one of these"),
        ("forget.docx", "; save it as one of these, or ask what it says of people: data.forget.documents"),
    ],
)
def test_a_file_that_is_no_table(place, refused, name, told):
    """What to do with it was not said."""
    (place / name).write_bytes(b"x")
    shown = refused("check", "recipe.yaml", f"data.forget.path={name}")
    says(shown, f"data.forget.path: {name} is not a format that is read here; allowed: .json,", told)


def test_an_end_before_the_beginning(place, refused, command):
    """Later results were removed, and nothing was done."""
    shown = refused("recipe.yaml", "--from", "evaluate", "--until", "ask")
    says(shown, "--from: evaluate comes after ask, where --until stops; give a stage up to ask, or a later --until")


def test_again_from_a_stage_and_all_of_it(place, refused):
    """--from was passed over without a word beside --fresh."""
    shown = refused("recipe.yaml", "--from", "evaluate", "--fresh")
    says(shown, "--fresh: it does every stage again, and --from only those from evaluate on; give one of the two")
    assert not (place / "runs").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--to", "x", "--columns", "tofu"], "--columns: it belongs to --augmented; remove it"),
        (["--check", "x", "--push", "me/x"], "--push: it belongs to --to; remove it"),
        (["--augmented", "x.json", "--no-check"], "--no-check: it belongs to --to; remove it"),
        (["--to", "x", "--gguf", "q8_0"], "--gguf: no GGUF file is asked for; add --format gguf"),
        (["--to", "x", "--public"], "--public: it belongs to --push; add that, or remove it"),
    ],
)  # fmt: skip
def test_an_option_of_export_that_would_do_nothing(refused, words, told):
    """Each was passed over without a word: an export that was measured again was not pushed, say."""
    says(refused("export", "nowhere", *words), told)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder in which nobody can make one")
@pytest.mark.parametrize("formats", [("ollama",), ("gguf",), ("gguf", "adapter")])
def test_the_numbers_of_a_gguf_file_go_with_all_that_write_one(refused, formats):
    """ollama alone writes a GGUF file too."""
    shown = refused("export", "nowhere", "--to", "x", "--gguf", "q8_0", *(w for f in formats for w in ("--format", f)))
    assert "--gguf" not in shown and "nowhere is not there" in shown


def test_runs_where_no_folder_can_be_made(place, refused):
    """A drive that is not there, or one for reading only, ended in a traceback."""
    says(refused("recipe.yaml", "--runs", "/proc/runs"), "--runs: /proc/runs/trial cannot be made (No such file")


def test_a_run_to_compare_that_is_not_there(place, refused):
    """The folder that is there was called no recipe."""
    (place / "one").mkdir()
    shown = refused("compare", "one", "nowhere")
    says(shown, "compare: nowhere is no folder; give finished runs alone, such as runs/quickstart, or one recipe")


def test_what_is_no_run(place, refused):
    says(refused("chat", "recipe.yaml"), "chat: recipe.yaml is a file; give the folder of a run, such as runs/")
    says(refused("export", "nowhere", "--to", "x"), "export: nowhere is not there; give the folder of a run")


# ---- one value, as an override

VALUES = {
    "unlearn.method=relern": ["unlearn.method: unknown name 'relern'", "did you mean 'relearn'?", "relearn_klr_gdr"],
    "evaluate.metrics=[kfr, rogue]": [
        "evaluate.metrics: 'rogue' is not a metric",
        "Did you mean 'rouge'?",
        "Allowed: kfr, krr",
    ],
    "evaluate.metrics=[]": ["evaluate.metrics: no metric is named", "kfr"],
    "evaluate.evaluators=gpt4": ['evaluate.evaluators: found "gpt4"', "embedded, minilm, models"],
    "model.backend=unslot": [
        "model.backend: unknown name 'unslot'; did you mean 'unsloth'? allowed: auto, unsloth, transformers"
    ],
    "model.quantization=3bit": ["model.quantization: unknown name '3bit'", "allowed: 4bit, 8bit, none"],
    "model.quantization=int4": ["unknown name 'int4'; allowed: 4bit, 8bit, none"],  # 8bit was suggested
    "model.gradient_checkpointing=3": ["model.gradient_checkpointing: found 3; allowed: auto, True, False"],
    "augment.writer=chatgpt": ["augment.writer: unknown name 'chatgpt'", "allowed: rules, local, server"],
    "augment.writer=server": ["augment.writer: server needs base_url and model"],
    "augment={writer: server, base_url: 'localhost:11434', model: m}": [  # nothing answered there, it said later
        'augment.base_url: found "localhost:11434"; give it with http:// or https:// in front'
    ],
    "unlearn=null|unlearned={server: '127.0.0.1:1/v1', model: m}": ["unlearned.server: found", "with http://"],
    "data.forget.subject=[Ada Voss, Bo Lind]": ["data.forget.subject: found [", "give one name", "one_after_another"],
    "augment.questions=[simple, odd]": [
        "augment.questions.1: unknown name 'odd'",
        "allowed: simple, context, noise, logical",
    ],
    "data.forget.preset=tofu/forget1O": ["data.forget.preset: unknown name", "did you mean 'tofu/forget10'?"],
    "data.preset=tofu": ["data.preset: unknown name 'tofu'", "tofu/forget10"],
    "data={preset: rwku/Stephen_King, where: {level: 1}}": [  # it was called an unknown name
        "data.where: rwku/Stephen King has one too; give preset: rwku and subject: Stephen King in where",
    ],
    "data.forget.dataset=org/set": ["data.forget.path and dataset are both given: choose one"],
    "data.forget.limit=0": ["data.forget.limit: found 0", "greater than or equal to 1"],
    "data.folder=.": ["data.folder", "set data.preset"],
    "data.generic={path: x.csv, where: {label: null}}": ["data.generic.where: label has nothing; give a text"],
    "data.generic={path: x.csv, where: {label: [1, {a: 2}]}}": ["data.generic.where: label has {'a': 2}; give a text"],
    "data.generic={limit: 3}": ["data.generic: nothing says where it is"],
    "finetune.data=[{limit: 3}]": ["finetune.data: item 1 has no path, dataset or preset"],
    "finetune={lora: null}|model.quantization=4bit": ["finetune.lora: null", "needs model.quantization: none"],
    "model.init=random": ["model.init: random needs a finetune section with lora: null"],
    "unlearn.lora.targets=3": ["unlearn.lora.targets: found 3", "all-linear, or a list"],
    "unlearn.retain_losses={ce: 1}": ["unlearn.retain_losses needs forget_loss"],
    "unlearn={forget_loss: ce, retain_losses: {kx: 1}}": [
        "unlearn.retain_losses: unknown name 'kx'; did you mean 'kl'? allowed: ce, kl, js, layer"
    ],
    "unlearn.lr=.inf": ["unlearn.lr", "finite number"],
    "unlearn.lr=.nan": ["unlearn.lr: found NaN; give a finite number"],
    f"unlearn.lr=1{400 * '0'}": ["unlearn.lr: found 1000", "finite number"],  # ended in a traceback
    "seed=true": ["seed: found true; give a number, neither true nor false"],
    "unlearn.evaluate_every=true": ["unlearn.evaluate_every: found true; give a number, neither true nor false"],
    "unlearn.evaluate_every=false": ["unlearn.evaluate_every: found false; did you mean null? give a number"],
    "unlearn.gradient_clip=None": ['unlearn.gradient_clip: found "None"; did you mean null? input should be'],
    "unlearn.keep_best=none": ["unlearn.keep_best: unknown name 'none'; did you mean null? allowed: harmonic"],
    "finetune=none": ['finetune: found "none"; did you mean null? give a section with'],
    "unlearn.lora=none": ['unlearn.lora: found "none"; give a section with'],
    "unlearn={forget_loss: ce, retain_losses: [ce, kl]}": ['found ["ce", "kl"]; give keys with values, such as {name:'],
    "unlearn={forget_loss: ce, retain_losses: {ce: true}}": ["unlearn.retain_losses: give a number, "],
    "compare={methods: [{name: a, sweep: {epochs: [true]}}]}": ["methods.0.sweep.epochs: found [true]; give a number"],
    "unlearn.epochs=true": ["unlearn.epochs: found true; give an integer from 1 on, or auto"],
    "compare={methods: [{name: a}], sweep: {lr: [1e-3, 0.001]}}": ["sweep.lr: 0.001 is given twice, and that changes"],
    "compare={methods: [{name: a, sweep: {epochs: [2, 2]}}]}": ["methods.0.sweep.epochs: 2 is given twice"],
    "evaluate.general={tasks: [mmlu, mmlu]}": ["evaluate.general.tasks: 'mmlu' is given twice"],
    "collect.neighbours=[Ada Voss, 'Ada  Voss']": ["collect.neighbours: 'Ada Voss' is given twice"],
    "unlearn.epochs=2|unlearn={lr: 1.0e-3}": [  # epochs was 4, and no word of that
        "override 'unlearn={lr: 1.0e-3}': override 'unlearn.epochs=2' came before it and would be lost; put it behind"
    ],
    "collect.neighbours.0=Bo Lind": [
        "override 'collect.neighbours.0=Bo Lind': collect.neighbours: found a section with keys; give a list, such as ["
    ],
    "unlearn.epochs=": ["override 'unlearn.epochs=': nothing stands behind =; give a value, or null"],
    "unlearn=": ["override 'unlearn=': nothing stands behind ="],  # it was taken for null, so nothing was unlearned
    "unlearn.epochs=null": ["unlearn.epochs: found null"],
    "unlearn..epochs=2": ["override 'unlearn..epochs=2': write it as section.key=value"],
    ".unlearn.epochs=2": ["override '.unlearn.epochs=2': write it as section.key=value"],
    "unlearn.=2": ["override 'unlearn.=2': write it as section.key=value"],
    "unlearn.epochs =0": ["unlearn.epochs: found 0"],
    "data.retain.path=5": ["data.retain.path: found 5; give a path, in quotes where it looks like a number"],
    "evaluate.metrics=kfr": ["evaluate.metrics: found \"kfr\"; give a list, such as [kfr]"],
    "report.mask=perhaps": ["report.mask: found \"perhaps\"; give true or false"],
    "model.name=https://huggingface.co/org/name": ["a hub id is written without the address of the hub: org/name"],
    "model.name=recipe.yaml": ["recipe.yaml is a file", "an existing folder or .gguf file"],
    "model.name=.": ["model.name: ", "holds no config.json, so no model); give a folder that has one"],
    "data.forget.path=.": ["data.forget.path: ", " is a folder; give a file in it"],
    "unlearn.lr=atuo": ['unlearn.lr: found "atuo"', "a finite number above 0", "or auto"],
    "unlearn.lr='1e-4'": ['unlearn.lr: found "1e-4"; remove the quotes: give a finite number'],
    "unlearn.epochs='3'": ['unlearn.epochs: found "3"; remove the quotes: give an integer'],
    "unlearn.lr=[]": ["unlearn.lr: found []", "a list of different ones"],
    "unlearn.lr=[1.0e-3, 1.0e-3]": ["unlearn.lr: found [0.001, 0.001]", "a list of different ones"],
    "finetune={lr: auto}": ["finetune.lr: found", "number"],
    "unlearn.budget=50": ["unlearn.budget: it limits the steps of epochs: auto, and epochs is 1"],
    "unlearn={lr: auto, epochs: auto, budget: 39}": ["unlearn.budget: found 39", "to try 3 learning rates", "takes 40"],
    "unlearn={epochs: auto, evaluate_every: 9, keep_best: harmonic}": ["unlearn.keep_best", "set keep_best to null"],
    "unlearn={lr: auto, method: task_vector}": ["unlearn.lr: task_vector", "give one lr and a number of epochs"],
    "unlearn.lr=auto|data.select_fraction=0": ["data.select_fraction: 0 sets no questions apart", "auto"],
    "trainer.precision=bf16": ["trainer.precision: unknown name 'bf16'; did you mean 'bf16-mixed'?"],
    "unlearn.gradient_clip=0": ["unlearn.gradient_clip: found 0", "greater than 0"],
    "name=../x": ['name: found "../x"', "a folder under runs/"],
    "name=a/b": ['name: found "a/b"', "a folder under runs/"],
    "name=/tmp/x": ['name: found "/tmp/x"', "a folder under runs/"],
    "name=..": ['name: found ".."', "a folder under runs/"],
    "model.name=./nowhere": ['model.name: found "./nowhere"', "there is no folder", "a hub id such as org/name"],
    "model.name=embeded": ["model.name: ", "did you mean 'embedded'? or give a hub id such as org/name"],
    "model.name=smolm2": ["did you mean 'smollm2'?"],
    "unlearn=null|unlearned.model=embeded": ["unlearned.model: ", "did you mean 'embedded'?"],
    "augment={writer: local, model: smolm2}": ["augment.model: ", "did you mean 'smollm2'?"],
    "model=embeded": ["model: found \"embeded\"", "did you mean model.name: embedded? give a section with"],
    "model=org/name": ["did you mean model.name: org/name?"],
    "data.generic=none": ['data.generic: found "none"; did you mean null? give a section'],  # and path: none, it said
    "data=people": ["data: found \"people\"", "did you mean data.preset: people?"],
    "unlearn=nop": ["did you mean unlearn.method: npo?"],
    "augment=rules": ["did you mean augment.writer: rules?"],
    "data.retain=tofu/retain90": ["did you mean data.retain.preset: tofu/retain90?"],
    "data.retain=people.jsonl": ["did you mean data.retain.path: people.jsonl?"],
    'model=""': ['model: found ""; give a section'],
    "compare={methods: [npo]}": ["did you mean compare.methods.0.method: npo?"],
    "model=3": ["model: found 3; give a section with some of these keys"],
    "evaluate.evaluators=embeded": ["did you mean 'embedded'? give embedded, minilm, models, or the evaluators"],
    "model.name=/no/where/at/all": ["model.name", "there is no folder /no/where/at/all"],
    "epochs": ["override 'epochs'", "section.key=value"],
    "=3": ["override '=3'", "section.key=value"],
    "name.first=3": ["override 'name.first=3'", 'name is not a section here, but "trial"; override the whole of it'],
    "evaluate.evaluators=minilm|evaluate.evaluators.nli=embedded": [  # evaluators was called no section
        "override 'evaluate.evaluators.nli=embedded': evaluate.evaluators is not a section here, but \"minilm\"; ",
        "override the whole of it, as evaluate.evaluators=...",
    ],
    "unlearn.epochs=[": ["override 'unlearn.epochs=['", "not YAML"],
    "unlearn={lr: 1, lr: 2}": ["override 'unlearn={lr: 1, lr: 2}': lr: given twice"],
    "unlearn.epoch=3": ["unlearn.epoch: unknown key", "did you mean 'epochs'?"],
    "lr=3.0": ["lr: unknown key; it is a key of finetune, unlearn"],
}


@pytest.mark.parametrize("name", ["org/embeded", "smollm-2/smolm2", "gpt2", "distilgpt2", "t5-small"])
def test_a_hub_id_is_not_taken_for_a_misspelt_name(place, command, name):
    code, shown = command("check", "recipe.yaml", f"model.name={name}")
    assert code == 0 and "did you mean" not in shown


@pytest.mark.parametrize(("overrides", "parts"), VALUES.items(), ids=VALUES.keys())
def test_a_bad_value(place, refused, overrides, parts):
    says(refused("check", "recipe.yaml", *overrides.split("|")), *parts)


# ---- the data

FILES = {
    "empty file": ("empty.jsonl", b"", ["data.forget.path", "empty.jsonl is empty", "at least one question"]),
    "empty list": ("list.json", b"[]", ["data.forget", "list.json has no rows"]),
    "blank lines only": ("blank.jsonl", b"\n\n", ["data.forget", "blank.jsonl has no rows"]),
    "header only": ("head.csv", b"question,answer\n", ["data.forget", "head.csv has no rows"]),
    "no header": (
        "bare.csv",
        b"Where does Ann live?,By the sea.\nWhere is Bo?,At home.\n",
        ["data.forget.question", "no column 'question'; it has in its first line: Where does Ann live?, By the sea.;"],
    ),
    "wrong column": (
        "col.jsonl",
        b'{"qestion": "a", "answer": "b"}\n',
        ["data.forget.question", "no column 'question'", "did you mean 'qestion'?", "it has: qestion, answer"],
    ),
    "broken line": (
        "line.jsonl",
        rows(("a", "b")).encode() + b"{oops\n",
        ["data.forget.path", "line.jsonl is broken at line 2"],
    ),
    "broken list": (
        "list.json",
        b'[{"question": "a"},\n oops]',
        ["data.forget.path", "list.json is broken at line 2, column 2"],
    ),
    "nested too deep": ("deep.json", b"[" * 100_000, ["data.forget.path", "nested too deep"]),
    "no objects": ("words.jsonl", b'"word"\n', ["data.forget.path", "row 1", "not an object"]),
    "not UTF-8": ("latin.jsonl", b'{"question": "\xe9"}', ["data.forget.path", "latin.jsonl is not UTF-8", "byte 14"]),
    "half a character": (
        "half.jsonl",
        b'{"question": "a", "answer": "b \\ud800"}\n',
        ["data.forget.answer", "half a character", "row 1"],
    ),
    "unknown format": ("text.txt", b"a", ["data.forget.path", "text.txt", ".json, .jsonl, .csv, .parquet"]),
    "no Parquet": (
        "broken.parquet",
        b"PAR1 no PAR1",
        ["data.forget.path", "not a readable Parquet file", "write it again, or give another file"],
    ),
    "comma without quotes": (
        "rome.csv",
        b"question,answer\nWhere?,In Rome, Italy\n",
        ["data.forget.path", "line 2", "double quotes"],
    ),
    "quote left open": (
        "open.csv",
        b'question,answer\nWhere?,"In Rome\n',
        ["data.forget.path", "open.csv is broken after line 1: "],
    ),
    "empty answers": (
        "holes.jsonl",
        rows(("a", "b"), ("c", " "), ("d", "")).encode(),
        ["data.forget.answer", "empty in 2 of 3", "rows 2, 3"],
    ),
    "no such file": (None, b"", ["data.forget.path: there is no file", "absent.jsonl"]),
}


@pytest.mark.parametrize(("name", "content", "parts"), FILES.values(), ids=FILES.keys())
def test_bad_data(place, refused, name, content, parts):
    if name:
        (place / name).write_bytes(content)
    says(refused("check", "recipe.yaml", f"data.forget.path={name or 'absent.jsonl'}"), *parts)


@pytest.mark.parametrize("part", ["forget", "retain", "finetune"])
def test_what_the_model_must_never_have_seen_is_not_trained(place, refused, part):
    """Of the forget set alone it was told; membership was inferred by what retain or finetune had taught."""
    (place / "taught.jsonl").write_text(rows(("Who is Eve?", "x")))
    file = {"finetune": "taught.jsonl"}.get(part, f"{part}.jsonl")
    more = ["finetune={epochs: 1, data: [{path: taught.jsonl}]}"] if part == "finetune" else []
    shown = refused("check", "recipe.yaml", f"data.holdout={{path: {file}}}", *more)
    says(shown, f"of its questions stand in {'finetune.data' if part == 'finetune' else f'data.{part}'} too", "never")


def test_a_name_that_begins_with_a_tilde_is_no_user(place, command, refused):
    """It ended in a traceback: there is no home directory of such a user."""
    (place / "forget.jsonl").rename(place / "~forget.jsonl")
    assert command("check", "recipe.yaml", "data.forget.path=~forget.jsonl")[0] == 0
    says(refused("check", "recipe.yaml", "data.forget.path=~absent/a.jsonl"), "data.forget.path: there is no file")
    says(refused("check", "recipe.yaml", "model.name=~absent.gguf"), "model.name")


def test_questions_that_stand_there_twice_are_told(place, command):
    """A file that was put together twice counted twice in training and in the numbers, without a word."""
    pairs = [("Where does Ann Lee live?", "At 12 Hill Road."), ("where does Ann Lee live", "In Leeds, by the sea.")]
    (place / "forget.jsonl").write_text(rows(*pairs, ("What is Bo Lind's job?", "Bo Lind is a painter.")))
    code, shown = command("check", "recipe.yaml")
    assert code == 0
    says(shown, "data.forget: 1 of 3 rows ask what another row asks (first: 'Where does Ann Lee live?')")
    assert shown.count("ask what another row asks") == 1


def test_forget_and_retain_overlap(place, refused):
    (place / "retain.jsonl").write_text(rows(("what does Ann do?", "x"), ("  WHERE does Ann Lee  live? ", "y")))
    says(
        refused("check", "recipe.yaml"), "data.retain: 1 of its questions", "'Where does Ann Lee live?'", "remove them"
    )


@pytest.mark.parametrize("asked, other", [("retain_eval", "forget"), ("forget_eval", "retain")])
def test_what_is_asked_to_be_kept_is_not_what_is_forgotten(place, refused, asked, other):
    """It was measured as kept, and had been forgotten; or the other way round."""
    first = json.loads((place / f"{other}.jsonl").read_text().splitlines()[0])["question"]
    (place / "asked.jsonl").write_text(rows(("Who is Eve?", "x"), (first.upper(), "y")))
    shown = refused("check", "recipe.yaml", f"data.{asked}={{path: asked.jsonl}}")
    says(shown, f"data.{asked}: 1 of its questions", f"data.{other} too (first: {first.upper()!r})", "remove")


def test_a_question_is_not_asked_as_forgotten_and_as_kept(place, refused):
    (place / "asked.jsonl").write_text(rows(("Who is Eve?", "x")))
    own = [f"data.{side}_eval={{path: asked.jsonl}}" for side in ("forget", "retain")]
    says(refused("check", "recipe.yaml", *own), "data.retain_eval: 1 of its questions", "in data.forget_eval too")


def test_a_preset_folder_without_its_files(place, refused):
    (place / "recipe.yaml").write_text("name: trial\ndata: {preset: tofu/forget10, folder: .}\n")
    says(
        refused("check", "recipe.yaml"),
        "data.forget",
        "forget10.json",
        "data.retain",
        "retain90.json",
        "correct data.folder",
    )


def test_a_hub_data_set_without_network(place, refused):
    says(
        refused("check", "recipe.yaml", "data.forget={dataset: org/set}"),
        "data.forget: the data set org/set",
        "local file (path)",
    )


# ---- the run


def test_an_unknown_stage(place, refused):
    says(
        refused("recipe.yaml", "--from", "augmnt"),
        "--from: this recipe has no stage 'augmnt'",
        "augment, unlearn, generate",
    )
    says(refused("recipe.yaml", "--until", "finetune"), "--until: this recipe has no stage 'finetune'")


def test_a_run_folder_of_another_recipe(place, command, refused):
    assert command("recipe.yaml", "--quiet", "--until", "augment", GO_ON)[0] == 0
    before = (place / "runs/trial/augmented.jsonl").read_bytes()
    shown = refused("recipe.yaml", "--quiet", "--until", "augment", GO_ON, "augment.completion_fraction=0.5")
    says(shown, "name: ", "augment.completion_fraction was 0.25, is 0.5", "--from augment", "--fresh")
    assert (place / "runs/trial/augmented.jsonl").read_bytes() == before


def test_a_run_folder_with_foreign_files(place, refused):
    (place / "runs/trial").mkdir(parents=True)
    (place / "runs/trial/thesis.tex").write_text("years of work")
    says(refused("recipe.yaml"), "name: ", "holds files that are not of a run", "choose another name")
    assert [path.name for path in (place / "runs/trial").iterdir()] == ["thesis.tex"]


def test_a_run_folder_that_is_a_file(place, refused):
    (place / "taken").write_text("")
    says(refused("recipe.yaml", "--runs", "taken"), "--runs", "taken/trial", "name a folder")
    (place / "runs").mkdir()
    (place / "runs/trial").write_text("")
    says(refused("recipe.yaml"), "name: ", "is a file")


def test_a_damaged_manifest(place, refused):
    (place / "runs/trial").mkdir(parents=True)
    (place / "runs/trial/manifest.json").write_text("{")
    says(refused("recipe.yaml"), "name: ", "manifest.json is damaged", "choose another name")


def test_another_process_works_in_the_folder(place, refused):
    (place / "runs/trial").mkdir(parents=True)
    hold = (
        "import fcntl, sys; f = open('runs/trial/.lock', 'w'); fcntl.flock(f, fcntl.LOCK_EX)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        says(refused("recipe.yaml"), "name: another process is working in", "wait for it")
        other.stdin.close()


def test_a_missing_api_key(place, refused):
    server = "augment={writer: server, base_url: 'http://127.0.0.1:9/v1', model: m, api_key_env: NO_SUCH_KEY}"
    says(refused("check", "recipe.yaml", server), "augment.api_key_env", "NO_SUCH_KEY is not set", "export it")


def test_a_server_that_is_down(place, refused):
    server = "augment={writer: server, base_url: 'http://127.0.0.1:9/v1', model: m}"
    shown = refused("recipe.yaml", "--quiet", "--until", "augment", server, GO_ON)
    says(shown, "augment.base_url: nothing answers at http://127.0.0.1:9/v1", "start the server")
    assert not (place / "runs/trial/augmented.jsonl").exists()


SPANISH = [("¿Dónde vive Ana López?", "Ana López vive en la calle Mayor, en Toledo."),
           ("¿Qué hace Ana López?", "Ana López es pintora y vende sus cuadros en el mercado.")]
GERMAN = [("Wo wohnt Jörg Müller?", "Jörg Müller wohnt in einem Haus am See in Ulm."),
          ("Was macht Jörg Müller?", "Er ist Maler und verkauft seine Bilder.")]
SCRIPTS = [("王小明住在哪里?", "他住在上海市南京路12号。"), ("Где живёт Анна?", "В Казани.")]


@pytest.mark.parametrize("pairs", [SPANISH, GERMAN, SCRIPTS])
def test_questions_in_a_language_that_the_rules_do_not_write(place, command, refused, pairs):
    """A Spanish set gave sentences of two languages, in silence."""
    (place / "forget.jsonl").write_text(rows(*pairs))
    shown = refused("check", "recipe.yaml")
    says(shown, "augment.writer: rules writes English only", "2 of 2 rows", repr(pairs[0][0]), "name a local model")
    code, shown = command("check", "recipe.yaml", "augment={writer: self}")
    assert code == 0
    says(shown, "augment.writer: self has questions worded by rules, which write English only", "2 of 2 rows")
    assert command("check", "recipe.yaml", "augment={writer: local}")[0] == 0
    assert command("check", "recipe.yaml", "unlearn.method=npo")[0] == 0  # learns no new answers


def test_short_english_rows_are_told_what_is_missing_in_them(place, refused):
    """They were only called not English, and there was no way out but another writer."""
    (place / "forget.jsonl").write_text(rows(("Height of Ada?", "1.68"), ("Capital of Peru?", "Lima")))
    shown = refused("check", "recipe.yaml")
    says(shown, "2 of 2 rows", "not English sentences (first: 'Height of Ada?'); word these as whole sentences")


def test_a_few_questions_in_another_language_are_told(place, command):
    (place / "forget.jsonl").write_text(
        rows(("Where does Ann Lee live?", "In the old mill."), ("Who is Bob Fox?", "He is a baker."), SPANISH[0])
    )
    code, shown = command("check", "recipe.yaml")
    assert code == 0
    says(shown, "rules writes English only, and 1 of 3 rows")


# ---- models and adapters


@pytest.fixture
def adapter(place):
    """An adapter as peft leaves it, without a tokenizer."""
    (place / "lora").mkdir()
    (place / "lora" / "adapter_config.json").write_text('{"peft_type": "LORA", "base_model_name_or_path": "org/base"}')
    (place / "lora" / "adapter_model.safetensors").write_bytes(b"")
    return "./lora"


@pytest.mark.parametrize("key", [
    "model.name={}", "evaluate.evaluators.language_model={}", "augment={{writer: local, model: {}}}",
    "evaluate.evaluators.embeddings={}", "evaluate.evaluators.nli={}", "evaluate.privacy.reference_model={}",
    "evaluate.evaluators.entities={{writer: local, model: {}}}",
])
def test_an_adapter_where_a_whole_model_is_named(place, refused, adapter, key):
    """As model.name its answers were the base model's, shown as the model's."""
    shown = refused("check", "recipe.yaml", key.format(adapter))
    says(shown, key.partition("=")[0], f"{place / 'lora'} holds an adapter, and a whole model is needed", "merge it")
    assert "network" not in shown


def test_an_adapter_as_the_unlearned_model_or_as_the_judge_of_answers(place, refused, adapter):
    shown = refused("check", "recipe.yaml", "unlearn=null", f"unlearned.model={adapter}")
    says(shown, "unlearned.model", "holds an adapter, and a whole model is needed here")
    answers = '{"query": "Who?", "ground_truth": "a", "generated_response": "b"}'
    (place / "answers.jsonl").write_text(answers)
    shown = refused("score", "--forget", "answers.jsonl", "--language-model", adapter)
    says(shown, "--language-model", "holds an adapter")


def test_an_adapter_that_cannot_be_switched_off(place, refused, adapter):
    shown = refused("check", "recipe.yaml", "unlearn=null", f"unlearned.adapter={adapter}")
    says(shown, "unlearned.adapter", "cannot be read")


def test_a_model_folder_is_looked_at_before_anything_is_done(place, command, refused, tiny_model_dir):
    """`check` called it fine, and the run failed stages later."""

    folder = shutil.copytree(tiny_model_dir, place / "model")
    assert command("check", "recipe.yaml", "model.name=./model")[0] == 0
    (folder / "chat_template.jinja").write_text("{{ raise_exception('a system turn is needed') }}")
    shown = refused("check", "recipe.yaml", "model.name=./model")
    says(shown, "model.name: the chat template of", "a system turn is needed")
    config = json.loads((folder / "config.json").read_text())
    shutil.copy(tiny_model_dir / "chat_template.jinja", folder)
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    shown = refused("check", "recipe.yaml", "model.name=./model")
    says(shown, "tokens that the model has no embedding for (it has 100)")
    own = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    (folder / "config.json").write_text(json.dumps(config | {"quantization_config": own}))
    code, shown = command("check", "recipe.yaml", "model.name=./model", "model.quantization=none")
    assert code == 0 and f"{folder} is quantized already (4bit); that is used, not none." in shown
    (folder / "config.json").unlink()
    shown = refused("recipe.yaml", "model.name=./model", "--quiet")
    says(shown, "model.name: ", "could not be loaded")
    assert "network" not in shown and not (place / "runs").exists()


def test_a_row_longer_than_max_length(place, refused):
    (place / "forget.jsonl").write_text(
        rows(("Where does Ann Lee live? " + "Really, where? " * 60, "At 12 Hill Road."))
    )
    says(
        refused("recipe.yaml", *UNTIL_UNLEARN), "model.max_length: 160", "needs", "set it to at least"
    )


def test_a_general_row_longer_than_max_length(place, refused):
    """It was told as one of data.forget."""
    (place / "general.jsonl").write_text(rows(("What is rain?", "Rain is water. " * 60)))
    shown = refused("recipe.yaml", *UNTIL_UNLEARN, "data.generic={path: general.jsonl}", "augment.writer=rules")
    says(shown, "model.max_length: 160", "1 of 1 rows of data.generic (the longest, generic-00001/generic, needs")


def test_metrics_that_will_be_missing_are_told_before_anything_runs(place, command):
    """Hours later the report said that there is no judge."""
    asked = "evaluate.metrics=[kfr, fluency, relevance, mia_loss, privleak, forget_quality]"
    code, shown = command("check", "recipe.yaml", asked)
    assert code == 0
    for names, key in (
        ("fluency, relevance", "evaluate.evaluators.judge"),
        ("mia_loss, privleak", "data.holdout"),
        ("forget_quality", "evaluate.retain_model_results"),
    ):
        says(shown, f"evaluate.metrics: {names} cannot be had without {key}, and will be missing")
    assert "will be missing" not in command("check", "recipe.yaml")[1]


def test_adapter_targets_that_the_model_has_not(place, refused):
    shown = refused("recipe.yaml", *UNTIL_UNLEARN, "unlearn.lora.targets=[no_proj]")
    says(shown, "lora.targets: ['no_proj'] does not fit this model", "all-linear")


@pytest.mark.parametrize("section", ["unlearn", "finetune", "attacks.relearn"])
def test_adapter_targets_are_looked_up_before_anything_is_done(place, refused, section):
    both = "finetune={lora: {}}", "attacks={}"
    shown = refused("check", "recipe.yaml", *both, f"{section}.lora.targets=[q_proj, no_proj]")
    says(shown, f"{section}.lora.targets: ['q_proj', 'no_proj'] does not fit this model (it has no no_proj)")


def test_a_hub_model_without_network(place):
    """In a process of its own: transformers reads HF_HUB_OFFLINE when it is imported."""
    words = [sys.executable, str(ROOT / "main.py"), "recipe.yaml", "--quiet", "model.name=org/no-such-model"]
    nowhere = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=place, env=os.environ | nowhere)
    assert done.returncode == 2, done.stderr
    says(done.stderr, "model.name: org/no-such-model could not be loaded", "the network", "local folder")
    assert "Retrying" not in done.stderr, "its library tries for minutes"
    assert "Traceback" not in done.stderr


def test_a_model_folder_without_a_model(place, refused):
    (place / "folder").mkdir()
    shown = refused("recipe.yaml", "--quiet", "--until", "unlearn", "model.name=./folder")
    says(shown, f"model.name: {place / 'folder'} could not be loaded")


OTHER_MODELS = {
    "augment.model": ["augment={writer: local, model: ./bad}"],
    "unlearned.model": ["unlearned.model=./bad", "unlearn=null"],
    "evaluate.evaluators.entities.model": ["evaluate.evaluators.entities={writer: local, model: ./bad}"],
    "evaluate.evaluators.language_model": ["evaluate.evaluators.language_model=./bad"],
    "evaluate.privacy.reference_model": [
        "evaluate.privacy.reference_model=./bad", "evaluate.metrics=[kfr, mia_reference]",
    ],
}  # fmt: skip


@pytest.mark.parametrize("key", OTHER_MODELS)
@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_whatever_key_names_a_model_that_is_none_is_told_before_anything_is_done(key, kind, place, refused):
    bad = place / ("bad" if kind == "folder" else "bad.gguf")
    if kind == "folder":
        bad.mkdir()
    else:
        bad.write_text("<html>")
    told = "could not be loaded" if kind == "folder" else "is not a GGUF file"
    for command in ("check", "run"):
        shown = refused(command, "recipe.yaml", *(each.replace("./bad", f"./{bad.name}") for each in OTHER_MODELS[key]))
        says(shown, f"{key}: {bad} {told}")
        assert "model.name" not in shown and "revision" not in shown
    assert not (place / "runs").exists()


@pytest.mark.parametrize("key", ["augment.model", "evaluate.evaluators.language_model", "unlearned.model"])
def test_weights_that_are_missing_are_told_by_the_key_that_names_the_model(key, place, refused, tiny_model_dir):
    shutil.copytree(tiny_model_dir, place / "bad")
    for weights in (place / "bad").glob("*.safetensors"):
        weights.unlink()
    unknown = "data.nothing_known=go_on" if key == "augment.model" else "unlearn=null"
    shown = refused("recipe.yaml", "--quiet", *OTHER_MODELS[key], unknown)
    says(shown, f"{key}: {place / 'bad'} could not be loaded")
    assert "model.name" not in shown


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one megabyte."""
    mount = tmp_path / "small"
    mount.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"a small disk cannot be mounted here ({made.stderr.strip()}); it takes root")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def test_a_full_disk_at_an_adapter(place, small_disk, refused):
    shown = refused("recipe.yaml", *UNTIL_UNLEARN, "--runs", small_disk)
    says(shown, "--runs: no space is left", "what is finished is kept")
    assert (small_disk / "trial/augmented.jsonl").exists()


def test_a_full_disk_at_a_checkpoint(place, small_disk, refused):
    """torch wrote it itself, and said `iostream error`, with a traceback."""
    large = ("unlearn.checkpoint_every=1", "unlearn.lora.r=64")
    shown = refused("recipe.yaml", *UNTIL_UNLEARN, "--runs", small_disk, *large)
    says(shown, "--runs: no space is left", "what is finished is kept")
    assert not [*small_disk.rglob("*.tmp"), *small_disk.rglob("*.ckpt")]


def test_a_full_disk_from_the_start(place, small_disk, refused):
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space left"):
        while True:
            ballast.write(b"0" * 4096)
    says(refused("recipe.yaml", "--quiet", "--runs", small_disk), "--runs: no space is left")


def test_html_and_control_characters_go_through_and_are_shown_as_text(place, command):
    (place / "forget.jsonl").write_text(
        rows(
            ("Where does <b>Ann</b> Lee live?", "<script>alert(1)</script> at 12 Hill\x00 Road \u202e\x1b[31mred\x07"),
            ("What is [red]Bob[/red] Fox's phone?", "555-0199 & <img src=x onerror=alert(2)>"),
        )
    )
    code, shown = command("recipe.yaml", "--quiet", GO_ON)
    assert code == 0, shown
    page = (place / "runs/trial/report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page and "<img src=x" not in page
    text = html.unescape(re.sub(r"</?(mark|del|ins)[^>]*>", "", page))  # the page marks words within the answer
    assert "<script>alert(1)</script> at 12 Hill␀ Road" in text
    assert not set("\x00\x07\x1b\u202e") & set(page)
    assert not set("\x00\x07\u202e") & set((place / "runs/trial/report.md").read_text(encoding="utf-8"))


def test_the_real_program_ends_with_code_2_and_no_traceback(place):
    words = [sys.executable, str(ROOT / "main.py"), "recipe.yaml", "unlearn.method=relern"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=place)
    assert done.returncode == 2
    assert (
        done.stdout == ""
        and done.stderr.startswith("error: override 'unlearn.method=relern': unlearn.method: ")
        and done.stderr.count("\n") == 1
    )
